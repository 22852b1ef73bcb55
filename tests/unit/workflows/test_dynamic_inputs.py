"""Newer nodes: inputs that depend on a choice, lists that grow, types that match, switches."""

from typing import Any

import pytest

from generation.workflows.contract import contract, faults
from generation.workflows.definitions import inputs_of, shipped_definitions
from generation.workflows.editor import convert
from generation.workflows.typed_graph import GraphView

SIZES = [
    {
        "key": "scale by multiplier",
        "inputs": {"required": {"multiplier": ["FLOAT", {"default": 1.0}]}},
    },
    {
        "key": "scale dimensions",
        "inputs": {
            "required": {
                "width": ["INT", {"default": 512, "min": 0, "max": 16384}],
                "height": ["INT", {"default": 512, "min": 0, "max": 16384}],
                "crop": ["COMBO", {"options": ["disabled", "center"]}],
            }
        },
    },
]
MATCHED = ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "a", "allowed_types": "*"}}]
#: As ComfyUI 0.8.0 tells of them.
NEWER = {
    "ResizeImageMaskNode": {
        "input": {
            "required": {
                "input": MATCHED,
                "resize_type": ["COMFY_DYNAMICCOMBO_V3", {"options": SIZES}],
                "scale_method": ["COMBO", {"options": ["area", "lanczos"]}],
            }
        },
        "output": ["COMFY_MATCHTYPE_V3"],
    },
    "BatchImagesNode": {
        "input": {
            "required": {
                "images": [
                    "COMFY_AUTOGROW_V3",
                    {
                        "template": {
                            "input": {"required": {"image": ["IMAGE", {}]}},
                            "prefix": "image",
                            "min": 2,
                            "max": 50,
                        }
                    },
                ]
            }
        },
        "output": ["IMAGE"],
    },
    "ComfySwitchNode": {
        "input": {"required": {"switch": ["BOOLEAN", {}], "on_false": MATCHED, "on_true": MATCHED}},
        "output": ["COMFY_MATCHTYPE_V3"],
    },
}
KNOWN = {**shipped_definitions(), **NEWER}


def node(class_type: str, **inputs: Any) -> Any:
    return {"class_type": class_type, "inputs": inputs}


def graph(**others: Any) -> Any:
    """A picture that is loaded and saved, with more nodes; what is given as 2 stands between."""
    return {
        "1": node("LoadImage", image="panel.png"),
        "9": node("SaveImage", images=["2", 0], filename_prefix="out"),
        **{name.removeprefix("n"): held for name, held in others.items()},
    }


def codes(found: Any) -> list[str]:
    return [fault.code for fault in faults(found, KNOWN)]


def resized(**more: Any) -> Any:
    values = {"resize_type": "scale by multiplier", "resize_type.multiplier": 2.0}
    return node("ResizeImageMaskNode", input=["1", 0], scale_method="area", **{**values, **more})


# Choices that bring inputs -----------------------------------------------------------------------


def test_a_choice_brings_the_inputs_of_its_value() -> None:
    chosen = {"resize_type": "scale dimensions"}

    found = inputs_of(KNOWN, "ResizeImageMaskNode", chosen) or {}

    own = ["resize_type.width", "resize_type.height", "resize_type.crop"]
    assert list(found) == ["input", "resize_type", *own, "scale_method"]
    assert found["resize_type.width"].maximum == 16384


def test_values_stand_in_the_order_that_the_choice_makes() -> None:
    document = {
        "nodes": [
            {
                "id": 5,
                "type": "ResizeImageMaskNode",
                "inputs": [{"name": "input", "type": "IMAGE,MASK", "link": None}],
                "widgets_values": ["scale dimensions", 640, 360, "center", "lanczos"],
            }
        ],
        "links": [],
    }

    assert convert(document, KNOWN).graph["5"]["inputs"] == {
        "resize_type": "scale dimensions",
        "resize_type.width": 640,
        "resize_type.height": 360,
        "resize_type.crop": "center",
        "scale_method": "lanczos",
    }


def test_what_a_choice_brings_is_required_and_bounded() -> None:
    dimensions = {"resize_type": "scale dimensions", "resize_type.width": 99_999}

    found = codes(graph(n2=resized(**dimensions)))

    assert found == ["out_of_bounds", "missing_input", "missing_input"]


def test_a_value_that_is_no_choice_is_refused() -> None:
    assert codes(graph(n2=resized(resize_type="scale somehow"))) == ["not_in_list"]


# Lists that grow ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["image0", "image1"], []),
        (["image0", "image1", "image7"], []),
        (["image0"], ["missing_input"]),
        ([], ["missing_input", "missing_input"]),
    ],
)
def test_a_list_must_have_as_many_as_its_least(given: list[str], found: list[str]) -> None:
    linked = {f"images.{name}": ["1", 0] for name in given}

    assert codes(graph(n2=node("BatchImagesNode", **linked))) == found


def test_what_a_list_takes_is_held_to_its_type() -> None:
    linked = {"images.image0": ["1", 0], "images.image1": ["1", 1]}

    assert codes(graph(n2=node("BatchImagesNode", **linked))) == ["bad_link_type"]


# Types that match, switches ----------------------------------------------------------------------


def test_what_only_matches_takes_and_gives_any_type() -> None:
    found = graph(n2=resized())

    assert codes(found) == []
    assert GraphView(found, KNOWN).type_of("9", "images", ("2", 0)) == "IMAGE"
    assert GraphView(found, KNOWN).outputs("2") == ("IMAGE",)


def sampled(switch: Any, **more: Any) -> Any:
    """A graph whose model goes through a switch: with a LoRA where it stands on true."""
    links = {"positive": ["5", 0], "negative": ["5", 0], "latent_image": ["6", 0]}
    return graph(
        n2=node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        n3=node(
            "KSampler", model=["8", 0], seed=1, steps=9, cfg=7.0, sampler_name="euler",
            scheduler="normal", denoise=1.0, **links,
        ),
        n4=node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
        n5=node("CLIPTextEncode", text="a cat", clip=["4", 1]),
        n6=node("EmptyLatentImage", width=64, height=64, batch_size=1),
        n7=node(
            "LoraLoaderModelOnly", model=["4", 0], lora_name="b.safetensors", strength_model=1.0
        ),
        n8=node("ComfySwitchNode", switch=switch, on_false=["4", 0], on_true=["7", 0]),
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("switch", "is_told"), [(True, True), (False, False), (["10", 0], False), (["11", 0], False)]
)
def test_what_a_switch_does_not_hand_on_is_not_told(switch: Any, is_told: bool) -> None:
    on = {
        "n10": node("PrimitiveBoolean", value=False),
        "n11": node("CompareNobodyKnows", a=1, b=2),
    }

    told = contract(sampled(switch, **on), KNOWN).parameters

    assert ("lora" in told) == is_told
    assert told["checkpoint"].targets == (("4", "ckpt_name"),)


@pytest.mark.parametrize(("switch", "target"), [(True, ("21", "value")), (False, ("20", "value"))])
def test_a_number_is_set_where_the_switch_takes_it_from(switch: bool, target: Any) -> None:
    found = sampled(False, n20=node("PrimitiveInt", value=20), n21=node("PrimitiveInt", value=4))
    found["22"] = node("ComfySwitchNode", switch=switch, on_false=["20", 0], on_true=["21", 0])
    found["3"]["inputs"]["steps"] = ["22", 0]

    assert contract(found, KNOWN).parameters["steps"].targets == (target,)


def test_a_number_that_a_switch_computes_is_not_told() -> None:
    found = sampled(False, n20=node("PrimitiveInt", value=20), n21=node("PrimitiveInt", value=4))
    computed = node("CompareNobodyKnows", a=1, b=2)
    found |= {"23": computed}
    found["22"] = node("ComfySwitchNode", switch=["23", 0], on_false=["20", 0], on_true=["21", 0])
    found["3"]["inputs"]["steps"] = ["22", 0]

    assert "steps" not in contract(found, KNOWN).parameters


COMPUTED = {"11": node("CompareNobodyKnows", a=1, b=2)}


def test_what_a_computed_switch_may_leave_out_is_named() -> None:
    read = contract(sampled(["11", 0]) | COMPUTED, KNOWN)

    remark = next(each for each in read.warnings if each.code == "side_is_computed")
    assert remark.node == "8"
    assert str(remark.detail).endswith("unless a title @name says so: lora, lora_strength.")
    assert {"checkpoint", "steps", "prompt", "seed"} <= read.parameters.keys()


def test_what_a_title_names_behind_a_computed_switch_is_told() -> None:
    titled = sampled(["11", 0]) | COMPUTED
    titled["7"]["_meta"] = {"title": "@look.lora_name"}

    assert contract(titled, KNOWN).parameters["look"].targets == (("7", "lora_name"),)


def test_what_both_sides_of_a_computed_switch_hold_alike_is_told() -> None:
    both = sampled(["11", 0]) | COMPUTED
    both["12"] = {**both["3"], "inputs": {**both["3"]["inputs"], "model": ["7", 0], "cfg": 4.0}}
    both["13"] = node("ComfySwitchNode", switch=["11", 0], on_false=["3", 0], on_true=["12", 0])
    both["2"]["inputs"]["samples"] = ["13", 0]
    both["3"]["inputs"]["model"] = ["4", 0]

    told = contract(both, KNOWN).parameters

    assert set(told["steps"].targets) == {("3", "steps"), ("12", "steps")}
    assert set(told["seed"].targets) == {("3", "seed"), ("12", "seed")}
    assert not {"cfg", "cfg_2", "lora"} & told.keys()
