"""Which nodes of a graph leave the images that Madsea wants, and under what name."""

import copy

from generation.comfyui.definitions import Definitions, saves_images, shipped_definitions
from generation.comfyui.graph import Graph, ancestors, title

RESULT_TITLE = "@result"


def wanted_outputs(graph: Graph, definitions: Definitions | None = None) -> tuple[str, ...]:
    """Return the ids of the nodes that save images, the result first.

    The result is the one titled `@result`, else the one that depends on the most nodes, the last
    in the file among equals. Empty when no node saves an image.
    """
    known = shipped_definitions() if definitions is None else definitions
    saving = [node_id for node_id, node in graph.items() if saves_images(known, node["class_type"])]
    places = {node_id: place for place, node_id in enumerate(graph)}
    return tuple(sorted(saving, key=lambda node_id: (*_rank(graph, node_id), -places[node_id])))


def set_output_prefix(graph: Graph, prefix: str) -> Graph:
    """Return a copy of the graph in which all that is saved gets the prefix (`folder/name`)."""
    changed = copy.deepcopy(graph)
    saving = set(wanted_outputs(changed))
    for node_id, node in changed.items():
        if node_id in saving or "filename_prefix" in node["inputs"]:
            node["inputs"]["filename_prefix"] = prefix
    return changed


def _rank(graph: Graph, node_id: str) -> tuple[bool, int]:
    is_titled = title(graph[node_id]).split(" ")[0] == RESULT_TITLE
    return (not is_titled, -sum(1 for _ in ancestors(graph, node_id)))
