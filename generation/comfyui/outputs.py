"""Which nodes of a graph leave the images that Madsea wants, and under what name."""

import copy

from generation.comfyui.definitions import Definitions, saves_images, shipped_definitions
from generation.comfyui.graph import Graph, ancestors, link, title

RESULT_TITLE = "@result"
#: Added to the prefix of all that is saved beside the result: a server numbers files by prefix, so
#: that with the same one the result would be any of them.
BESIDE = "-beside"
#: Nodes whose image has the size of the one that they are given, by the name of that input.
_SIZE_KEEPERS = {
    "ImageBlur": "image",
    "ImageSharpen": "image",
    "ImageInvert": "image",
    "ImageQuantize": "image",
    "ImageToMask": "image",
    "ImageColorToMask": "image",
    "MaskToImage": "mask",
    "ThresholdMask": "mask",
    "InvertMask": "mask",
    "GrowMask": "mask",
    "FeatherMask": "mask",
    "ImageBlend": "image1",
    "ImageCompositeMasked": "destination",
}


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
    """Return a copy of the graph in which the result gets the prefix (`folder/name`).

    All else that is saved gets one of its own beside it.
    """
    changed = copy.deepcopy(graph)
    saving = wanted_outputs(changed)
    for node_id, node in changed.items():
        if node_id in saving or "filename_prefix" in node["inputs"]:
            # Without a saver that we know, the result is whatever the server knows to save.
            is_result = not saving or node_id == saving[0]
            node["inputs"]["filename_prefix"] = prefix if is_result else prefix + BESIDE
    return changed


def output_size(graph: Graph, node_id: str) -> tuple[int, int] | None:
    """Return width and height in pixels of what a node saves; None where the graph does not tell.

    It tells where an ImageScale with a width and a height of its own comes last, but for nodes
    that keep a picture's size.
    """
    name = "images"
    while (source := link(graph[node_id]["inputs"].get(name))) is not None:
        node_id = source[0]
        node = graph[node_id]
        if node["class_type"] == "ImageScale":
            return _sides(node["inputs"].get("width"), node["inputs"].get("height"))
        if node["class_type"] not in _SIZE_KEEPERS:
            return None
        name = _SIZE_KEEPERS[node["class_type"]]
    return None


def _sides(width: object, height: object) -> tuple[int, int] | None:
    # A side of 0 follows the picture's own proportions; a link is known only on the server.
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None


def _rank(graph: Graph, node_id: str) -> tuple[bool, int]:
    is_titled = title(graph[node_id]).split(" ")[0] == RESULT_TITLE
    return (not is_titled, -sum(1 for _ in ancestors(graph, node_id)))
