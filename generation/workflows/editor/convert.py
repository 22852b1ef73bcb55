"""A document of the editor, converted: every node that is executed, with values and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.comfyui.untrusted_json import Json, as_list, as_mapping
from generation.workflows.definitions import Definitions
from generation.workflows.editor import scopes, sources
from generation.workflows.editor.scopes import BYPASSED, MUTED, EditorNode, Scope
from generation.workflows.editor.sources import VIRTUAL, Slot, Value
from generation.workflows.editor.widgets import widget_values
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph, Meta, Node, node_in_words
from generation.workflows.limits import DEFAULT
from generation.workflows.remarks import Remark
from wording import say


@dataclass(frozen=True)
class Conversion:
    """The graph of a document, not yet checked, and what of the document is not in it."""

    graph: Graph
    remarks: tuple[Remark, ...]


def is_document(value: object) -> bool:
    """Tell whether a JSON value is in the editor's format."""
    return isinstance(as_mapping(value).get("nodes"), list)


def convert(
    document: Mapping[str, Any], definitions: Definitions, nodes_max: int = DEFAULT.nodes
) -> Conversion:
    """Return the graph that the editor's page would export of a document, and what it leaves out.

    Texts stay as they are written: `{a|b}` and `%tokens%` are resolved by nobody, which the
    contract tells (`frontend_substitutions`). Raises GraphError, with the node, for what cannot be
    converted.
    """
    converter = _Converter(definitions, nodes_max)
    converter.add(scopes.read(document, nodes_max))
    converter.drop_links_to_nothing()
    return Conversion(converter.graph, tuple(converter.remarks))


class _Converter:
    """Adds the nodes of a document, level by level, and notes what it leaves out."""

    def __init__(self, definitions: Definitions, nodes_max: int) -> None:
        self.graph: Graph = {}
        self.remarks: list[Remark] = []
        self._definitions = definitions
        self._nodes_max = nodes_max

    def add(self, scope: Scope) -> None:
        """Add the nodes of a level, and those within its subgraphs."""
        for node in scope.nodes.values():
            if node.kind in VIRTUAL:
                continue
            if node.mode in {MUTED, BYPASSED}:
                self.remarks.append(_left_out(scope, node))
            elif (inner := scope.inside(node)) is not None:
                self.add(inner)
            else:
                self._add_executed(scope, node)

    def _add_executed(self, scope: Scope, node: EditorNode) -> None:
        if len(self.graph) >= self._nodes_max:
            detail = say(
                "With its subgraphs the workflow has more than {nodes_max:,} nodes.",
                nodes_max=self._nodes_max,
            )
            raise GraphError("too_large", detail)
        _refuse_unknown(scope, node, self._definitions)
        inputs: Json = widget_values(node, self._definitions) | _proxied(scope, node)
        for slot, given in enumerate(node.inputs):
            name = str(given.get("name", ""))
            wire = scope.into(node, slot)
            source = sources.source_of(scope, wire)
            if isinstance(source, Slot):
                inputs[name] = [source.node_id, source.slot]
            elif isinstance(source, Value):
                inputs[name] = source.value
            elif source is None and wire is not None:
                remark = _unlinked(*_called(scope, node), name, has_value=name in inputs)
                self.remarks.append(remark)
        meta = Meta(title=node.title or _display_name(self._definitions, node.kind))
        executed = Node(class_type=node.kind, inputs=inputs, _meta=meta)
        self.graph[scope.flat_id(node.node_id)] = executed

    def drop_links_to_nothing(self) -> None:
        """Take out the links to nodes that a server does not execute; values always stay."""
        for node_id, node in self.graph.items():
            gone = [name for name, value in node["inputs"].items() if self._leads_nowhere(value)]
            for name in gone:
                del node["inputs"][name]
                self.remarks.append(_unlinked(node_id, node_in_words(node_id, node), name))

    def _leads_nowhere(self, value: object) -> bool:
        return isinstance(value, list) and str(value[0]) not in self.graph


def _left_out(scope: Scope, node: EditorNode) -> Remark:
    node_id, name = _called(scope, node)
    if node.mode == MUTED:
        return Remark(
            "muted", say("In the editor {name} is muted: it is left out.", name=name), node_id
        )
    detail = say(
        "In the editor {name} is bypassed: it is left out, and what it is given "
        "goes on to what follows it where the types fit.",
        name=name,
    )
    return Remark("bypassed", detail, node_id)


def _called(scope: Scope, node: EditorNode) -> tuple[str, str]:
    """Return a node's id in the whole graph, and how a message names it."""
    node_id = scope.flat_id(node.node_id)
    kind = "subgraph" if node.kind in scope.subgraphs else node.kind
    return node_id, node_in_words(
        node_id, Node(class_type=kind, inputs={}, _meta=Meta(title=node.title))
    )


def _unlinked(node_id: str, name: str, input_name: str, *, has_value: bool = False) -> Remark:
    follows = say("has the value of its own widget") if has_value else say("stays unlinked")
    detail = say(
        "{input_name} of {name} is linked to nothing that is executed: it {follows}.",
        input_name=input_name,
        name=name,
        follows=follows,
    )
    return Remark("link_dropped", detail, node_id)


def _refuse_unknown(scope: Scope, node: EditorNode, definitions: Definitions) -> None:
    where = f"node {scope.flat_id(node.node_id)}" + (f" “{node.title}”" if node.title else "")
    if node.kind.startswith(("workflow>", "workflow/")):
        detail = say(
            "{where} is an old group node: open it in ComfyUI, unpack it, and save again.",
            where=where,
        )
        raise GraphError("group_node", detail, scope.flat_id(node.node_id))
    if node.kind not in definitions:
        detail = say(
            "{where} is of the class {kind}, which no server has told of: its values "
            "cannot be told apart. Connect a server that has it, or export the "
            "workflow with “Export (API)”.",
            where=where,
            kind=node.kind,
        )
        raise GraphError("unknown_class", detail, scope.flat_id(node.node_id))


def _proxied(scope: Scope, node: EditorNode) -> Json:
    """Return the values that instances around a node give its widgets, the outermost winning."""
    values: Json = {}
    level, path = scope, [node.node_id]
    while level.owner is not None and level.parent is not None:
        values |= _proxied_by(level.owner, ":".join(path))
        path.insert(0, level.owner.node_id)
        level = level.parent
    return values


def _proxied_by(owner: EditorNode, path: str) -> Json:
    """Return what an instance's list of promoted widgets gives a node inside it."""
    listed_widgets = [as_list(one) for one in as_list(owner.properties.get("proxyWidgets"))]
    values = as_list(owner.values)
    pairs = zip(listed_widgets, values, strict=False)
    return {
        str(one[1]): value
        for one, value in pairs
        if len(one) >= 2 and str(one[0]) == path and value is not None
    }


def _display_name(definitions: Definitions, kind: str) -> str:
    return str(as_mapping(definitions.get(kind)).get("display_name") or kind)
