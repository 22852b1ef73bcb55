"""What an input of a node gets: the slot of a node that a server executes, or a value."""

from dataclasses import dataclass
from typing import Any

from generation.comfyui.untrusted_json import as_list, as_mapping
from generation.workflows.editor.scopes import BYPASSED, INSIDE, MUTED, EditorNode, Scope, Wire
from generation.workflows.errors import GraphError
from wording import say

_ANY = frozenset({"*", "", "0"})
_GETTERS, _SETTERS = frozenset({"GetNode"}), frozenset({"SetNode"})
_PRIMITIVE, _REROUTE = "PrimitiveNode", "Reroute"
VIRTUAL = frozenset({_PRIMITIVE, _REROUTE, "Note", "MarkdownNote"}) | _GETTERS | _SETTERS
_STEPS_MAX = 10_000


@dataclass(frozen=True)
class Slot:
    """The output of a node that is executed: its id in the whole graph, and the slot."""

    node_id: str
    slot: int


@dataclass(frozen=True)
class Value:
    """A value that stands for a link: a primitive's, or a promoted widget's."""

    value: Any


@dataclass(frozen=True)
class Unlinked:
    """What an instance of a subgraph leaves unlinked: nothing is missing there."""


Source = Slot | Value | Unlinked | None


def source_of(scope: Scope, wire: Wire | None) -> Source:
    """Return what a link brings; None where what it leads to is gone: muted, dangling, bypassed.

    Raises GraphError when links lead in a circle.
    """
    at: tuple[Scope, Wire] | Source = (scope, wire) if wire else None
    for _ in range(_STEPS_MAX):
        if not isinstance(at, tuple):
            return at
        at = _step(*at)
    raise GraphError("cycle", say("Links of the workflow lead in a circle."))


def _step(scope: Scope, wire: Wire) -> "tuple[Scope, Wire] | Source":
    """Follow a link by one node that only hands it on."""
    if wire.origin == INSIDE:
        return _from_outside(scope, wire.origin_slot)
    node = scope.nodes.get(wire.origin)
    if node is None or node.mode == MUTED:
        return None
    inner = scope.inside(node)
    if node.mode == BYPASSED and node.kind != _REROUTE:
        return _onward(scope, node, _bypassed_slot(node, wire.origin_slot))
    if inner is not None:
        leaving = inner.out_of(wire.origin_slot)
        return (inner, leaving) if leaving else None
    if node.kind == _REROUTE:
        return _onward(scope, node, 0)
    if node.kind == _PRIMITIVE:
        values = as_list(node.values)
        return Value(values[0]) if values else None
    if node.kind in _GETTERS:
        return _from_setter(scope, node)
    if node.kind in _SETTERS:
        return _onward(scope, node, 0)
    return Slot(scope.flat_id(node.node_id), wire.origin_slot)


def _onward(scope: Scope, node: EditorNode, slot: int | None) -> "tuple[Scope, Wire] | None":
    wire = None if slot is None else scope.into(node, slot)
    return (scope, wire) if wire else None


def _from_outside(scope: Scope, slot: int) -> "tuple[Scope, Wire] | Source":
    """Return what an instance of a subgraph gets at one of its inputs: a link, or its widget."""
    owner, parent = scope.owner, scope.parent
    if owner is None or parent is None:
        return None
    name = _input_name(scope, slot)
    places = [place for place, one in enumerate(owner.inputs) if one.get("name") == name]
    wire = parent.into(owner, places[0]) if places else None
    if wire is not None:
        return parent, wire
    return _promoted(scope, owner, slot, places) or Unlinked()


def _definition_inputs(scope: Scope) -> list[object]:
    definition = as_mapping(scope.subgraphs.get(scope.owner.kind)) if scope.owner else {}
    return as_list(definition.get("inputs"))


def _input_name(scope: Scope, slot: int) -> str | None:
    inputs = _definition_inputs(scope)
    return str(as_mapping(inputs[slot]).get("name")) if slot < len(inputs) else None


def _promoted(scope: Scope, owner: EditorNode, slot: int, places: list[int]) -> Value | None:
    """Return the value of an instance's own widget; None where it has none there.

    Its values stand in the order of the widgets that the subgraph promotes; where the file has
    another number of them, in the order of those that the instance lists.
    """
    values = as_list(owner.values)
    order = _promoted_slots(scope)
    index = order.index(slot) if slot in order else None
    if len(order) != len(values) and places:
        own = [number for number, one in enumerate(owner.inputs) if as_mapping(one.get("widget"))]
        index = own.index(places[0]) if places[0] in own else None
    is_given = index is not None and index < len(values) and values[index] is not None
    return Value(values[index]) if is_given and index is not None else None


def _promoted_slots(scope: Scope) -> list[int]:
    """Return the inputs of a subgraph that lead to widgets inside, in their order."""
    leading = {
        wire.origin_slot
        for wire in scope.wires.values()
        if wire.origin == INSIDE and _is_widget(scope, wire)
    }
    return [slot for slot in range(len(_definition_inputs(scope))) if slot in leading]


def _is_widget(scope: Scope, wire: Wire) -> bool:
    node = scope.nodes.get(wire.target)
    is_there = node is not None and wire.target_slot < len(node.inputs)
    return bool(is_there and node and as_mapping(node.inputs[wire.target_slot].get("widget")))


def _bypassed_slot(node: EditorNode, slot: int) -> int | None:
    """Return the input that a bypassed node hands on: the one beside the output, or of its type."""
    wanted = str(node.outputs[slot].get("type", "")) if slot < len(node.outputs) else ""
    kinds = [str(one.get("type", "")) for one in node.inputs]
    order = [slot, *(place for place in range(len(kinds)) if place != slot)]
    places = [place for place in order if place < len(kinds)]
    exact = [place for place in places if kinds[place] == wanted]
    if exact:
        return exact[0]
    fitting = [place for place in places if kinds[place] in _ANY or wanted in _ANY]
    return fitting[0] if fitting else None


def _from_setter(scope: Scope, getter: EditorNode) -> "tuple[Scope, Wire] | None":
    """Return what the SetNode of the same name is given, here or around."""
    name = next(iter(as_list(getter.values)), None)
    level: Scope | None = scope
    while level is not None:
        for node in level.nodes.values():
            if node.kind in _SETTERS and next(iter(as_list(node.values)), None) == name:
                return _onward(level, node, 0) if node.mode != MUTED else None
        level = level.parent
    return None
