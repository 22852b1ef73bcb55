"""Under what name the nodes of a graph leave what they save, and in what size."""

import copy

from generation.workflows.graph import Graph, link

#: The folder on a server that panels and outputs of ours live in.
FOLDER = "madsea"
#: Added to the prefix of all that is saved beside the result: a server numbers files by prefix, so
#: that with the same one the result would be any of them.
BESIDE = "-beside"
#: Nodes whose image has the size of the one that they are given, by the name of that input.
SIZE_KEEPERS = {
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


def wanted_outputs(graph: Graph) -> tuple[str, ...]:
    """Return the ids of the nodes that save under a prefix, the result first.

    In a graph that was posted, the result is the one whose prefix is the attempt's own, without
    `BESIDE`.
    """
    saving = [node_id for node_id in graph if _prefix(graph, node_id) is not None]
    return tuple(sorted(saving, key=lambda node_id: str(_prefix(graph, node_id)).endswith(BESIDE)))


def set_output_prefix(graph: Graph, prefix: str, result: str) -> Graph:
    """Return a copy of the graph in which the result gets the prefix (`folder/name`).

    All else that is saved gets one of its own beside it.
    """
    changed = copy.deepcopy(graph)
    for node_id, node in changed.items():
        if node_id == result or "filename_prefix" in node["inputs"]:
            node["inputs"]["filename_prefix"] = prefix if node_id == result else prefix + BESIDE
    return changed


def _prefix(graph: Graph, node_id: str) -> str | None:
    prefix = graph[node_id]["inputs"].get("filename_prefix")
    return prefix if isinstance(prefix, str) else None


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
        if node["class_type"] not in SIZE_KEEPERS:
            return None
        name = SIZE_KEEPERS[node["class_type"]]
    return None


def _sides(width: object, height: object) -> tuple[int, int] | None:
    # A side of 0 follows the picture's own proportions; a link is known only on the server.
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    return None
