"""Nodes and links of a document: its own, and those within each instance of a subgraph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.comfyui.untrusted_json import as_list, as_mapping
from generation.workflows.errors import GraphError
from generation.workflows.limits import DEFAULT
from wording import say

#: The nodes that stand for what goes into a subgraph and what comes out of it.
INSIDE, OUTSIDE = "-10", "-20"
ALWAYS, MUTED, BYPASSED = 0, 2, 4
#: How deep subgraphs may lie in each other.
DEPTH_MAX = 32


@dataclass(frozen=True)
class Wire:
    """One link: from which slot of which node, into which slot of which."""

    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True)
class EditorNode:
    """One node as the editor keeps it; `inputs` with `name`, `type`, `link`, perhaps `widget`."""

    node_id: str
    kind: str
    mode: int
    title: str
    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]
    values: object
    properties: Mapping[str, Any]


@dataclass
class Scope:
    """One level of a document; `owner` and `parent` are the instance and where it stands."""

    path: str
    nodes: dict[str, EditorNode]
    wires: dict[str, Wire]
    subgraphs: Mapping[str, Mapping[str, Any]]
    parent: "Scope | None" = None
    owner: EditorNode | None = None
    children: dict[str, "Scope"] = field(default_factory=dict)

    def flat_id(self, node_id: str) -> str:
        """Return the id of a node in the whole graph: `outer:inner`."""
        return f"{self.path}{node_id}"

    def into(self, node: EditorNode, slot: int) -> Wire | None:
        """Return the link into a slot of a node."""
        if not 0 <= slot < len(node.inputs):
            return None
        link = node.inputs[slot].get("link")
        return None if link is None else self.wires.get(str(link))

    def inside(self, node: EditorNode) -> "Scope | None":
        """Return what an instance of a subgraph holds; None for any other node.

        Raises GraphError when subgraphs lie too deep in each other.
        """
        definition = self.subgraphs.get(node.kind)
        if definition is None:
            return None
        if node.node_id not in self.children:
            if self.path.count(":") >= DEPTH_MAX:
                raise GraphError(
                    "too_deep",
                    say("Subgraphs lie more than {depth_max} deep.", depth_max=DEPTH_MAX),
                )
            path = f"{self.path}{node.node_id}:"
            self.children[node.node_id] = _scope(definition, path, self.subgraphs, self, node)
        return self.children[node.node_id]

    def out_of(self, slot: int) -> Wire | None:
        """Return the link that leads out of a subgraph at a slot."""
        leaving = (wire for wire in self.wires.values() if wire.target == OUTSIDE)
        return next((wire for wire in leaving if wire.target_slot == slot), None)


def read(document: Mapping[str, Any], nodes_max: int = DEFAULT.nodes) -> Scope:
    """Return the outermost level of a document.

    Raises GraphError for more nodes than can be, and for old group nodes.
    """
    definitions = as_mapping(document.get("definitions"))
    subgraphs = {
        str(as_mapping(one).get("id")): as_mapping(one)
        for one in as_list(definitions.get("subgraphs"))
    }
    n_nodes = sum(len(as_list(of.get("nodes"))) for of in (document, *subgraphs.values()))
    if n_nodes > nodes_max:
        detail = say(
            "The workflow has {n_nodes:,} nodes; {nodes_max:,} are allowed.",
            n_nodes=n_nodes,
            nodes_max=nodes_max,
        )
        raise GraphError("too_large", detail)
    return _scope(document, "", subgraphs, None, None)


def _scope(
    level: Mapping[str, Any],
    path: str,
    subgraphs: Mapping[str, Mapping[str, Any]],
    parent: Scope | None,
    owner: EditorNode | None,
) -> Scope:
    nodes = [_node(as_mapping(node)) for node in as_list(level.get("nodes"))]
    wires = dict(filter(None, (_wire(wire) for wire in as_list(level.get("links")))))
    return Scope(path, {node.node_id: node for node in nodes}, wires, subgraphs, parent, owner)


def _node(node: Mapping[str, Any]) -> EditorNode:
    mode = node.get("mode")
    return EditorNode(
        node_id=str(node.get("id")),
        kind=str(node.get("type") or ""),
        mode=mode if isinstance(mode, int) else ALWAYS,
        title=str(node.get("title") or ""),
        inputs=tuple(as_mapping(one) for one in as_list(node.get("inputs"))),
        outputs=tuple(as_mapping(one) for one in as_list(node.get("outputs"))),
        values=node.get("widgets_values"),
        properties=as_mapping(node.get("properties")),
    )


def _wire(wire: object) -> tuple[str, Wire] | None:
    """Read a link: a list of six, or an object."""
    if isinstance(wire, list) and len(wire) >= 5:
        link, *ends = wire[:5]
    else:
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        link, *ends = (as_mapping(wire).get(name) for name in names)
    origin, origin_slot, target, target_slot = ends
    if not isinstance(origin_slot, int) or not isinstance(target_slot, int):
        return None
    return str(link), Wire(str(origin), origin_slot, str(target), target_slot)
