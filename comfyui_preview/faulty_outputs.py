"""What faults make of outputs and history entries: odd names, other files, entries that lie.

§18.39 to 44. A client finds all of these on real servers: extensions leave videos and texts,
people move files, and two processes write into one folder.
"""

import copy
import json
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfyui_preview import definitions
from comfyui_preview.queue import Graph, HistoryEntry
from comfyui_preview.shared_state import Engine

ODD_FOLDER = "Décor #1\\plan 50%"
ODD_NAME = "ombre é ü 影 #2 %41 & +.png"
#: what other nodes and extensions leave beside images
OTHERS: dict[str, Any] = {
    "text": ["a sentence", None],
    "gifs": [
        {"filename": "turn.mp4", "subfolder": "", "type": "output", "format": "video/h264-mp4",
         "frame_rate": 24.0, "fullpath": "/srv/comfy/output/turn.mp4"},
    ],
    "audio": [{"filename": "step.flac", "subfolder": "audio", "type": "output"}],
    "animated": [True],
    "3d": [{"filename": "lamp.glb", "subfolder": "3d", "type": "output"}],
    "result": [None, 3, {"camera": {"zoom": float("nan")}}],
}  # fmt: skip
BEFORE_IMAGES = [
    {"filename": "ComfyUI_temp_abcde_00001_.png", "subfolder": "", "type": "temp"},
    {"filename": "film.webm", "subfolder": "video", "type": "output"},
]


def told_output(
    engine: Engine, prompt_id: str, ui: dict[str, Any] | None, *, is_cached: bool
) -> dict[str, Any] | None:
    """What is told of an output node: what it gave, unless a fault changes it."""
    if ui is None or engine.faults.take("empty_outputs", prompt_id):
        return None
    if is_cached and engine.faults.take("cached_without_outputs", prompt_id):
        return None
    if fault := engine.faults.take("odd_outputs", prompt_id):
        return _odd(engine, ui, fault.text("how", "others"))
    return ui


def _odd(engine: Engine, ui: dict[str, Any], how: str) -> dict[str, Any]:
    if how == "others":
        return {**OTHERS, "images": [*BEFORE_IMAGES, *ui["images"]], "odd_key": {"id": "x"}}
    moved = [_moved(engine, image, how) for image in ui["images"]]
    return {**ui, "images": moved}


def _moved(engine: Engine, image: dict[str, Any], how: str) -> dict[str, Any]:
    """Give an image an odd name, or put it into the temp folder."""
    old = engine.folders.resolve(image["type"], image["subfolder"], image["filename"])
    odd = {"filename": ODD_NAME, "subfolder": ODD_FOLDER}
    place = {**image, **odd} if how == "names" else {**image, "type": "temp"}
    new = engine.folders.resolve(place["type"], place["subfolder"], place["filename"])
    new.parent.mkdir(parents=True, exist_ok=True)
    old.rename(new)
    return place


def history_entry(engine: Engine, prompt_id: str, sound: HistoryEntry) -> HistoryEntry:
    """The history entry as it is kept: the sound one, unless a fault changes it."""
    fault = engine.faults.take("odd_entry", prompt_id)
    if fault is None:
        return sound
    how, odd = fault.text("how", "no_status"), copy.deepcopy(sound)
    if how == "no_status":
        odd["status"] = None  # type: ignore[typeddict-item]
    elif how == "success_with_error":
        about = {"prompt_id": prompt_id, "exception_type": "graph.DependencyCycleError"}
        about |= {"node_id": "", "node_type": "", "exception_message": "Dependency cycle"}
        odd["status"]["messages"][-1] = ("execution_error", about)
    else:
        last = list(odd["outputs"])[-1]
        odd["outputs"][last] = None
        if how == "missing_node":
            del odd["outputs"][last]
    return odd


def take_inputs(engine: Engine, prompt_id: str, graph: Graph) -> None:
    """Let the input files of a prompt be gone, when a fault wants it."""
    if not engine.faults.take("input_gone", prompt_id):
        return
    for node in graph.values():
        if node["class_type"] in definitions.IMAGE_LOADERS:
            engine.folders.annotated(node["inputs"]["image"]).unlink(missing_ok=True)


def another_image(path: Path, *, shrunk: int = 1) -> bytes:
    """The PNG of another prompt, of the same size as the one at `path` or so much smaller."""
    with Image.open(path) as opened:
        size = (opened.width // shrunk, opened.height // shrunk)
    texts, buffer = PngInfo(), BytesIO()
    other = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "somebody/else"}}}
    texts.add_text("prompt", json.dumps(other))
    Image.new("RGB", size, (90, 20, 120)).save(buffer, "PNG", pnginfo=texts)
    return buffer.getvalue()
