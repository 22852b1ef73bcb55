"""How large a graph's pictures become, as far as the graph tells."""

from typing import Any

import pytest

from generation.workflows import image_sizes
from generation.workflows.graph import Graph


def graph(**nodes: tuple[str, dict[str, Any]]) -> Graph:
    save = ("SaveImage", {"images": ["last", 0], "filename_prefix": "x"})
    named = {"save": save, **nodes}
    return {key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in named.items()}


def latent(width: object = 1024, height: object = 512, count: object = 1) -> tuple[str, Any]:
    return ("EmptyLatentImage", {"width": width, "height": height, "batch_size": count})


def last(of: Graph) -> tuple[int, int, int] | None:
    """Return what is known of the picture that is saved."""
    found = [size for size in image_sizes.sizes(of) if size.node_id == "save"]
    return (found[0].width_px, found[0].height_px, found[0].count) if found else None


def test_what_is_sampled_has_the_size_of_its_latent() -> None:
    of = graph(
        a=latent(count=4),
        b=("KSampler", {"latent_image": ["a", 0]}),
        last=("VAEDecode", {"samples": ["b", 0]}),
    )

    assert last(of) == (1024, 512, 4)


def test_a_fixed_size_is_known_whatever_is_scaled() -> None:
    of = graph(
        a=("LoadImage", {"image": "panel.png"}),
        last=("ImageScale", {"image": ["a", 0], "width": 1920, "height": 1080}),
    )

    assert last(of) == (1920, 1080, 1)


@pytest.mark.parametrize(
    ("node", "size"),
    [
        (("ImageScale", {"width": 2048, "height": 0}), (2048, 1024, 1)),
        (("ImageScale", {"width": 0, "height": 256}), (512, 256, 1)),
        (("ImageScaleBy", {"scale_by": 2.5}), (2560, 1280, 1)),
        (("RepeatImageBatch", {"amount": 3}), (1024, 512, 3)),
        (("ImageScaleToTotalPixels", {"megapixels": 4.0}), (2048, 2048, 1)),
        (("ImageInvert", {}), (1024, 512, 1)),
        (("ImageUpscaleWithModel", {}), None),
        (("ImageScaleBy", {"scale_by": ["a", 1]}), None),
    ],
)
def test_what_follows_a_known_size_is_known_where_the_node_tells(
    node: tuple[str, dict[str, Any]], size: tuple[int, int, int] | None
) -> None:
    kind, inputs = node
    made = {"width": 1024, "height": 512, "batch_size": 1}

    of = graph(a=("EmptyImage", made), last=(kind, {"image": ["a", 0], **inputs}))

    assert last(of) == size


def test_a_side_that_a_primitive_holds_is_known() -> None:
    of = graph(a=("PrimitiveInt", {"value": 640}), last=latent(["a", 0], ["a", 0]))

    assert last(of) == (640, 640, 1)


@pytest.mark.parametrize("side", [True, "64", -1, 2**40, None, float("nan")])
def test_a_side_that_is_none_is_not_known(side: object) -> None:
    assert last(graph(last=latent(side))) is None


def test_what_nothing_saved_depends_on_is_left_out() -> None:
    of = graph(last=latent(), other=("EmptyImage", {"width": 9, "height": 9}))

    assert {size.node_id for size in image_sizes.sizes(of)} == {"last", "save"}


def test_a_graph_that_turns_in_a_circle_tells_nothing() -> None:
    of = graph(last=("ImageScaleBy", {"image": ["last", 0], "scale_by": 2}))

    assert list(image_sizes.sizes(of)) == []
