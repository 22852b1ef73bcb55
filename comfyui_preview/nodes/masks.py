"""Mask nodes, done for real with Pillow and NumPy."""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from comfyui_preview.nodes.array_conversions import clipped, map_batch
from comfyui_preview.nodes.registry import Context, Images, Masks, node

Out = tuple[Any, ...]
CHANNELS = {"red": 0, "green": 1, "blue": 2}


@node("LoadImageMask", context=True)
def load_image_mask(context: Context, image: str, channel: str) -> Out:
    """One channel of a picture as a mask; transparency is inverted, as a real server does."""
    with Image.open(context.folders.annotated(image)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    band = np.asarray(picture.getchannel(channel[0].upper()), dtype=np.uint8)[np.newaxis]
    return (255 - band if channel == "alpha" else band,)


@node("ImageToMask")
def image_to_mask(image: Images, channel: str) -> Out:
    """One channel as a mask; a picture without transparency is opaque."""
    if channel == "alpha":
        return (np.full(image.shape[:3], 255, dtype=np.uint8),)
    return (image[..., CHANNELS[channel]].copy(),)


@node("ImageColorToMask")
def image_color_to_mask(image: Images, color: int) -> Out:
    """White where the picture has exactly this colour (0xRRGGBB)."""
    rgb = [color >> 16 & 255, color >> 8 & 255, color & 255]
    return ((image == rgb).all(axis=3) * np.uint8(255),)


@node("MaskToImage")
def mask_to_image(mask: Masks) -> Out:
    """The mask in grey."""
    return (np.repeat(mask[..., np.newaxis], 3, axis=3),)


@node("ThresholdMask")
def threshold_mask(mask: Masks, value: float) -> Out:
    """White where the mask is above the value, black elsewhere."""
    return ((mask > value * 255) * np.uint8(255),)


@node("InvertMask")
def invert_mask(mask: Masks) -> Out:
    """The opposite."""
    return (255 - mask,)


@node("SolidMask")
def solid_mask(value: float, width: int, height: int) -> Out:
    """One value everywhere."""
    return (np.full((1, height, width), round(value * 255), dtype=np.uint8),)


@node("CropMask")
def crop_mask(mask: Masks, x: int, y: int, width: int, height: int) -> Out:
    """A part of the mask; a corner outside is moved inside."""
    x, y = min(x, mask.shape[2] - 1), min(y, mask.shape[1] - 1)
    return (mask[:, y : y + height, x : x + width],)


@node("GrowMask")
def grow_mask(mask: Masks, expand: int, tapered_corners: bool) -> Out:
    """Grown, or shrunk when negative, by so many pixels; tapered leaves corners out."""
    if expand == 0:
        return (mask,)
    size = 2 * abs(expand) + 1
    kind = ImageFilter.MaxFilter if expand > 0 else ImageFilter.MinFilter
    grown = map_batch(mask, lambda picture: picture.filter(kind(size)))
    if not tapered_corners:
        return (grown,)
    soft = map_batch(grown, lambda picture: picture.filter(ImageFilter.ModeFilter(3)))
    return (soft,)


@node("FeatherMask")
def feather_mask(mask: Masks, left: int, top: int, right: int, bottom: int) -> Out:
    """Faded out towards the sides, over so many pixels on each."""
    height, width = mask.shape[1:]
    across = _ramp(width, left, right)
    down = _ramp(height, top, bottom)
    return (clipped(mask * down[np.newaxis, :, np.newaxis] * across[np.newaxis, np.newaxis, :]),)


def _ramp(length: int, first: int, last: int) -> Any:
    place = np.arange(length, dtype=np.float32)
    rising = (place + 1) / max(first, 1)
    falling = (length - place) / max(last, 1)
    return np.clip(np.minimum(rising, falling), 0, 1)


@node("MaskComposite")
def mask_composite(destination: Masks, source: Masks, x: int, y: int, operation: str) -> Out:
    """The source combined with the destination at x, y."""
    result = destination.copy()
    below = result[:, y : y + source.shape[1], x : x + source.shape[2]].astype(np.int32)
    above = source[:1, : below.shape[1], : below.shape[2]].astype(np.int32)
    combined = _combined(below, above, operation)
    result[:, y : y + source.shape[1], x : x + source.shape[2]] = clipped(combined)
    return (result,)


def _combined(below: Any, above: Any, operation: str) -> Any:
    first, second = below >= 128, above >= 128
    match operation:
        case "multiply":
            return below * above // 255
        case "add":
            return below + above
        case "subtract":
            return below - above
        case "and":
            return (first & second) * 255
        case "or":
            return (first | second) * 255
        case _:
            return (first ^ second) * 255
