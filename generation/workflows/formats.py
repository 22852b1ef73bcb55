"""The formats that a workflow comes in: API, the editor's, either one wrapped."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from generation.comfyui.untrusted_json import Json, as_mapping
from generation.workflows import editor
from generation.workflows import graph as graphs
from generation.workflows.definitions import Definitions
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.limits import DEFAULT, GraphLimits
from generation.workflows.remarks import Remark
from wording import say

#: Where programs and pictures keep the editor's document.
_WRAPPERS = (("workflow",), ("extra_data", "extra_pnginfo", "workflow"), ("input", "workflow"))


class Loaded(NamedTuple):
    """The graph of a file, and what the file holds beyond it: what a conversion has left out."""

    graph: Graph
    remarks: tuple[Remark, ...] = ()


def load(content: bytes, known: Sequence[Definitions], limits: GraphLimits = DEFAULT) -> Loaded:
    """Return the graph of a workflow file, converted from the editor's format if need be.

    `known` are the definitions of each server, tried in turn: only they tell the values of widgets
    apart. Where a file carries both formats, the API's counts.

    Raises GraphError with what is wrong.
    """
    document = graphs.parse(content, limits)
    unwrapped = graphs.unwrapped(document)
    editor_document = None if _is_graph(unwrapped) else _editor_document(document)
    if editor_document is None:
        return Loaded(graphs.checked(unwrapped, limits))
    converted = _converted(editor_document, known, limits)
    return Loaded(graphs.checked({**converted.graph}, limits), converted.remarks)


def document_of_texts(texts: Mapping[str, str], limits: GraphLimits = DEFAULT) -> bytes:
    """Return the document that the texts `prompt` and `workflow` of a picture make.

    What a server has added to the prompt that it executed (`is_changed`, which may be no number)
    is left out.

    Raises GraphError when there is none of them, or one is no JSON.
    """
    if not texts:
        raise GraphError(
            "no_workflow",
            say(
                "The picture carries no workflow: give one as ComfyUI saved it (a server "
                "that runs with --disable-metadata writes none), or the file that “Export "
                "(API)” under File saves."
            ),
        )
    document = {name: _without_changes(name, text) for name, text in texts.items()}
    try:
        content = json.dumps(document, allow_nan=False).encode()
    except ValueError:
        raise GraphError("not_finite", say("The workflow holds NaN, which is no number.")) from None
    graphs.parse(content, limits)
    return content


def _without_changes(name: str, text: str) -> Json:
    try:
        nodes = as_mapping(json.loads(text))
    except (ValueError, RecursionError) as error:
        detail = say(
            "The text “{name}” in the picture is not JSON: {error}", name=name, error=error
        )
        raise GraphError("not_json", detail) from error
    return {
        key: {k: v for k, v in as_mapping(node).items() if k != "is_changed"}
        if "class_type" in as_mapping(node)
        else node
        for key, node in nodes.items()
    }


def _is_graph(document: Json) -> bool:
    return any("class_type" in as_mapping(node) for node in document.values())


def _editor_document(document: Json) -> Json | None:
    if editor.is_document(document):
        return document
    for keys in _WRAPPERS:
        inner: object = document
        for key in keys:
            inner = as_mapping(inner).get(key)
        if editor.is_document(inner):
            return as_mapping(inner)
    return None


def _converted(
    document: Json, known: Sequence[Definitions], limits: GraphLimits
) -> editor.Conversion:
    """Convert with the first server's definitions that know every class; else say what lacks."""
    refused: GraphError | None = None
    for definitions in known:
        try:
            return editor.convert(document, definitions, limits.nodes)
        except GraphError as error:
            refused = refused or error
    raise refused or GraphError("ui_format", say("No server is known to convert it with."))
