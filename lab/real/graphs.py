"""What is rendered: graphs without any model, many short nodes, a second or two of a CPU."""

from typing import Any

Graph = dict[str, dict[str, Any]]

SIZE = {"width": 960, "height": 540}
N_BLURS = 14


def ours() -> Graph:
    """Return the workflow: it starts from the plan's panel and keeps its colour."""
    scaled = {"image": ["1", 0], "upscale_method": "lanczos", **SIZE, "crop": "center"}
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "panel.png"}},
        "2": {"class_type": "ImageScale", "inputs": scaled},
        **_blurred_and_saved("2", "real"),
    }


def foreign_prompt(color: int) -> Graph:
    """Return the graph of a prompt that is not Madsea's; each colour is rendered anew."""
    empty = {**SIZE, "batch_size": 1, "color": color}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        **_blurred_and_saved("1", "somebody/else"),
    }


def _blurred_and_saved(source: str, prefix: str) -> Graph:
    graph: Graph = {}
    for number in range(10, 10 + N_BLURS):
        inputs = {"image": [source, 0], "blur_radius": 4, "sigma": 2.0}
        graph[source := str(number)] = {"class_type": "ImageBlur", "inputs": inputs}
    saved = {"images": [source, 0], "filename_prefix": prefix}
    return graph | {"99": {"class_type": "SaveImage", "inputs": saved}}
