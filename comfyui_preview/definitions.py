"""The node definitions a preview server gives out: those of a real server, for the nodes it has."""

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Definition = dict[str, Any]
Definitions = dict[str, Definition]

DEFINITIONS = Path(__file__).with_name("definitions.json")

# the folder of models each loader's input lists, and the models this server pretends to have
MODEL_INPUTS = {
    ("CheckpointLoaderSimple", "ckpt_name"): "checkpoints",
    ("LoraLoader", "lora_name"): "loras",
    ("LoraLoaderModelOnly", "lora_name"): "loras",
    ("ControlNetLoader", "control_net_name"): "controlnet",
    ("VAELoader", "vae_name"): "vae",
    ("CLIPLoader", "clip_name"): "text_encoders",
    ("UNETLoader", "unet_name"): "diffusion_models",
}
MODELS = {
    "checkpoints": ["RealVisXL_V5.0_fp16.safetensors", "tiny_sd15.safetensors"],
    "loras": ["silhouette_photographic_style_lora.safetensors", "tiny_shadow.safetensors"],
    "controlnet": ["diffusion_pytorch_model.safetensors"],
    "vae": ["pixel_space"],
    "text_encoders": ["clip_l.safetensors"],
    "diffusion_models": ["flux1-dev.safetensors"],
}
MODEL_FOLDERS = [
    "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision",
    "style_models", "embeddings", "diffusers", "vae_approx", "controlnet", "gligen",
    "upscale_models", "custom_nodes", "hypernetworks", "photomaker", "classifiers",
    "model_patches", "audio_encoders",
]  # fmt: skip
# nodes whose own check of `image` takes the place of the check against the list
IMAGE_LOADERS = ("LoadImage", "LoadImageMask")


def load(classes: Iterable[str], models: Mapping[str, Sequence[str]]) -> Definitions:
    """The definitions of the given node classes, with these models (by folder) in their lists."""
    known: Definitions = json.loads(DEFINITIONS.read_text(encoding="utf-8"))
    definitions = {name: copy.deepcopy(known[name]) for name in classes}
    for (name, field), folder in MODEL_INPUTS.items():
        if name in definitions:
            definitions[name]["input"]["required"][field][0] = list(models.get(folder, []))
    for definition in definitions.values():
        for spec in inputs_of(definition).values():
            # a mark of the shipped file that a server does not give out
            options_of(spec).pop("open_list", None)
    return definitions


def inputs_of(definition: Definition) -> dict[str, list[Any]]:
    """All inputs that a graph may give to a node: name to [type, options]."""
    given = definition["input"]
    return {**given.get("required", {}), **given.get("optional", {})}


def options_of(spec: list[Any]) -> dict[str, Any]:
    """The options of an input, {} when it has none."""
    return spec[1] if len(spec) > 1 else {}


def choices_of(spec: list[Any]) -> list[Any] | None:
    """The list of a COMBO in its old or its new form; None for any other input."""
    if isinstance(spec[0], list):
        return spec[0]
    return options_of(spec).get("options") if spec[0] == "COMBO" else None


def with_input_images(definition: Definition, images: list[str]) -> Definition:
    """A loader's definition with the images that lie in the input folder now."""
    if definition["name"] not in IMAGE_LOADERS:
        return definition
    shown = copy.deepcopy(definition)
    shown["input"]["required"]["image"][0] = images
    return shown
