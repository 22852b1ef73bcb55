"""The files that a graph's values name: models, also in lists of extensions, embeddings, pictures.

Each is told as `(class, input, name)`. What lies in a folder of a server, and in no list of its
definitions, has the folder in the place of the class, and no input.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from generation.comfyui.untrusted_json import as_mapping
from generation.workflows.definitions import (
    Definitions,
    InputSpec,
    input_spec,
    inputs_of,
    is_output,
)
from generation.workflows.graph import Graph, ancestors
from generation.workflows.typed_graph import Target

File: TypeAlias = tuple[str, str, str]

#: Folders of a server, whose files it tells (or whose list grows with each upload).
EMBEDDINGS = "models/embeddings"
INPUT = "input"
#: Of a folder with more files, nothing is known.
FILES_MOST = 20_000

_MODEL_SUFFIXES = (".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".onnx")
_EMBEDDING = re.compile(r"(?<!\w)embedding:([^\s,:()]+)")
#: The lists of ComfyUI's own loaders, by what extensions call a model within their values.
_LISTS = {
    "lora": ("LoraLoader", "lora_name"),
    "ckpt": ("CheckpointLoaderSimple", "ckpt_name"),
    "checkpoint": ("CheckpointLoaderSimple", "ckpt_name"),
    "unet": ("UNETLoader", "unet_name"),
    "vae": ("VAELoader", "vae_name"),
    "clip": ("CLIPLoader", "clip_name"),
    "controlnet": ("ControlNetLoader", "control_net_name"),
    "control_net": ("ControlNetLoader", "control_net_name"),
}


def is_model_file(value: object) -> bool:
    """Tell whether a value is the name of a model file, by its suffix."""
    return isinstance(value, str) and value.lower().endswith(_MODEL_SUFFIXES)


def names_model(text: str) -> bool:
    """Tell whether a text may name a model: it is the name of a file, or mentions an embedding."""
    return is_model_file(text) or "embedding:" in text


def models(graph: Graph, definitions: Definitions) -> Iterator[File]:
    """Yield the model files and embeddings that a graph names, wherever in a value they stand.

    A model file is a value with a model's suffix, given where a choice is asked for, or to a
    class that the definitions do not know; within a value, it has its way as input: `lora_1.lora`.
    """
    for node in graph.values():
        class_type = node["class_type"]
        for name, value in node["inputs"].items():
            spec = input_spec(definitions, class_type, name, node["inputs"])
            for way, text in _texts(name, value):
                if is_model_file(text) and (way != name or spec is None or spec.kind == "COMBO"):
                    yield class_type, way, text
                for match in _EMBEDDING.finditer(text):
                    yield EMBEDDINGS, "", _stem(match[1])


def pictures(graph: Graph, definitions: Definitions, but: Collection[Target]) -> Iterator[File]:
    """Yield the pictures of a server's input folder that a graph's result is made with.

    Without those at the inputs `but`, such as the panel. What lies in a folder below is in no list.
    """
    results = [key for key, node in graph.items() if is_output(definitions, node["class_type"])]
    needed = {node for result in results for node in (result, *ancestors(graph, result))}
    for node_id in needed & graph.keys():
        held = graph[node_id]["inputs"]
        specs = inputs_of(definitions, graph[node_id]["class_type"], held) or {}
        for name, value in held.items():
            if name in specs and specs[name].is_upload and (node_id, name) not in but:
                yield from _picture(value)


def in_folders(folders: Mapping[str, Sequence[str]]) -> Definitions:
    """Return what lies in the folders of a server as definitions of a class for each of them."""
    return {
        folder: {"input": {"required": {"": [list(names), {}]}}}
        for folder, names in folders.items()
    }


def uploads(definitions: Definitions) -> list[str] | None:
    """Return the pictures in a server's input folder; None when it does not tell, or too many."""
    specs = (
        spec
        for class_type, node in definitions.items()
        if "_upload" in str(as_mapping(node).get("input"))
        for spec in (inputs_of(definitions, class_type) or {}).values()
        if spec.is_upload and spec.options is not None
    )
    lists = [spec.options for spec in specs if spec.options is not None]
    names = sorted({str(name) for options in lists for name in options})
    return names if lists and len(names) <= FILES_MOST else None


def list_of(definitions: Definitions, class_type: str, name: str) -> InputSpec | None:
    """Return what lists the files that may be named there; None when nothing does."""
    spec = input_spec(definitions, class_type, name)
    if spec is not None or "." not in name:
        return spec
    last = next((part for part in reversed(name.split(".")) if not part.isdigit()), "")
    loader = _LISTS.get(last.lower().removesuffix("_name"))
    return input_spec(definitions, *loader) if loader else None


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each text of a value with its way; what an extension has switched off, is left out."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict) and value.get("on") is not False:
        for key, part in value.items():
            yield from _texts(f"{name}.{key}", part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(f"{name}.{index}", part)


def _picture(value: object) -> Iterator[File]:
    name = value.removesuffix(" [input]") if isinstance(value, str) else ""
    if name and not name.endswith("]") and "/" not in name and "\\" not in name:
        yield INPUT, "", name


def _stem(name: str) -> str:
    """Return an embedding's name as servers tell it: without suffix."""
    plain = name.rstrip(".;")
    suffix = next((suffix for suffix in _MODEL_SUFFIXES if plain.lower().endswith(suffix)), "")
    return plain[: len(plain) - len(suffix)]
