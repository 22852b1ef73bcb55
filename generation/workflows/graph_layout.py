"""Where the nodes of a graph stand in a drawing: each right of all that it depends on."""

from collections.abc import Iterable
from dataclasses import dataclass

from generation.workflows.graph import Graph, links, title
from generation.workflows.typed_graph import GraphView

NODE_WIDTH, NODE_HEIGHT = 176, 44
_COLUMN, _ROW, _MARGIN = 212, 58, 12
#: Beyond this a drawing helps nobody.
NODES_MAX = 300
_LETTERS = 24


@dataclass(frozen=True)
class Box:
    """A node: its place in pixels, what stands in it, and what it is to a plan."""

    node_id: str
    x: int
    y: int
    name: str
    class_type: str
    whole: str  #: all that is known of it, for whoever points at it
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A link, from the right side of a box to the left side of another, as an SVG path."""

    path: str


@dataclass(frozen=True)
class Drawing:
    """A graph as boxes and lines, with its size in pixels."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(view: GraphView, roles: dict[str, tuple[str, ...]]) -> Drawing | None:
    """Return a drawing of a graph; None where it has too many nodes for one.

    `roles` are what nodes are to a plan: `panel`, `result`, `asked`.
    """
    if len(view.graph) > NODES_MAX:
        return None
    places = _places(view)
    boxes = [_box(view.graph, node_id, *place, roles) for node_id, place in places.items()]
    by_id = {box.node_id: box for box in boxes}
    lines = [
        _line(by_id[source], box)
        for box in boxes
        for source, _ in links(view.graph, box.node_id).values()
    ]
    width = max((box.x for box in boxes), default=0) + NODE_WIDTH + _MARGIN
    height = max((box.y for box in boxes), default=0) + NODE_HEIGHT + _MARGIN
    return Drawing(width, height, tuple(boxes), tuple(lines))


def _places(view: GraphView) -> dict[str, tuple[int, int]]:
    """Return column and row of each node: rows follow those of what a node depends on."""
    columns = _columns(view)
    rows: dict[str, int] = {}
    for nodes in columns.values():
        wanted = {node_id: _mean(rows, _sources(view.graph, node_id)) for node_id in nodes}
        rows |= {node_id: row for row, node_id in enumerate(sorted(nodes, key=wanted.__getitem__))}
    return {node_id: (column, rows[node_id]) for column, of in columns.items() for node_id in of}


def _columns(view: GraphView) -> dict[int, list[str]]:
    """Return the nodes of each column; what is used stands just before the first who uses it."""
    order = sorted(view.graph, key=view.place)
    depth: dict[str, int] = {}
    for node_id in order:
        depth[node_id] = 1 + max((depth[s] for s in _sources(view.graph, node_id)), default=-1)
    for node_id in reversed(order):
        users = [depth[use.node_id] for use in view.uses(node_id)]
        if users:
            depth[node_id] = min(users) - 1
    columns: dict[int, list[str]] = {column: [] for column in sorted(set(depth.values()))}
    for node_id in order:
        columns[depth[node_id]].append(node_id)
    return columns


def _sources(graph: Graph, node_id: str) -> list[str]:
    return [source for source, _ in links(graph, node_id).values()]


def _mean(rows: dict[str, int], sources: Iterable[str]) -> float:
    known = [rows[source] for source in sources if source in rows]
    return sum(known) / len(known) if known else 0.0


def _box(
    graph: Graph, node_id: str, column: int, row: int, roles: dict[str, tuple[str, ...]]
) -> Box:
    class_type = graph[node_id]["class_type"]
    name = title(graph[node_id]) or class_type
    return Box(
        node_id,
        _MARGIN + column * _COLUMN,
        _MARGIN + row * _ROW,
        _shortened(name),
        _shortened(f"{node_id} · {class_type}"),
        f"{node_id}: {name} ({class_type})",
        roles.get(node_id, ()),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _line(source: Box, user: Box) -> Line:
    x1, y1 = source.x + NODE_WIDTH, source.y + NODE_HEIGHT // 2
    x2, y2 = user.x, user.y + NODE_HEIGHT // 2
    middle = (x1 + x2) // 2
    return Line(f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}")
