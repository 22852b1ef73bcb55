"""The size that a graph's picture gets, and the sizes on its way that follow it."""

from collections.abc import Iterator, Sequence

from generation.workflows.parameter_naming import Names
from generation.workflows.sampling import Sampling
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import value_source

Sides = tuple[Target, Target]
_SIDES = ("width", "height")
_TARGET_SIDES = ("target_width", "target_height")


def add_size(names: Names, result: str, stages: Sequence[Sampling]) -> None:
    """Add `width` and `height`: of the last scaling to a size, else of what is sampled from.

    What is scaled to a size between two samplings keeps its ratio to the first; models and
    prompts that are told the size are told the same.
    """
    view = names.view
    final = _final_scale(view, result, stages)
    if final:
        _share(names, final)
        return
    latents = [sides for stage in stages for sides in _empty_latents(view, stage)]
    for sides in latents:
        _share(names, sides)
    if latents:
        _follow(names, latents[0], stages)


def _share(names: Names, sides: Sides) -> None:
    names.share("width", [sides[0]])
    names.share("height", [sides[1]])


def _final_scale(view: GraphView, result: str, stages: Sequence[Sampling]) -> Sides | None:
    """Return the nearest scaling to a fixed size between the last sampling and the result."""
    before = {node for stage in stages for node in (*stage.nodes, *view.ancestors(stage.node_id))}
    for node_id in view.ancestors(result):
        if node_id not in before and view.links_of(node_id, "IMAGE"):
            sides = _sides(view, node_id, _SIDES)
            if sides and view.class_of(node_id).startswith("ImageScale"):
                return sides
    return None


def _empty_latents(view: GraphView, stage: Sampling) -> Iterator[Sides]:
    """Yield the sizes of the latents that a sampling begins from and that are made of nothing."""
    for node_id in view.chain(stage.node_id, "LATENT"):
        linked = view.links(node_id)
        kinds = {view.type_of(node_id, name, at) for name, at in linked.items()}
        sides = _sides(view, node_id, _SIDES)
        if sides and not kinds & {"LATENT", "IMAGE"}:
            yield sides


def _follow(names: Names, first: Sides, stages: Sequence[Sampling]) -> None:
    view = names.view
    for stage in stages:
        for node_id in view.ancestors(stage.node_id):
            for sides in _all_sides(view, node_id):
                _follow_sides(names, node_id, sides, first)


def _follow_sides(names: Names, node_id: str, sides: Sides, first: Sides) -> None:
    view = names.view
    if _scales(view, node_id):
        for side, leader in zip(sides, first, strict=True):
            names.move(side, leader)
    elif [view.value(side) for side in sides] == [view.value(side) for side in first]:
        _share(names, sides)


def _scales(view: GraphView, node_id: str) -> bool:
    """Tell whether a node scales what was sampled: a latent, or a picture of one."""
    linked = view.links(node_id)
    kinds = {view.type_of(node_id, name, at) for name, at in linked.items()}
    return bool(kinds & {"LATENT", "IMAGE"}) and _comes_from_latent(view, node_id)


def _comes_from_latent(view: GraphView, node_id: str) -> bool:
    return any(
        "LATENT" in view.outputs(source) and not view.links_of(source, "IMAGE")
        for source in view.ancestors(node_id)
    )


def _all_sides(view: GraphView, node_id: str) -> Iterator[Sides]:
    for names in (_SIDES, _TARGET_SIDES):
        sides = _sides(view, node_id, names)
        if sides:
            yield sides


def _sides(view: GraphView, node_id: str, names: tuple[str, str]) -> Sides | None:
    width, height = (value_source(view, (node_id, name)) for name in names)
    if width is None or height is None or not view.value(width) or not view.value(height):
        return None
    return width, height
