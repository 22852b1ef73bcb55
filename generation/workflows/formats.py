"""The formats that a workflow comes in: API, the editor's, either one wrapped."""

from collections.abc import Sequence

from generation.comfyui.untrusted_json import Json, mapping
from generation.workflows import editor
from generation.workflows import graph as graphs
from generation.workflows.definitions import Definitions
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph

#: Where programs and pictures keep the editor's document.
_WRAPPERS = (("workflow",), ("extra_data", "extra_pnginfo", "workflow"), ("input", "workflow"))


def load(content: bytes, known: Sequence[Definitions]) -> Graph:
    """Return the graph of a workflow file, converted from the editor's format if need be.

    `known` are the definitions of each server, tried in turn: only they tell the values of widgets
    apart. Where a file carries both formats, the API's counts.

    Raises GraphError with what is wrong.
    """
    document = graphs.parse(content)
    unwrapped = graphs.unwrapped(document)
    found = None if _is_graph(unwrapped) else _editor_document(document)
    return graphs.checked(unwrapped if found is None else _converted(found, known))


def _is_graph(document: Json) -> bool:
    return any("class_type" in mapping(node) for node in document.values())


def _editor_document(document: Json) -> Json | None:
    if editor.is_document(document):
        return document
    for keys in _WRAPPERS:
        inner: object = document
        for key in keys:
            inner = mapping(inner).get(key)
        if editor.is_document(inner):
            return mapping(inner)
    return None


def _converted(document: Json, known: Sequence[Definitions]) -> Json:
    """Convert with the first server's definitions that know every class; else say what lacks."""
    refused: GraphError | None = None
    for definitions in known:
        try:
            return {**editor.convert(document, definitions).graph}
        except GraphError as error:
            refused = refused or error
    raise refused or GraphError("ui_format", "No server is known to convert it with.")
