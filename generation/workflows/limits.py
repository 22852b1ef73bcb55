"""How large a workflow may be: whatever enters is bounded where it enters."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GraphLimits:
    """The most nodes of a graph, bytes of its file, and characters of one text in it."""

    nodes: int = 5_000
    graph_bytes: int = 4 * 2**20
    text_characters: int = 32_000


DEFAULT = GraphLimits()
