"""The texts that steer a sampling, on its positive and on its negative side."""

from collections.abc import Iterator

from generation.workflows.graph import Link
from generation.workflows.sampling import Sampling
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import text_sources

_NAMED_TEXTS = frozenset({"text", "prompt", "clip_l", "clip_g", "t5xxl", "llama", "tags", "lyrics"})
_NEGATIVE_NAMES = ("negative", "neg")
#: Conditioning that holds no text any more, whatever it was made from.
_WITHOUT_TEXT = frozenset({"ConditioningZeroOut"})


def conditioning_links(view: GraphView, sampling: Sampling, *, negative: bool) -> list[Link]:
    """Return the conditionings that a sampling takes on one of its sides."""
    links = [
        (name, at)
        for node_id in sampling.nodes
        for name, at in view.links_of(node_id, "CONDITIONING").items()
    ]
    return [at for name, at in links if _is_negative(name) is negative]


def conditioning_nodes(view: GraphView, starts: list[Link]) -> Iterator[tuple[str, int]]:
    """Yield the nodes `(id, slot)` that conditionings are made by, the last to act first."""
    waiting, seen = list(starts), set(starts)
    while waiting:
        node_id, slot = waiting.pop(0)
        yield node_id, slot
        if view.class_of(node_id) in _WITHOUT_TEXT:
            continue
        new = [at for at in _conditionings(view, node_id, slot) if at not in seen]
        seen.update(new)
        waiting.extend(new)


def side_texts(view: GraphView, sampling: Sampling) -> tuple[list[Target], list[Target]]:
    """Return the inputs that hold the texts of a sampling's positive and of its negative side.

    A negative made from the positive one, by zeroing it, is no text of its own; a guider's second
    condition that stands on the negative's text has none either.
    """
    conditionings = conditioning_links(view, sampling, negative=False)
    positive = texts(view, conditionings[:1])
    against = [at for at in conditionings[1:] if _is_negative(view.output_name(at))]
    own = texts(view, [*conditioning_links(view, sampling, negative=True), *against])
    negative = [text for text in own if text not in positive]
    others = texts(view, [at for at in conditionings[1:] if at not in against])
    return positive + [t for t in others if t not in positive and t not in negative], negative


def texts(view: GraphView, starts: list[Link]) -> list[Target]:
    """Return the inputs that hold the texts of conditionings, in their order."""
    pieces = [
        piece
        for node_id, slot in conditioning_nodes(view, starts)
        if view.class_of(node_id) not in _WITHOUT_TEXT
        for name in _text_inputs(view, node_id, slot)
        for piece in text_sources(view, (node_id, name))
    ]
    return list(dict.fromkeys(pieces))


def _conditionings(view: GraphView, node_id: str, slot: int) -> list[Link]:
    """Return what a slot is made of: a node of two sides keeps them apart."""
    linked = view.links_of(node_id, "CONDITIONING")
    sides = {_is_negative(name) for name in linked}
    if sides != {True, False} or "positive" not in linked:
        return list(linked.values())
    wanted = _is_negative(view.output_name((node_id, slot)).lower() or ("", "negative")[slot == 1])
    return [at for name, at in linked.items() if _is_negative(name) is wanted]


def _text_inputs(view: GraphView, node_id: str, slot: int) -> list[str]:
    """Return the inputs of an encoder that hold its text; of two sides only the slot's own."""
    inputs = view.graph[node_id]["inputs"]
    names = [name for name in view.specs(node_id) if name in inputs]
    names += [name for name in inputs if name not in names]
    text_inputs = [name for name in names if _holds_text(view, (node_id, name))]
    sides = {_is_negative(name) for name in text_inputs}
    if sides != {True, False}:
        return text_inputs
    wanted = _is_negative(view.output_name((node_id, slot)).lower() or ("", "negative")[slot == 1])
    return [name for name in text_inputs if _is_negative(name) is wanted]


def _holds_text(view: GraphView, target: Target) -> bool:
    """Tell whether an input takes a prompt: any text of an encoder, only a named one elsewhere."""
    spec = view.spec(target)
    if spec is not None and spec.kind != "STRING":
        return False
    name = target[1].lower()
    is_named = (
        name in _NAMED_TEXTS or name.startswith(("text", "prompt")) or name.endswith("prompt")
    )
    is_encoder = spec is not None and not view.links_of(target[0], "CONDITIONING")
    value = view.graph[target[0]]["inputs"][target[1]]
    return (is_named or is_encoder) and isinstance(value, str | list)


def _is_negative(name: str) -> bool:
    return name.lower().startswith(_NEGATIVE_NAMES) or name.lower().endswith("negative")
