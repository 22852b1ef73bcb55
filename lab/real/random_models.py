"""Small models of random weights, in the shapes by which ComfyUI knows Stable Diffusion 1.5.

Of its UNet one level, without the middle; of its text encoder the embeddings, and layers of zeros
that hand them on; in place of its autoencoder the tiny one. What they paint is noise: what the
seed, the text and the steps do to it is real.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

Shape = tuple[int, ...]
#: The names of weights, as the files of such models have them, with what they hold.
Weights = Mapping[str, "Weight"]

CHANNELS, TIME, CONTEXT, LATENT = 320, 1280, 768, 4
TOKENS, POSITIONS, LAYERS, INNER = 49_408, 77, 12, 3_072
TINY = 64
RANK = 4
_F16_BYTES = 2
#: Where a checkpoint keeps its parts.
_UNET, _TEXT, _VAE = "model.diffusion_model.", "cond_stage_model.transformer.", "first_stage_model."


class Weight(NamedTuple):
    """What a tensor holds: `gain` times noise over the square root of its inputs, plus `mean`."""

    shape: Shape
    gain: float = 0.0
    mean: float = 0.0


def write(models: Path) -> None:
    """Lay the models that the tests' own graphs name into a server's folder of models."""
    files: dict[str, tuple[Weights, int]] = {
        "checkpoints/tiny_sd15.safetensors": (_checkpoint(), 1),
        "checkpoints/tiny_refiner.safetensors": (_checkpoint(), 2),
        "loras/tiny_shadow.safetensors": (_lora(), 3),
        "diffusion_models/tiny_unet.safetensors": (_under(_UNET, _unet()), 1),
        "text_encoders/tiny_clip.safetensors": (_text_encoder(), 1),
        "vae/tiny_vae.safetensors": (_autoencoder(), 1),
    }
    for name, (weights, seed) in files.items():
        path = models / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            _write(file, weights, np.random.default_rng(seed))
    # What other graphs of theirs call them.
    (models / "checkpoints/sd15.safetensors").hardlink_to(
        models / "checkpoints/tiny_sd15.safetensors"
    )
    (models / "loras/style.safetensors").hardlink_to(models / "loras/tiny_shadow.safetensors")


def _write(file: BinaryIO, weights: Weights, random: np.random.Generator) -> None:
    """Write a file of safetensors: a header that names each tensor, then their bytes."""
    header: dict[str, object] = {}
    at = 0
    for name, weight in weights.items():
        end = at + _F16_BYTES * math.prod(weight.shape)
        header[name] = {"dtype": "F16", "shape": weight.shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for weight in weights.values():
        if weight.gain or weight.mean:
            file.write(_drawn(weight, random).tobytes())
        else:
            # Zeros are a hole in the file, and take no room.
            file.seek(_F16_BYTES * math.prod(weight.shape), 1)
    file.truncate()


def _drawn(
    weight: Weight, random: np.random.Generator
) -> "np.ndarray[Shape, np.dtype[np.float16]]":
    scale = weight.gain / math.sqrt(math.prod(weight.shape[1:]) or 1)
    drawn = random.standard_normal(weight.shape, dtype=np.float32) * scale + weight.mean
    return drawn.astype(np.float16)


def _under(prefix: str, weights: Weights) -> dict[str, Weight]:
    return {f"{prefix}{name}": weight for name, weight in weights.items()}


def _checkpoint() -> dict[str, Weight]:
    return {
        **_under(_UNET, _unet()),
        **_under(_TEXT, _text_encoder()),
        **_under(_VAE, _autoencoder()),
    }


# Weights by layer ---------------------------------------------------------------------------------


def _linear(name: str, n_out: int, n_in: int, gain: float = 1.0) -> dict[str, Weight]:
    return {f"{name}.weight": Weight((n_out, n_in), gain), f"{name}.bias": Weight((n_out,))}


def _conv(name: str, n_out: int, n_in: int, size: int = 3, gain: float = 1.0) -> dict[str, Weight]:
    shape = (n_out, n_in, size, size)
    return {f"{name}.weight": Weight(shape, gain), f"{name}.bias": Weight((n_out,))}


def _norm(name: str, n: int) -> dict[str, Weight]:
    return {f"{name}.weight": Weight((n,), mean=1.0), f"{name}.bias": Weight((n,))}


def _unet() -> dict[str, Weight]:
    """One level: a block on the way in, two on the way out."""
    return {
        **_linear("time_embed.0", TIME, CHANNELS),
        **_linear("time_embed.2", TIME, TIME),
        **_conv("input_blocks.0.0", CHANNELS, LATENT),
        **_residual("input_blocks.1.0.", CHANNELS),
        **_attention("input_blocks.1.1."),
        **_residual("output_blocks.0.0.", 2 * CHANNELS),
        **_residual("output_blocks.1.0.", 2 * CHANNELS),
        **_norm("out.0", CHANNELS),
        **_conv("out.2", LATENT, CHANNELS),
    }


def _residual(at: str, n_in: int) -> dict[str, Weight]:
    skip = _conv(f"{at}skip_connection", CHANNELS, n_in, 1) if n_in != CHANNELS else {}
    return {
        **_norm(f"{at}in_layers.0", n_in),
        **_conv(f"{at}in_layers.2", CHANNELS, n_in),
        **_linear(f"{at}emb_layers.1", CHANNELS, TIME),
        **_norm(f"{at}out_layers.0", CHANNELS),
        **_conv(f"{at}out_layers.3", CHANNELS, CHANNELS),
        **skip,
    }


def _attention(at: str) -> dict[str, Weight]:
    block = f"{at}transformer_blocks.0."
    found = {**_norm(f"{at}norm", CHANNELS), **_conv(f"{at}proj_in", CHANNELS, CHANNELS, 1)}
    for name, n_context in (("attn1", CHANNELS), ("attn2", CONTEXT)):
        found[f"{block}{name}.to_q.weight"] = Weight((CHANNELS, CHANNELS), 1.0)
        found[f"{block}{name}.to_k.weight"] = Weight((CHANNELS, n_context), 1.0)
        found[f"{block}{name}.to_v.weight"] = Weight((CHANNELS, n_context), 1.0)
        found |= _linear(f"{block}{name}.to_out.0", CHANNELS, CHANNELS, gain=3.0)
    for name in ("norm1", "norm2", "norm3"):
        found |= _norm(f"{block}{name}", CHANNELS)
    found |= _linear(f"{block}ff.net.0.proj", 8 * CHANNELS, CHANNELS)
    found |= _linear(f"{block}ff.net.2", CHANNELS, 4 * CHANNELS)
    return found | _conv(f"{at}proj_out", CHANNELS, CHANNELS, 1)


def _text_encoder() -> dict[str, Weight]:
    """Embeddings, and layers that add nothing to them."""
    at = "text_model."
    found = {
        f"{at}embeddings.token_embedding.weight": Weight((TOKENS, CONTEXT), math.sqrt(CONTEXT)),
        f"{at}embeddings.position_embedding.weight": Weight((POSITIONS, CONTEXT), 1.0),
    }
    for number in range(LAYERS):
        layer = f"{at}encoder.layers.{number}."
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found |= _linear(f"{layer}self_attn.{name}", CONTEXT, CONTEXT, gain=0.0)
        found |= _linear(f"{layer}mlp.fc1", INNER, CONTEXT, gain=0.0)
        found |= _linear(f"{layer}mlp.fc2", CONTEXT, INNER, gain=0.0)
        found |= _norm(f"{layer}layer_norm1", CONTEXT) | _norm(f"{layer}layer_norm2", CONTEXT)
    return found | _norm(f"{at}final_layer_norm", CONTEXT)


def _autoencoder() -> dict[str, Weight]:
    """The tiny one: each layer is known by its number, counted with those that hold no weight."""
    ways = {
        "taesd_encoder.": "3i block down block block block down block block block down block block"
        " block 4o",
        "taesd_decoder.": "clamp 4i relu block block block up conv block block block up conv block"
        " block block up conv block 3o",
    }
    return {
        f"{way}{number}.{name}": weight
        for way, layers in ways.items()
        for number, layer in enumerate(layers.split())
        for name, weight in _TINY_LAYERS[layer]().items()
    }


def _tiny_block() -> dict[str, Weight]:
    names = ("conv.0", "conv.2", "conv.4")
    gains = (1.4, 1.4, 0.5)
    pairs = zip(names, gains, strict=True)
    return {k: w for name, gain in pairs for k, w in _conv(name, TINY, TINY, gain=gain).items()}


def _tiny_conv() -> dict[str, Weight]:
    return {"weight": Weight((TINY, TINY, 3, 3), 1.0)}


def _tiny_end(n_out: int, n_in: int, mean: float = 0.0) -> Callable[[], dict[str, Weight]]:
    return lambda: {"weight": Weight((n_out, n_in, 3, 3), 0.5), "bias": Weight((n_out,), mean=mean)}


_TINY_LAYERS: Mapping[str, Callable[[], dict[str, Weight]]] = {
    "3i": _tiny_end(TINY, 3),
    "4i": _tiny_end(TINY, LATENT),
    "4o": _tiny_end(LATENT, TINY),
    "3o": _tiny_end(3, TINY, mean=0.5),
    "block": _tiny_block,
    "down": _tiny_conv,
    "conv": _tiny_conv,
    "clamp": dict,
    "relu": dict,
    "up": dict,
}


def _lora() -> dict[str, Weight]:
    """A change to how a place looks at others and at the text."""
    found: dict[str, Weight] = {}
    for at, n_in in (("attn1_to_q", CHANNELS), ("attn2_to_v", CONTEXT)):
        name = f"lora_unet_input_blocks_1_1_transformer_blocks_0_{at}"
        found[f"{name}.lora_down.weight"] = Weight((RANK, n_in), 1.0)
        found[f"{name}.lora_up.weight"] = Weight((CHANNELS, RANK), 1.0)
        found[f"{name}.alpha"] = Weight((), mean=float(RANK))
    return found
