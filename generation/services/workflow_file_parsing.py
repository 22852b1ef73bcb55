"""The file of a workflow, whatever its format: read within bounds, and turned into a graph."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from generation import image_decoding
from generation.comfyui.untrusted_json import is_storable, storable
from generation.decoding import workflow_texts
from generation.examined_images import UnreadableImage
from generation.services import workflow_restoration
from generation.workflows import formats
from generation.workflows import graph as graphs
from generation.workflows.graph import Graph, GraphError
from generation.workflows.limits import GraphLimits
from generation.workflows.remarks import Remark
from wording import say

Definitions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ReadFile:
    """What a file holds: its text as it came, and the graph in it or why there is none.

    `remarks` say what of an editor's document is not in its graph.
    """

    document: str
    graph: Graph | None
    error: GraphError | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def sha256(self) -> str:
        """The graph's hash; empty without one."""
        return graphs.sha256(self.graph) if self.graph else ""


def limits() -> GraphLimits:
    """Return the settings' limits."""
    return GraphLimits(
        nodes=settings.MADSEA_GRAPH_MAX_NODES,
        graph_bytes=settings.MADSEA_GRAPH_MAX_BYTES,
        text_characters=settings.MADSEA_TEXT_MAX_CHARACTERS,
    )


def read(content: bytes, known: Definitions) -> ReadFile:
    """Return what a file holds; `known` are the definitions that the editor's format needs.

    Of a picture that ComfyUI saved it is what is written in it.

    Raises:
        Busy: it is a picture, and too much is being decoded just now.
    """
    try:
        written = _of_picture(content) if workflow_texts.is_picture(content) else content
    except GraphError as error:
        return ReadFile("", None, error)
    document = _text(written[: limits().graph_bytes + 1])
    try:
        loaded = formats.load(written, known, limits())
        return ReadFile(document, _graph(loaded.graph), remarks=loaded.remarks)
    except GraphError as error:
        return ReadFile(document, None, error)


def _of_picture(content: bytes) -> bytes:
    """Return the document in a picture, which is read by a child process."""
    bounds = limits()
    try:
        texts = image_decoding.workflow_texts(content, most_bytes=bounds.graph_bytes)
    except UnreadableImage as error:
        raise GraphError(error.code, error.detail) from error
    return formats.document_of_texts(texts, bounds)


def _graph(loaded: Graph) -> Graph:
    graph = graphs.ordered(workflow_restoration.turned_back(loaded))
    text = json.dumps(graph, ensure_ascii=False)
    if not is_storable(text) or "\\u0000" in text:
        raise GraphError("bad_text", say("It holds characters that are no text."))
    return graph


def _text(content: bytes) -> str:
    return storable(content.decode("utf-8-sig", "replace")).replace("\0", "\ufffd")
