"""The image and mask nodes compute what their names say."""

from typing import Any

import numpy as np
import pytest

from comfyui_preview.definitions import DEFINITIONS, inputs_of, load
from comfyui_preview.nodes.all_nodes import NODES
from comfyui_preview.nodes.diffusion import Conditioning, LatentPicture, Model

GREY = np.full((1, 4, 8, 3), 100, dtype=np.uint8)
RAMP = np.arange(32, dtype=np.uint8).reshape(1, 4, 8)


def run(class_type: str, **inputs: Any) -> Any:
    return NODES[class_type].function(**inputs)


def test_every_node_has_a_definition() -> None:
    assert DEFINITIONS.is_file()
    assert load(NODES, {}).keys() == NODES.keys()


def test_loaders_list_the_models_that_the_server_pretends_to_have() -> None:
    loaded = load(NODES, {"loras": ["a.safetensors"]})

    assert inputs_of(loaded["LoraLoader"])["lora_name"][0] == ["a.safetensors"]
    assert inputs_of(loaded["CheckpointLoaderSimple"])["ckpt_name"][0] == []


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [(16, 16, (16, 16)), (16, 0, (8, 16)), (0, 2, (2, 4)), (0, 0, (4, 8))],
)
def test_scaling_keeps_proportions_for_a_side_of_zero(
    width: int, height: int, shape: tuple[int, int]
) -> None:
    (scaled,) = run(
        "ImageScale",
        image=GREY,
        upscale_method="lanczos",
        width=width,
        height=height,
        crop="disabled",
    )

    assert scaled.shape == (1, *shape, 3)


def test_scaling_with_a_crop_keeps_the_middle() -> None:
    wide = np.zeros((1, 10, 40, 3), dtype=np.uint8)
    wide[:, :, 15:25] = 255

    (scaled,) = run(
        "ImageScale", image=wide, upscale_method="area", width=10, height=10, crop="center"
    )

    assert scaled.min() == 255


@pytest.mark.parametrize(("value", "white"), [(0.0, 31), (0.05, 19), (10.5 / 255, 21), (1.0, 0)])
def test_threshold_counts_what_is_above_the_value(value: float, white: int) -> None:
    (mask,) = run("ThresholdMask", mask=RAMP, value=value)

    assert np.count_nonzero(mask == 255) == white
    assert np.count_nonzero(mask) == white


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("multiply", 78),
        ("add", 255),
        ("subtract", 100),
        ("and", 0),
        ("or", 255),
        ("xor", 255),
    ],
)
def test_masks_are_combined(operation: str, expected: int) -> None:
    below = np.full((1, 2, 2), 200, dtype=np.uint8)
    above = np.full((1, 2, 2), 100, dtype=np.uint8)

    (mask,) = run("MaskComposite", destination=below, source=above, x=0, y=0, operation=operation)

    assert set(mask.flat) == {expected}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("normal", 200),
        ("multiply", 78),
        ("screen", 221),
        ("overlay", 156),
        ("difference", 0),
    ],
)
def test_pictures_are_blended(mode: str, expected: int) -> None:
    above = np.full_like(GREY, 200)

    (mixed,) = run("ImageBlend", image1=GREY, image2=above, blend_factor=1.0, blend_mode=mode)

    assert abs(int(mixed[0, 0, 0, 0]) - expected) <= 1


def test_soft_light_of_middle_grey_changes_little() -> None:
    middle = np.full_like(GREY, 127)

    (mixed,) = run("ImageBlend", image1=GREY, image2=middle, blend_factor=1.0,
                   blend_mode="soft_light")  # fmt: skip

    assert abs(int(mixed[0, 0, 0, 0]) - 100) <= 1


def test_inverting_twice_changes_nothing() -> None:
    (once,) = run("ImageInvert", image=GREY)
    (twice,) = run("ImageInvert", image=once)

    assert once[0, 0, 0, 0] == 155
    assert np.array_equal(twice, GREY)


def test_mask_becomes_a_grey_picture_and_a_channel_a_mask() -> None:
    (picture,) = run("MaskToImage", mask=RAMP)
    (mask,) = run("ImageToMask", image=picture, channel="green")

    assert np.array_equal(mask, RAMP)


def test_colour_is_found_and_made() -> None:
    (picture,) = run("EmptyImage", width=3, height=2, batch_size=2, color=0x0A141E)
    (mask,) = run("ImageColorToMask", image=picture, color=0x0A141E)

    assert picture.shape == (2, 2, 3, 3)
    assert picture[1, 1, 2].tolist() == [10, 20, 30]
    assert mask.min() == 255


def test_crop_outside_is_moved_inside() -> None:
    (part,) = run("ImageCrop", image=GREY, width=4, height=4, x=100, y=100)

    assert part.shape == (1, 1, 1, 3)


def test_composite_puts_the_source_where_the_mask_is_white() -> None:
    white = np.full((1, 2, 2, 3), 255, dtype=np.uint8)
    mask = np.array([[[255, 0], [255, 0]]], dtype=np.uint8)

    (result,) = run(
        "ImageCompositeMasked",
        destination=GREY,
        source=white,
        x=1,
        y=1,
        resize_source=False,
        mask=mask,
    )

    assert result[0, 1, 1, 0] == 255
    assert result[0, 1, 2, 0] == 100


def test_padding_makes_room_and_marks_it() -> None:
    grown, mask = run(
        "ImagePadForOutpaint", image=GREY, left=8, top=0, right=0, bottom=8, feathering=0
    )

    assert grown.shape == (1, 12, 16, 3)
    assert (mask[0, 0, 0], mask[0, 0, 15]) == (255, 0)


def test_batches_are_joined_and_repeated() -> None:
    (joined,) = run("ImageBatch", image1=GREY, image2=GREY)
    (repeated,) = run("RepeatImageBatch", image=joined, amount=2)

    assert repeated.shape[0] == 4


@pytest.mark.parametrize(("expand", "white"), [(1, 9), (0, 1), (-1, 0)])
def test_mask_grows_and_shrinks(expand: int, white: int) -> None:
    dot = np.zeros((1, 9, 9), dtype=np.uint8)
    dot[0, 4, 4] = 255

    (mask,) = run("GrowMask", mask=dot, expand=expand, tapered_corners=False)

    assert np.count_nonzero(mask) == white


def test_mask_fades_towards_its_sides() -> None:
    (solid,) = run("SolidMask", value=1.0, width=8, height=4)
    (mask,) = run("FeatherMask", mask=solid, left=4, top=0, right=0, bottom=0)

    assert mask[0, 0, :5].tolist() == [63, 127, 191, 255, 255]


def test_edges_are_found_where_tones_meet_and_nowhere_else() -> None:
    picture = np.zeros((1, 40, 60, 3), dtype=np.uint8)
    picture[:, :, 30:] = 255

    (edges,) = run("Canny", image=picture, low_threshold=0.1, high_threshold=0.3)

    columns = np.nonzero(edges[0, :, :, 0].any(axis=0))[0]
    assert columns.min() >= 28
    assert columns.max() <= 31
    assert edges[0, 20].any()


@pytest.mark.parametrize(
    "node",
    [
        ("ImageBlur", {"blur_radius": 3, "sigma": 2.0}),
        ("ImageSharpen", {"sharpen_radius": 1, "sigma": 1.0, "alpha": 1.0}),
        ("ImageQuantize", {"colors": 4, "dither": "floyd-steinberg"}),
        ("ImageScaleBy", {"upscale_method": "bilinear", "scale_by": 1.0}),
    ],
    ids=lambda node: node[0],
)
def test_filters_leave_an_even_picture_as_it_is(node: tuple[str, dict[str, Any]]) -> None:
    (filtered,) = run(node[0], image=GREY, **node[1])

    assert np.array_equal(filtered, GREY)


def test_loras_add_their_strength() -> None:
    model, _ = run("LoraLoader", model=Model("a"), clip=Model("a"), lora_name="l",
                   strength_model=0.5, strength_clip=0.5)  # fmt: skip
    (model,) = run("LoraLoaderModelOnly", model=model, lora_name="l", strength_model=0.25)

    assert model.lora_strength == 0.75


def test_guide_counts_for_the_steps_it_is_applied() -> None:
    positive, negative = run(
        "ControlNetApplyAdvanced",
        positive=Conditioning("a"),
        negative=Conditioning("b"),
        control_net=Model("c"),
        image=GREY,
        strength=0.8,
        start_percent=0.25,
        end_percent=0.75,
    )

    assert positive.guides[0][1] == pytest.approx(0.4)
    assert negative.guides == ()


def test_what_was_encoded_comes_back_when_nothing_was_sampled() -> None:
    picture = np.full((1, 17, 26, 3), 9, dtype=np.uint8)

    (latent,) = run("VAEEncode", pixels=picture, vae=Model("v"))
    (decoded,) = run("VAEDecode", samples=latent, vae=Model("v"))

    assert decoded.shape == (1, 16, 24, 3)
    assert decoded.max() == 9


def test_latent_grows() -> None:
    (latent,) = run("EmptyLatentImage", width=64, height=32, batch_size=2)
    (grown,) = run("LatentUpscale", samples=latent, upscale_method="area", width=128, height=0,
                   crop="disabled")  # fmt: skip

    assert grown == LatentPicture(128, 64, 2)
