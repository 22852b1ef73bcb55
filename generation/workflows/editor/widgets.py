"""The values of a node's widgets by name, from how the editor stores them: mostly by place."""

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from generation.comfyui.untrusted_json import as_list, as_mapping
from generation.workflows import dynamic_inputs
from generation.workflows.definitions import WIDGETS, Definitions
from generation.workflows.editor.scopes import EditorNode

#: What the editor does to a number after each run: a widget of its own, never sent.
_CONTROLS = frozenset({"fixed", "increment", "decrement", "randomize", "increment-wrap"})
_UPLOADS = ("image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload")
MISSING = object()


def widget_values(node: EditorNode, definitions: Definitions) -> dict[str, Any]:
    """Return the value of each widget of a node that is sent to a server.

    What the file does not hold has its default; what has none is left out.
    """
    definition = definitions.get(node.kind)
    stored = node.values
    named = as_mapping(node.properties.get("widgets_values_named"))
    given: dict[str, Any] = {**as_mapping(stored), **named}
    if not (named or isinstance(stored, dict)):
        given = _by_place(node, definition, as_list(stored))
    values = {
        one.name: given.get(one.name, _default(one.spec))
        for one in dynamic_inputs.inputs(definition, _known(node, given))
        if _is_widget(one.spec)
    }
    return {name: _literal(value) for name, value in values.items() if value is not MISSING}


def _known(node: EditorNode, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values on which inputs depend, and by name the inputs that are there anyway."""
    return ChainMap({**given}, _there(node))


def _there(node: EditorNode) -> dict[str, Any]:
    return {str(one.get("name")): None for one in node.inputs}


def _by_place(node: EditorNode, definition: object, stored: list[object]) -> dict[str, Any]:
    """Return the values of widgets, which stand in their order, without what the editor adds.

    A choice is known before the inputs that it brings: they stand behind it.
    """
    waiting = list(stored)
    given: dict[str, Any] = {}
    for name, spec, _ in dynamic_inputs.inputs(definition, ChainMap(given, _there(node))):
        if not _takes_place(spec, node, name):
            continue
        if not waiting:
            break
        value = waiting.pop(0)
        if value is not None:
            given[name] = value
        if waiting and _is_editors_own(waiting[0], spec):
            waiting.pop(0)
    return given


def _is_editors_own(value: object, spec: object) -> bool:
    """Tell whether the value stored after a widget's is the editor's: seed control, upload button.

    Such a value belongs to no widget of its own.
    """
    if not isinstance(value, str):
        return False
    is_flagged = bool(_options(spec).get("control_after_generate"))
    is_controlled = is_flagged or _kind(spec) in {"INT", "FLOAT"}
    return (value in _CONTROLS and is_controlled) or (value == "image" and _has_upload(spec))


def _takes_place(spec: object, node: EditorNode, name: str) -> bool:
    """Tell whether a widget has a place among the stored values."""
    if not _is_widget(spec):
        return False
    if not _options(spec).get("forceInput"):
        return True
    # Older editors kept a place for what was forced to be an input only where it is a widget.
    return any(as_mapping(one.get("widget")).get("name") == name for one in node.inputs)


def _kind(spec: object) -> str:
    parts = as_list(spec)
    kind = parts[0] if parts else ""
    return "COMBO" if isinstance(kind, list) else str(kind)


def _options(spec: object) -> Mapping[str, Any]:
    parts = as_list(spec)
    return as_mapping(parts[1]) if len(parts) > 1 else {}


def _is_widget(spec: object) -> bool:
    return _kind(spec) in WIDGETS


def _has_upload(spec: object) -> bool:
    return any(_options(spec).get(name) for name in _UPLOADS)


def _default(spec: object) -> object:
    """Return what a widget holds that nobody has touched; MISSING where it must be linked."""
    options = _options(spec)
    if options.get("forceInput"):
        return MISSING
    if "default" in options:
        return options["default"]
    parts = as_list(spec)
    choices = parts[0] if isinstance(parts[0], list) else options.get("options")
    if _kind(spec) == "COMBO":
        return choices[0] if isinstance(choices, list) and choices else MISSING
    return {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False}.get(_kind(spec), MISSING)


def _literal(value: object) -> object:
    """Return a value as it is sent: a list would be taken for a link."""
    return {"__value__": value} if isinstance(value, list) else value
