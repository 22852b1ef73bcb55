"""The parameters of a workflow: which there are, where they are, what they may be."""

import json
from typing import Any

import pytest
from scripted_comfyui import workflow

from generation.workflows import graph, substitution
from generation.workflows.contract import contract
from generation.workflows.definitions import Definitions, input_spec
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter


def find(loaded: Graph, definitions: Definitions) -> dict[str, Parameter]:
    return dict(contract(loaded, definitions).parameters)


def changed(name: str, **changes: dict[str, Any] | None) -> Graph:
    """Return a shipped workflow with whole nodes replaced, added, or taken out (None)."""
    nodes = json.loads(workflow(name)) | {key.lstrip("n"): node for key, node in changes.items()}
    return graph.load(json.dumps({key: node for key, node in nodes.items() if node}))


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}


def sampler(class_type: str = "KSampler", **inputs: Any) -> dict[str, Any]:
    usual: dict[str, Any] = json.loads(workflow("OmbresChinoises"))["11"]["inputs"]
    return node(class_type, **(usual | inputs))


@pytest.fixture
def ombres(definitions: Definitions) -> dict[str, Parameter]:
    return find(graph.load(workflow("OmbresChinoises")), definitions)


def targets(loaded: Graph, definitions: Definitions, name: str) -> tuple[tuple[str, str], ...]:
    return find(loaded, definitions)[name].targets


def codes(params: dict[str, object], known: dict[str, Parameter]) -> dict[str, str]:
    return {problem.name: problem.code for problem in substitution.check(params, known)}


@pytest.mark.parametrize("name", ["OmbresChinoises", "Labo"])
def test_a_production_workflow_has_all_its_parameters(name: str, definitions: Definitions) -> None:
    found = find(graph.load(workflow(name)), definitions)
    assert {key: parameter.targets for key, parameter in found.items()} == {
        "panel": (("3", "image"),),
        "width": (("13", "width"),),
        "height": (("13", "height"),),
        "steps": (("11", "steps"),),
        "cfg": (("11", "cfg"),),
        "seed": (("11", "seed"),),
        "denoise": (("11", "denoise"),),
        "sampler_name": (("11", "sampler_name"),),
        "scheduler": (("11", "scheduler"),),
        "lora": (("2", "lora_name"),),
        "lora_strength": (("2", "strength_model"), ("2", "strength_clip")),
        "checkpoint": (("1", "ckpt_name"),),
        "controlnet": (("6", "control_net_name"),),
        "controlnet_strength": (("9", "strength"),),
        "prompt": (("7", "text"),),
        "negative_prompt": (("8", "text"),),
    }


def test_an_image_workflow_has_its_own(definitions: Definitions) -> None:
    found = find(graph.load(workflow("Silhouette")), definitions)
    assert {name: parameter.type for name, parameter in found.items()} == {
        "panel": "IMAGE",
        "width": "INT",
        "height": "INT",
        "threshold": "FLOAT",
    }


def test_bounds_and_defaults_come_with_them(ombres: dict[str, Parameter]) -> None:
    assert ombres["steps"] == Parameter(
        "steps", "INT", (("11", "steps"),), 1, 10000, None, default=30
    )
    assert (ombres["seed"].type, ombres["seed"].maximum) == ("SEED", 2**64 - 1)
    assert (ombres["lora_strength"].minimum, ombres["lora_strength"].step) == (-100, 0.01)
    assert "dpmpp_2m" in (ombres["sampler_name"].options or ())


@pytest.mark.parametrize("name", ["OmbresChinoises", "Labo", "Silhouette"])
def test_what_is_shipped_fits_its_own_bounds(name: str, definitions: Definitions) -> None:
    found = find(graph.load(workflow(name)), definitions)
    given = {key: each.default for key, each in found.items() if each.type != "IMAGE"}
    assert substitution.check(given, found) == []


@pytest.mark.parametrize("name", ["OmbresChinoises", "Labo", "Silhouette"])
def test_every_value_of_a_shipped_node_is_one_its_class_takes(
    name: str, definitions: Definitions
) -> None:
    given = [
        (each["class_type"], name)
        for each in graph.load(workflow(name)).values()
        for name in each["inputs"]
    ]
    assert [pair for pair in given if input_spec(definitions, *pair) is None] == []


def test_the_other_sampler_keeps_its_seed_elsewhere(definitions: Definitions) -> None:
    usual = sampler()["inputs"] | {"noise_seed": 5, "add_noise": "enable"}
    loaded = changed("OmbresChinoises", n11=node("KSamplerAdvanced", **usual))
    del loaded["11"]["inputs"]["seed"], loaded["11"]["inputs"]["denoise"]
    found = find(loaded, definitions)
    assert found["seed"].targets == (("11", "noise_seed"),)
    assert "denoise" not in found


def test_a_linked_value_is_followed_to_its_node(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n11=sampler(seed=["30", 0], steps=["31", 0], cfg=["32", 0]),
        n30=node("PrimitiveInt", value=7),
        n31=node("Reroute", x=["30", 0]),
        n32=node("TwoValues", a=1.0, b=2.0),
    )
    found = find(loaded, definitions)
    assert found["seed"].targets == found["steps"].targets == (("30", "value"),)
    assert "cfg" not in found


def test_prompts_are_told_apart_behind_a_controlnet(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n7=node("CLIPTextEncode", text="ink", clip=["2", 1]),
        n40=node("CLIPTextEncode", text="paper", clip=["2", 1]),
        n41=node("ConditioningCombine", conditioning_1=["40", 0], conditioning_2=["7", 0]),
        n9=node(
            "ControlNetApplyAdvanced",
            positive=["41", 0],
            negative=["8", 0],
            control_net=["6", 0],
            image=["5", 0],
            strength=1.0,
        ),
    )
    assert targets(loaded, definitions, "prompt") == (("40", "text"),)
    assert targets(loaded, definitions, "negative_prompt") == (("8", "text"),)


def test_a_negative_made_of_the_prompt_is_no_parameter(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n40=node("ConditioningZeroOut", conditioning=["7", 0]),
        n11=sampler(positive=["7", 0], negative=["40", 0]),
    )
    found = find(loaded, definitions)
    assert "negative_prompt" not in found
    assert found["prompt"].targets == (("7", "text"),)


def test_the_two_texts_of_an_sdxl_encoder_go_together(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises", n7=node("CLIPTextEncodeSDXL", text_g="a", text_l="a", clip=["2", 1])
    )
    assert targets(loaded, definitions, "prompt") == (("7", "text_g"), ("7", "text_l"))


def test_the_lora_nearest_to_the_sampler_counts(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n50=node("LoraLoaderModelOnly", model=["2", 0], lora_name="b", strength_model=0.3),
        n11=sampler(model=["50", 0]),
    )
    assert targets(loaded, definitions, "lora_strength") == (("50", "strength_model"),)


def test_an_empty_latent_gives_the_size_when_nothing_scales(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n10=node("EmptyLatentImage", width=1024, height=576, batch_size=1),
        n14=node("SaveImage", images=["12", 0], filename_prefix="x"),
    )
    assert targets(loaded, definitions, "width") == (("10", "width"),)
    assert targets(loaded, definitions, "panel") == (("3", "image"),)


def test_a_graph_without_a_panel_has_no_panel(definitions: Definitions) -> None:
    loaded = changed(
        "OmbresChinoises",
        n10=node("EmptyLatentImage", width=1024, height=576, batch_size=1),
        n11=sampler(positive=["7", 0], negative=["8", 0]),
    )
    assert "panel" not in find(loaded, definitions)


@pytest.mark.parametrize(
    ("title", "name", "target"),
    [
        ("@threshold", "threshold", "value"),
        ("@shadow", "shadow", "value"),
        ("@shadow how dark", "shadow", "value"),
        ("@shadow.value", "shadow", "value"),
        ("@shadow_2.value\nlines", "shadow_2", "value"),
    ],
)
def test_a_title_names_a_parameter(
    title: str, name: str, target: str, definitions: Definitions
) -> None:
    loaded = changed("Silhouette", n5=node("ThresholdMask", title, mask=["4", 0], value=0.5))
    assert targets(loaded, definitions, name) == (("5", target),)


def test_a_title_wins_over_what_links_would_find(definitions: Definitions) -> None:
    loaded = changed("OmbresChinoises", n60=node("PrimitiveInt", "@steps", value=4))
    found = find(loaded, definitions)["steps"]
    assert (found.targets, found.type, found.maximum) == ((("60", "value"),), "INT", 2**63 - 1)


def test_one_title_on_two_nodes_sets_both(definitions: Definitions) -> None:
    loaded = changed(
        "Silhouette",
        n3=node("ImageBlur", "@blur.sigma", image=["2", 0], blur_radius=2, sigma=1.0),
        n7=node("ImageBlur", "@blur.sigma", image=["6", 0], blur_radius=1, sigma=0.7),
    )
    found = find(loaded, definitions)
    assert found["blur"].targets == (("3", "sigma"), ("7", "sigma"))
    assert (found["blur"].minimum, found["blur"].maximum) == (0.1, 10)
    set_both = substitution.apply(loaded, {"blur": 2}, found)
    assert [set_both[i]["inputs"]["sigma"] for i in ("3", "7")] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 1),
        ("steps", 10000),
        ("cfg", 7),
        ("cfg", 0.0),
        ("seed", 2**64 - 1),
        ("seed", "0"),
        ("seed", "18446744073709551615"),
        ("prompt", ""),
        ("prompt", "é" * 10_000),
        ("lora", "studio/another.safetensors"),
        ("sampler_name", "euler"),
        ("lora_strength", -0.5),
    ],
)
def test_a_value_that_fits_has_no_problem(
    name: str, value: object, ombres: dict[str, Parameter]
) -> None:
    assert substitution.check({name: value}, ombres) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("steps", "30", "wrong_type"),
        ("steps", 30.0, "wrong_type"),
        ("steps", True, "wrong_type"),
        ("steps", None, "wrong_type"),
        ("steps", [30], "wrong_type"),
        ("steps", 0, "out_of_bounds"),
        ("steps", 10001, "out_of_bounds"),
        pytest.param("steps", 10**5000, "out_of_bounds", id="steps-huge"),
        ("cfg", "7", "wrong_type"),
        ("cfg", False, "wrong_type"),
        ("cfg", {}, "wrong_type"),
        ("cfg", 100.001, "out_of_bounds"),
        ("cfg", 10**400, "out_of_bounds"),
        ("cfg", 1e308, "out_of_bounds"),
        ("cfg", float("nan"), "not_finite"),
        ("cfg", float("inf"), "not_finite"),
        ("seed", -1, "out_of_bounds"),
        ("seed", 2**64, "out_of_bounds"),
        ("seed", str(2**64), "out_of_bounds"),
        ("seed", "-1", "wrong_type"),
        ("seed", "1.0", "wrong_type"),
        ("seed", " 1", "wrong_type"),
        ("seed", "007", "wrong_type"),
        ("seed", "\u0661", "wrong_type"),
        ("seed", "", "wrong_type"),
        pytest.param("seed", "9" * 5000, "wrong_type", id="seed-of-5000-digits"),
        ("prompt", 3, "wrong_type"),
        ("prompt", "x" * 32_001, "too_long"),
        ("prompt", "a\x00b", "bad_text"),
        ("prompt", "a\ud800", "bad_text"),
        ("sampler_name", "Euler", "not_in_list"),
        ("sampler_name", 1, "wrong_type"),
        ("panel", "../../etc/passwd", "not_settable"),
        ("stpes", 3, "unknown_parameter"),
        ("", 3, "unknown_parameter"),
    ],
)
def test_a_value_that_does_not_fit_says_why(
    name: str, value: object, code: str, ombres: dict[str, Parameter]
) -> None:
    (problem,) = substitution.check({name: value}, ombres)
    assert (problem.name, problem.code) == (name, code)
    assert len(problem.detail) < 1000


def test_a_refusal_names_the_bound_and_the_near_name(ombres: dict[str, Parameter]) -> None:
    problems = substitution.check({"steps": 0, "stpes": 3}, ombres)
    assert problems[0].detail == "steps must be between 1 and 10000, not 0."
    assert "did you mean steps?" in problems[1].detail


def test_all_problems_are_found_at_once(ombres: dict[str, Parameter]) -> None:
    found = codes({"steps": 0, "cfg": "x", "seed": 1, "nope": 1}, ombres)
    assert found == {"steps": "out_of_bounds", "cfg": "wrong_type", "nope": "unknown_parameter"}


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_a_huge_number_is_refused_even_without_bounds(value: int) -> None:
    free = {"x": Parameter("x", "FLOAT", (("1", "x"),))}
    assert codes({"x": value}, free) == {"x": "out_of_bounds"}


def test_a_live_list_of_models_is_held_against_the_value(definitions: Definitions) -> None:
    inputs = {"required": {"lora_name": [["a.safetensors"], {}]}}
    live = dict(definitions) | {"LoraLoader": {"input": inputs}}
    found = find(graph.load(workflow("OmbresChinoises")), live)
    assert codes({"lora": "b.safetensors"}, found) == {"lora": "not_in_list"}
    assert codes({"lora": "a.safetensors"}, found) == {}


@pytest.mark.parametrize(
    "spec",
    [
        ["COMBO", {"options": ["a", "b"], "multiselect": False}],
        [["a", "b"], {}],
        [["a", "b"]],
    ],
)
def test_both_forms_of_a_choice_are_read(spec: list[Any]) -> None:
    known = {"A": {"input": {"optional": {"x": spec}}}}
    found = input_spec(known, "A", "x")
    assert found is not None
    assert (found.kind, found.options, found.required) == ("COMBO", ("a", "b"), False)


@pytest.mark.parametrize("spec", [["COMBO", {"remote": {}}], ["COMBO"], [], None, "INT", [None, 3]])
def test_a_strange_definition_is_read_without_complaint(spec: Any) -> None:
    found = input_spec({"A": {"input": {"required": {"x": spec}}}}, "A", "x")
    assert found is not None
    assert found.options is None


@pytest.mark.parametrize("known", [{"A": None}, {"A": {"input": None}}, {}])
def test_a_class_that_is_not_described_has_no_inputs(known: Definitions) -> None:
    assert input_spec(known, "A", "x") is None


def test_values_are_set_on_a_copy(ombres: dict[str, Parameter]) -> None:
    loaded = graph.load(workflow("OmbresChinoises"))
    before = graph.sha256(loaded)
    values = {"lora_strength": 1, "seed": 2**63, "panel": "madsea/p.png", "prompt": ["a", 0]}
    applied = substitution.apply(loaded, values, ombres)
    strengths = [applied["2"]["inputs"][name] for name in ("strength_model", "strength_clip")]
    assert [repr(strength) for strength in strengths] == ["1.0", "1.0"]
    assert applied["11"]["inputs"]["seed"] == 2**63
    assert applied["3"]["inputs"]["image"] == "madsea/p.png"
    assert applied["7"]["inputs"]["text"] == {"__value__": ["a", 0]}
    assert graph.sha256(loaded) == before


def test_a_seed_that_is_given_as_a_text_is_set_as_a_number(ombres: dict[str, Parameter]) -> None:
    loaded = graph.load(workflow("OmbresChinoises"))
    applied = substitution.apply(loaded, {"seed": "18446744073709551615"}, ombres)
    assert applied["11"]["inputs"]["seed"] == 2**64 - 1


def test_a_whole_number_that_a_title_calls_seed_may_be_a_text(definitions: Definitions) -> None:
    titled = {"class_type": "PrimitiveInt", "inputs": {"value": 5}, "_meta": {"title": "@seed"}}
    found = find({"1": titled}, definitions)
    assert substitution.check({"seed": "12"}, found) == []


def test_a_parameter_that_is_not_there_cannot_be_set(ombres: dict[str, Parameter]) -> None:
    with pytest.raises(GraphError):
        substitution.apply(graph.load(workflow("OmbresChinoises")), {"x": 1}, ombres)


def test_requirements_name_classes_and_model_files(definitions: Definitions) -> None:
    needed = substitution.requirements(graph.load(workflow("Labo")), definitions)
    assert needed.files == (
        ("CheckpointLoaderSimple", "ckpt_name", "RealVisXL_V5.0_fp16.safetensors"),
        ("ControlNetLoader", "control_net_name", "diffusion_pytorch_model.safetensors"),
        ("LoraLoader", "lora_name", "silhouette_photographic_style_lora.safetensors"),
    )
    assert "KSampler" in needed.classes
    assert substitution.requirements(graph.load(workflow("Silhouette")), definitions).files == ()


def test_a_server_says_what_it_lacks(definitions: Definitions) -> None:
    needed = substitution.requirements(graph.load(workflow("Labo")), definitions)
    inputs = {"required": {"lora_name": [["x\\y.safetensors"], {}]}}
    live = {"LoraLoader": {"input": inputs}, "ControlNetLoader": definitions["ControlNetLoader"]}
    lacking = substitution.missing(needed, live)
    assert lacking.files == needed.files[2:]
    assert "KSampler" in lacking.classes
    assert "LoraLoader" not in lacking.classes
    assert substitution.missing(needed, definitions) == substitution.Requirements((), ())


def test_a_folder_may_be_spelled_with_either_slash() -> None:
    live = {"LoraLoader": {"input": {"required": {"lora_name": [["x\\y.safetensors"], {}]}}}}
    needed = substitution.Requirements((), (("LoraLoader", "lora_name", "x/y.safetensors"),))
    assert substitution.missing(needed, live).files == ()
