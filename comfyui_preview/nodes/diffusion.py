"""Diffusion nodes as an approximation: they carry what was asked for along to the painting."""

from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np

from comfyui_preview.nodes.array_conversions import scaled
from comfyui_preview.nodes.painting import Scene, paint
from comfyui_preview.nodes.registry import Context, Images, node

Out = tuple[Any, ...]
# a preview between two steps is no wider than this (px)
GLIMPSE_PX = 256


@dataclass(frozen=True)
class Model:
    """A model, a text encoder, a VAE or a control net: its file, and LoRA strength added so far."""

    name: str
    lora_strength: float = 0.0


@dataclass(frozen=True)
class Conditioning:
    """What was asked for: words, and pictures that guide the shapes with a strength each."""

    text: str
    guides: tuple[tuple[Images, float], ...] = ()


@dataclass(frozen=True)
class LatentPicture:
    """A picture to be: its size in px, how many, what it starts from, and what was painted."""

    width: int
    height: int
    count: int = 1
    source: Images | None = None
    scenes: tuple[Scene, ...] = ()


class Sampling(TypedDict):
    """The inputs of KSampler."""

    model: Model
    seed: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    positive: Conditioning
    negative: Conditioning
    latent_image: LatentPicture
    denoise: float


class AdvancedSampling(TypedDict):
    """The inputs of KSamplerAdvanced."""

    model: Model
    add_noise: str
    noise_seed: int
    steps: int
    cfg: float
    sampler_name: str
    scheduler: str
    positive: Conditioning
    negative: Conditioning
    latent_image: LatentPicture
    start_at_step: int
    end_at_step: int
    return_with_leftover_noise: str


@node("CheckpointLoaderSimple")
def checkpoint_loader(ckpt_name: str) -> tuple[Model, Model, Model]:
    """A name in place of a model, a text encoder and a VAE."""
    return Model(ckpt_name), Model(ckpt_name), Model(ckpt_name)


@node("LoraLoader")
def lora_loader(
    model: Model, clip: Model, strength_model: float, strength_clip: float, **_: Any
) -> tuple[Model, Model]:
    """Adds to the strength that darkens the shapes."""
    return (
        replace(model, lora_strength=model.lora_strength + strength_model),
        replace(clip, lora_strength=clip.lora_strength + strength_clip),
    )


@node("LoraLoaderModelOnly")
def lora_loader_model_only(model: Model, strength_model: float, **_: Any) -> Out:
    """Adds to the strength that darkens the shapes."""
    return (replace(model, lora_strength=model.lora_strength + strength_model),)


@node("ControlNetLoader")
def control_net_loader(control_net_name: str) -> Out:
    """A name in place of a control net."""
    return (Model(control_net_name),)


@node("VAELoader")
def vae_loader(vae_name: str) -> Out:
    """A name in place of a VAE."""
    return (Model(vae_name),)


@node("UNETLoader")
def unet_loader(unet_name: str, **_: Any) -> Out:
    """A name in place of a diffusion model."""
    return (Model(unet_name),)


@node("CLIPLoader")
def clip_loader(clip_name: str, **_: Any) -> Out:
    """A name in place of a text encoder."""
    return (Model(clip_name),)


@node("CLIPSetLastLayer")
def clip_set_last_layer(clip: Model, **_: Any) -> Out:
    """The same text encoder."""
    return (clip,)


@node("CLIPTextEncode")
def clip_text_encode(text: str, **_: Any) -> Out:
    """The words."""
    return (Conditioning(text),)


@node("ConditioningCombine")
def conditioning_combine(conditioning_1: Conditioning, conditioning_2: Conditioning) -> Out:
    """The words and guides of both."""
    text = f"{conditioning_1.text}, {conditioning_2.text}"
    return (Conditioning(text, conditioning_1.guides + conditioning_2.guides),)


@node("ControlNetApplyAdvanced")
def control_net_apply(
    positive: Conditioning,
    negative: Conditioning,
    image: Images,
    strength: float,
    **span: Any,
) -> tuple[Conditioning, Conditioning]:
    """Adds a guiding picture; its strength counts for the share of steps it is applied."""
    share = max(0.0, span.get("end_percent", 1.0) - span.get("start_percent", 0.0))
    guides = (*positive.guides, (image, strength * share))
    return replace(positive, guides=guides), negative


@node("EmptyLatentImage")
def empty_latent_image(width: int, height: int, batch_size: int) -> Out:
    """Nothing to start from."""
    return (LatentPicture(width // 8 * 8, height // 8 * 8, batch_size),)


@node("VAEEncode")
def vae_encode(pixels: Images, **_: Any) -> Out:
    """The picture to start from, its sides rounded down to multiples of 8."""
    count, height, width = pixels.shape[:3]
    width, height = max(8, width // 8 * 8), max(8, height // 8 * 8)
    return (LatentPicture(width, height, count, pixels[:, :height, :width]),)


@node("LatentUpscale")
def latent_upscale(
    samples: LatentPicture, upscale_method: str, width: int, height: int, crop: str
) -> Out:
    """Another size; 0 keeps the proportions."""
    width = width or round(samples.width * height / samples.height) or samples.width
    height = height or round(samples.height * width / samples.width)
    size = (width // 8 * 8, height // 8 * 8)
    source = samples.source
    if source is not None:
        source = scaled(source, size, upscale_method, crop)
    scenes = tuple(replace(scene, width=size[0], height=size[1]) for scene in samples.scenes)
    return (replace(samples, width=size[0], height=size[1], source=source, scenes=scenes),)


@node("KSampler", context=True)
def k_sampler(context: Context, **inputs: Unpack[Sampling]) -> Out:
    """Steps without a model, and a scene to paint from what was asked."""
    return (_sample(context, inputs),)


@node("KSamplerAdvanced", context=True)
def k_sampler_advanced(context: Context, **inputs: Unpack[AdvancedSampling]) -> Out:
    """As KSampler, over a part of the steps; what is left out counts as a lower denoise."""
    done = max(0, min(inputs["end_at_step"], inputs["steps"]) - inputs["start_at_step"])
    sampling: Sampling = {
        "model": inputs["model"],
        "seed": inputs["noise_seed"],
        "steps": max(1, done),
        "cfg": inputs["cfg"],
        "sampler_name": inputs["sampler_name"],
        "scheduler": inputs["scheduler"],
        "positive": inputs["positive"],
        "negative": inputs["negative"],
        "latent_image": inputs["latent_image"],
        "denoise": done / inputs["steps"],
    }
    return (_sample(context, sampling),)


def _sample(context: Context, inputs: Sampling) -> LatentPicture:
    latent = inputs["latent_image"]
    scenes = tuple(_scene(inputs, latent, index) for index in range(latent.count))
    glimpse = _glimpse(scenes[0]) if context.shows_steps else None
    for step in range(1, inputs["steps"] + 1):
        context.steps(step, inputs["steps"], glimpse)
    return replace(latent, scenes=scenes)


@node("VAEDecode")
def vae_decode(samples: LatentPicture, **_: Any) -> Out:
    """The painting; what was not sampled comes back as it was encoded."""
    if samples.scenes:
        return (np.stack([paint(scene) for scene in samples.scenes]),)
    if samples.source is not None:
        return (samples.source,)
    return (np.full((samples.count, samples.height, samples.width, 3), 127, dtype=np.uint8),)


def _scene(inputs: Sampling, latent: LatentPicture, index: int) -> Scene:
    positive = inputs["positive"]
    source = None if latent.source is None else latent.source[index]
    guide = positive.guides[-1][0] if positive.guides else None
    return Scene(
        width=latent.width,
        height=latent.height,
        source=source,
        guide=None if guide is None else guide[min(index, len(guide) - 1)],
        guide_strength=positive.guides[-1][1] if positive.guides else 0.0,
        text=positive.text,
        seed=inputs["seed"] + index,
        steps=inputs["steps"],
        cfg=inputs["cfg"],
        denoise=inputs["denoise"],
        lora_strength=inputs["model"].lora_strength,
    )


def _glimpse(scene: Scene) -> Images:
    width = min(GLIMPSE_PX, scene.width)
    height = max(8, round(scene.height * width / scene.width))
    return paint(replace(scene, width=width, height=height))[np.newaxis]
