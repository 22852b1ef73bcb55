"""A document of the editor, converted: every node that is executed, with values and links."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from generation.comfyui.untrusted_json import Json, listed, mapping
from generation.workflows.definitions import Definitions
from generation.workflows.editor import scopes, sources
from generation.workflows.editor.scopes import BYPASSED, MUTED, EditorNode, Scope
from generation.workflows.editor.sources import VIRTUAL, Slot, Value
from generation.workflows.editor.widgets import widget_values
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph, Meta, Node
from generation.workflows.limits import DEFAULT


def is_document(value: object) -> bool:
    """Tell whether a JSON value is in the editor's format."""
    return isinstance(mapping(value).get("nodes"), list)


def convert(
    document: Mapping[str, Any], definitions: Definitions, nodes_max: int = DEFAULT.nodes
) -> Graph:
    """Return the graph, not yet checked, that the editor's page would export of a document.

    Texts stay as they are written: `{a|b}` and `%tokens%` are resolved by nobody, which the
    contract tells (`page_texts`). Raises GraphError, with the node, for what cannot be converted.
    """
    found = list(islice(_emitted(scopes.read(document, nodes_max), definitions), nodes_max + 1))
    if len(found) > nodes_max:
        detail = f"With its subgraphs the workflow has more than {nodes_max:,} nodes."
        raise GraphError("too_large", detail)
    graph: Graph = dict(found)
    for node in graph.values():
        node["inputs"] = {
            name: value for name, value in node["inputs"].items() if _is_there(value, graph)
        }
    return graph


def _emitted(scope: Scope, definitions: Definitions) -> Iterator[tuple[str, Node]]:
    for node in scope.nodes.values():
        if node.mode in {MUTED, BYPASSED} or node.kind in VIRTUAL:
            continue
        inner = scope.inside(node)
        if inner is not None:
            yield from _emitted(inner, definitions)
        else:
            yield scope.flat_id(node.node_id), _executed(scope, node, definitions)


def _executed(scope: Scope, node: EditorNode, definitions: Definitions) -> Node:
    _refuse_unknown(scope, node, definitions)
    inputs: Json = widget_values(node, definitions) | _proxied(scope, node)
    for slot, given in enumerate(node.inputs):
        name = str(given.get("name", ""))
        source = sources.source_of(scope, scope.into(node, slot))
        if isinstance(source, Slot):
            inputs[name] = [source.node_id, source.slot]
        elif isinstance(source, Value):
            inputs[name] = source.value
    called = node.title or _display_name(definitions, node.kind)
    return Node(class_type=node.kind, inputs=inputs, _meta=Meta(title=called))


def _refuse_unknown(scope: Scope, node: EditorNode, definitions: Definitions) -> None:
    where = f"node {scope.flat_id(node.node_id)}" + (f" “{node.title}”" if node.title else "")
    if node.kind.startswith(("workflow>", "workflow/")):
        detail = f"{where} is an old group node: open it in ComfyUI, unpack it, and save again."
        raise GraphError("group_node", detail, scope.flat_id(node.node_id))
    if node.kind not in definitions:
        detail = (
            f"{where} is of the class {node.kind}, which no server has told of: its values cannot"
            " be told apart. Connect a server that has it, or export the workflow with"
            " “Export (API)”."
        )
        raise GraphError("unknown_class", detail, scope.flat_id(node.node_id))


def _proxied(scope: Scope, node: EditorNode) -> Json:
    """Return the values that instances around a node give its widgets, the outermost winning."""
    found: Json = {}
    level, path = scope, [node.node_id]
    while level.owner is not None and level.parent is not None:
        found |= _proxied_by(level.owner, ":".join(path))
        path.insert(0, level.owner.node_id)
        level = level.parent
    return found


def _proxied_by(owner: EditorNode, path: str) -> Json:
    """Return what an instance's list of promoted widgets gives a node inside it."""
    listed_widgets = [listed(one) for one in listed(owner.properties.get("proxyWidgets"))]
    values = listed(owner.values)
    pairs = zip(listed_widgets, values, strict=False)
    return {
        str(one[1]): value
        for one, value in pairs
        if len(one) >= 2 and str(one[0]) == path and value is not None
    }


def _is_there(value: object, graph: Graph) -> bool:
    """Tell whether a link leads to a node that is executed; values always stay."""
    return not isinstance(value, list) or str(value[0]) in graph


def _display_name(definitions: Definitions, kind: str) -> str:
    return str(mapping(definitions.get(kind)).get("display_name") or kind)
