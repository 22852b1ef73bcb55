"""The links of a graph, and the order in which a real server executes its nodes."""

from collections.abc import Callable, Iterator
from typing import Any

from comfyui_preview.queue import Graph


def is_link(value: object) -> bool:
    """Whether an input's value is a link [node id, output index]."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
    )


def sources(graph: Graph, node_id: str) -> Iterator[str]:
    """The nodes that a node's inputs come from, in the order of its inputs, with repetitions."""
    inputs: dict[str, Any] = graph[node_id]["inputs"]
    return (input_value[0] for input_value in inputs.values() if is_link(input_value))


class ExecutionOrder:
    """Which node comes next: an output as soon as it can, then what an output waits for.

    Nodes with a cached result are not asked for. The recordings fit this order, but only partly
    prove it: a client must not rely on which of two ready nodes comes first.
    """

    def __init__(
        self, graph: Graph, is_output: Callable[[str], bool], is_cached: Callable[[str], bool]
    ) -> None:
        self._graph = graph
        self._is_output = is_output
        self._is_cached = is_cached
        self._missing: dict[str, set[str]] = {}

    def want(self, output_id: str) -> None:
        """Note an output node as to be executed, and all it needs that is not cached."""
        open_ids = [output_id]
        while open_ids:
            node_id = open_ids.pop()
            if node_id in self._missing:
                continue
            needed = [] if self._is_cached(node_id) else list(sources(self._graph, node_id))
            needed = [source for source in needed if not self._is_cached(source)]
            self._missing[node_id] = set(needed)
            open_ids.extend(needed)

    def __iter__(self) -> Iterator[str]:
        while self._missing:
            node_id = self._next()
            yield node_id
            del self._missing[node_id]
            for needed in self._missing.values():
                needed.discard(node_id)

    def planned(self) -> list[str]:
        """The nodes that are still to be executed."""
        return list(self._missing)

    def _next(self) -> str:
        ready = [node_id for node_id, needed in self._missing.items() if not needed]
        for prefers in (self._is_output, self._feeds_output, self._nearly_feeds_output):
            chosen = next(filter(prefers, ready), None)
            if chosen is not None:
                return chosen
        return ready[0]

    def _waiting_for(self, node_id: str) -> list[str]:
        return [waiting for waiting, needed in self._missing.items() if node_id in needed]

    def _feeds_output(self, node_id: str) -> bool:
        return any(map(self._is_output, self._waiting_for(node_id)))

    def _nearly_feeds_output(self, node_id: str) -> bool:
        return any(map(self._feeds_output, self._waiting_for(node_id)))
