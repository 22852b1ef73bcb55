"""How many pictures a node gives, and in which size: as far as the graph tells."""

from collections.abc import Iterable

from generation.workflows.graph import Graph
from generation.workflows.typed_graph import GraphView
from generation.workflows.value_sources import value_source

#: Nodes that give one picture, whatever they are made from.
_ONE = frozenset({"LoadImage", "LoadImageOutput", "LoadImageMask", "ImageStitch"})
#: Nodes that keep, of what they are given, as many as this input says.
_TAKEN = {"LatentFromBatch": "length", "ImageFromBatch": "length"}
#: Nodes that repeat their input, and the input that says how many times.
_REPEATED = {"RepeatLatentBatch": "amount", "RepeatImageBatch": "amount"}
#: The inputs that counts are read of; each may be linked to a node that holds one value.
_COUNTS = frozenset({"batch_size", *_TAKEN.values(), *_REPEATED.values()})
#: Nodes that put what they are given together.
_JOINED = frozenset({"ImageBatch", "LatentBatch"})
#: What pictures travel in, the first that a node takes counts.
_CARRIERS = ("IMAGE", "LATENT", "MASK")


def can_decide(graph: Graph, targets: Iterable[tuple[str, str]]) -> bool:
    """Tell whether inputs `(node id, input)` can decide a count: by name, or as the only one."""
    return any(name in _COUNTS or len(graph[node]["inputs"]) == 1 for node, name in targets)


def picture_count(view: GraphView, node_id: str) -> int | None:
    """Return how many pictures a node is given to save; None where the graph does not tell."""
    counts: dict[str, int | None] = {}
    reached = {node_id, *view.ancestors(node_id)}
    for current in sorted(reached, key=view.place):
        counts[current] = _count(view, current, counts)
    return counts[node_id]


def _count(view: GraphView, node_id: str, counts: dict[str, int | None]) -> int | None:
    class_type = view.class_of(node_id)
    if class_type in _ONE:
        return 1
    if class_type in _TAKEN:
        return _whole(view, node_id, _TAKEN[class_type])
    sources = _carried(view, node_id, counts)
    if class_type in _REPEATED:
        return _product(_first(sources), _whole(view, node_id, _REPEATED[class_type]))
    if class_type in _JOINED:
        return sum(count for count in sources if count) if all(sources) else None
    return _first(sources) if sources else _made(view, node_id)


def _carried(view: GraphView, node_id: str, counts: dict[str, int | None]) -> list[int | None]:
    for kind in _CARRIERS:
        sources = [source for source, _ in view.links_of(node_id, kind).values()]
        if sources:
            return [counts.get(source) for source in sources]
    return []


def _made(view: GraphView, node_id: str) -> int | None:
    """Return how many an empty latent or a plain image is: its batch, times its frames."""
    inputs = view.graph[node_id]["inputs"]
    if "batch_size" not in inputs and "length" not in inputs:
        return 1 if view.is_known(node_id) else None
    sizes = [_whole(view, node_id, name) for name in ("batch_size", "length") if name in inputs]
    return _product(*sizes)


def _whole(view: GraphView, node_id: str, name: str) -> int | None:
    source = value_source(view, (node_id, name))
    value = view.value(source) if source else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _first(counts: list[int | None]) -> int | None:
    return counts[0] if counts else None


def _product(*factors: int | None) -> int | None:
    result = 1
    for factor in factors:
        if factor is None:
            return None
        result *= factor
    return result
