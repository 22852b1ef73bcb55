"""A workflow file in ComfyUI's API format: read, checked for its shape, hashed, searched.

A graph maps node ids to `{"class_type": …, "inputs": {name: value or link}, "_meta": {"title"}}`;
a link is `[node id, slot]`. Source: protocol.md §3.1, §15.
"""

import hashlib
import json
import math
from collections import deque
from collections.abc import Iterator
from typing import NotRequired, TypeAlias, TypedDict

from generation.comfyui.untrusted_json import Json, as_mapping
from generation.workflows.errors import GraphError
from generation.workflows.limits import DEFAULT, GraphLimits
from wording import say

__all__ = [
    "Graph",
    "GraphError",
    "Link",
    "Node",
    "ancestors",
    "checked",
    "link",
    "links",
    "load",
    "node_in_words",
    "ordered",
    "parse",
    "sha256",
    "title",
    "unwrapped",
]


#: Where the graph lies in what programs post and images carry.
_WRAPPERS = (("prompt",), ("workflow",), ("input", "workflow"), ("input", "prompt"))


class Meta(TypedDict, total=False):
    """What people call a node."""

    title: str


class Node(TypedDict):
    """One node: its class, what goes in, what people call it."""

    class_type: str
    inputs: Json
    _meta: NotRequired[Meta]


Graph: TypeAlias = dict[str, Node]
Link: TypeAlias = tuple[str, int]


def load(text: str | bytes) -> Graph:
    """Read a workflow file and check that it is a graph, wrapped or not: see `parse`, `checked`."""
    return checked(unwrapped(parse(text)))


def checked(document: Json, limits: GraphLimits = DEFAULT) -> Graph:
    """Return the graph that a document is: links lead to nodes, and nowhere in a circle.

    Only `class_type`, `inputs` and `_meta` of a node are kept: `is_changed`, which images carry,
    would stop the server from noticing new input files. Raises GraphError, with the code of what
    is wrong.
    """
    _refuse_other_formats(document, limits)
    graph = {node_id: _node(node_id, node) for node_id, node in document.items()}
    _check_texts(graph, limits)
    _check_links(graph)
    _check_cycles(graph)
    return graph


def ordered(graph: Graph) -> Graph:
    """Return the graph in the order in which every database gives it back.

    PostgreSQL keeps keys by their length, then by their bytes. What a graph means may depend on the
    order of its nodes where nothing else decides: so it means the same before and after.
    """
    return {
        node_id: {**graph[node_id], "inputs": _by_key(graph[node_id]["inputs"])}
        for node_id in sorted(graph, key=_key)
    }


def _by_key(inputs: Json) -> Json:
    return {name: inputs[name] for name in sorted(inputs, key=_key)}


def _key(name: str) -> tuple[int, bytes]:
    encoded = name.encode("utf-8", "surrogatepass")
    return len(encoded), encoded


def sha256(graph: Graph) -> str:
    """Return the hash of the graph, the same however its file was laid out."""
    canonical = json.dumps(graph, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def title(node: Node) -> str:
    """Return what people call the node; empty when it has no title."""
    return str(as_mapping(node.get("_meta")).get("title") or "").strip()


def node_in_words(node_id: str, node: Node) -> str:
    """Return how a message names a node: id, title where somebody gave it one, class."""
    own = title(node)
    quoted = f" “{own:.80}”" if own and own != node["class_type"] else ""
    return f"node {node_id}{quoted} ({node['class_type']})"


def link(value: object) -> Link | None:
    """Return where an input is linked to: node id and slot; None for a plain value."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    source, slot = value
    is_link = isinstance(source, str) and isinstance(slot, int) and not isinstance(slot, bool)
    return (source, slot) if is_link else None


def links(graph: Graph, node_id: str) -> dict[str, Link]:
    """Return the linked inputs of a node, in the order of the file."""
    by_input = {name: link(value) for name, value in graph[node_id]["inputs"].items()}
    return {name: target for name, target in by_input.items() if target}


def ancestors(graph: Graph, node_id: str, name: str | None = None) -> Iterator[str]:
    """Yield the nodes that a node depends on, nearest first; through its input `name` only."""
    first = links(graph, node_id)
    starts = [first[name]] if name in first else [] if name else list(first.values())
    waiting = deque(source for source, _ in starts)
    seen = set(waiting)
    while waiting:
        current = waiting.popleft()
        yield current
        sources = [source for source, _ in links(graph, current).values() if source not in seen]
        seen.update(sources)
        waiting.extend(dict.fromkeys(sources))


def parse(text: str | bytes, limits: GraphLimits = DEFAULT) -> Json:
    """Return the JSON object of a workflow file.

    Raises GraphError for what is no JSON, names a key twice, holds a number that is none, or is
    too large.
    """
    if len(text) > limits.graph_bytes:
        size = f"{len(text):,}"
        most = f"{limits.graph_bytes:,}"
        raise GraphError(
            "too_large",
            say("The workflow has {size} bytes; {most} are allowed.", size=size, most=most),
        )
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(
            decoded,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise GraphError(
            "not_json", say("The workflow file is not JSON: {error}", error=error)
        ) from error
    if not isinstance(document, dict):
        raise GraphError("not_a_graph", say("The workflow file holds no JSON object of nodes."))
    return document


def _refuse_constant(name: str) -> float:
    raise GraphError("not_finite", say("The workflow holds {name}, which is no number.", name=name))


def _parse_float(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse_constant(number)


def _unique(pairs: list[tuple[str, object]]) -> Json:
    unique: Json = {}
    for name, value in pairs:
        if name in unique:
            raise GraphError(
                "twice", say("The workflow names {name!r} twice in one object.", name=name)
            )
        unique[name] = value
    return unique


def unwrapped(document: Json) -> Json:
    """Return the graph within what others put around it: `prompt`, `workflow`, `input.workflow`."""
    inner = document
    for keys in _WRAPPERS:
        found: object = document
        for key in keys:
            found = as_mapping(found).get(key)
        if _holds_nodes(found):
            inner = as_mapping(found)
            break
    return inner if not _holds_nodes(document) else document


def _holds_nodes(value: object) -> bool:
    nodes = as_mapping(value)
    return any("class_type" in as_mapping(node) for node in nodes.values())


def _refuse_other_formats(document: Json, limits: GraphLimits) -> None:
    if isinstance(document.get("nodes"), list) and "links" in document:
        raise GraphError(
            "ui_format",
            say(
                "The workflow is in the format of ComfyUI's editor: save it again with "
                "“Export (API)”, which is under File."
            ),
        )
    if not document:
        raise GraphError("empty", say("The workflow has no nodes."))
    if len(document) > limits.nodes:
        size = f"{len(document):,}"
        raise GraphError(
            "too_large",
            say(
                "The workflow has {size} nodes; {nodes:,} are allowed.",
                size=size,
                nodes=limits.nodes,
            ),
        )


def _node(node_id: str, node: object) -> Node:
    fields = as_mapping(node)
    class_type, inputs, meta = fields.get("class_type"), fields.get("inputs"), fields.get("_meta")
    if not isinstance(class_type, str) or not class_type:
        raise GraphError(
            "no_class", say("Node {node_id} names no class (class_type).", node_id=node_id), node_id
        )
    if not isinstance(inputs, dict):
        raise GraphError(
            "no_inputs",
            say(
                "Node {node_id} ({class_type}) has no inputs.",
                node_id=node_id,
                class_type=class_type,
            ),
            node_id,
        )
    kept = Node(class_type=class_type, inputs=inputs)
    name = as_mapping(meta).get("title")
    if isinstance(name, str):
        kept["_meta"] = Meta(title=name)
    return kept


def _check_texts(graph: Graph, limits: GraphLimits) -> None:
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if isinstance(value, str) and len(value) > limits.text_characters:
                most = f"{limits.text_characters:,}"
                node_words = node_in_words(node_id, node)
                detail = f"{name} of {node_words} has {len(value):,} characters; {most}"
                raise GraphError(
                    "text_too_long", say("{detail} are allowed.", detail=detail), node_id
                )


def _check_links(graph: Graph) -> None:
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                where = f"{node['class_type']}.{name}"
                _check_link(graph, where, node_id, value, link(value))


def _check_link(
    graph: Graph, where: str, node_id: str, value: list[object], target: Link | None
) -> None:
    if target is None and not _is_meant_as_link(value):
        return
    if target is None or target[1] < 0:
        raise GraphError(
            "bad_link",
            say(
                "{where} of node {node_id} is a list that is no link.", where=where, node_id=node_id
            ),
            node_id,
        )
    if target[0] not in graph:
        raise GraphError(
            "dangling_link",
            say(
                "{where} of node {node_id} is linked to node {target}, which does not exist.",
                where=where,
                node_id=node_id,
                target=target[0],
            ),
            node_id,
        )


def _is_meant_as_link(value: list[object]) -> bool:
    """Tell a broken link from a list that is a value: a link has a node and a slot."""
    return len(value) == 2 and all(isinstance(part, str | int) for part in value)


def _check_cycles(graph: Graph) -> None:
    """Take away, again and again, the nodes that depend on nothing left; a cycle remains."""
    waiting = {
        node_id: {source for source, _ in links(graph, node_id).values()} for node_id in graph
    }
    dependents: dict[str, list[str]] = {node_id: [] for node_id in graph}
    for node_id, sources in waiting.items():
        for source in sources:
            dependents[source].append(node_id)
    free = [node_id for node_id, sources in waiting.items() if not sources]
    while free:
        done = free.pop()
        del waiting[done]
        for node_id in dependents[done]:
            waiting[node_id].discard(done)
            if not waiting[node_id]:
                free.append(node_id)
    if waiting:
        names = ", ".join(sorted(waiting, key=lambda name: (len(name), name)))
        raise GraphError(
            "cycle", say("Some of the nodes {names} depend on their own output.", names=names)
        )
