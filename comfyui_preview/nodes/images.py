"""Image nodes, done for real with Pillow and NumPy."""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from comfyui_preview.nodes.array_conversions import clipped, from_pillow, map_batch, scaled
from comfyui_preview.nodes.canny_algorithm import canny_edges
from comfyui_preview.nodes.registry import Context, Images, Masks, node

Out = tuple[Any, ...]


@node("LoadImage", context=True)
def load_image(context: Context, image: str) -> tuple[Images, Masks]:
    """The picture, and its transparency as a mask (64 by 64 and empty when it has none)."""
    with Image.open(context.folders.annotated(image)) as opened:
        picture = ImageOps.exif_transpose(opened)
        if "A" not in picture.getbands():
            return from_pillow(picture), np.zeros((1, 64, 64), dtype=np.uint8)
        alpha = np.asarray(picture.getchannel("A"), dtype=np.uint8)
        return from_pillow(picture), 255 - alpha[np.newaxis]


@node("ImageScale")
def image_scale(image: Images, upscale_method: str, width: int, height: int, crop: str) -> Out:
    """Another size; a width or height of 0 keeps the proportions."""
    old_height, old_width = image.shape[1:3]
    if width == 0 and height == 0:
        return (image,)
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    return (scaled(image, (width, height), upscale_method, crop),)


@node("ImageScaleBy")
def image_scale_by(image: Images, upscale_method: str, scale_by: float) -> Out:
    """A size multiplied."""
    height, width = (max(1, round(side * scale_by)) for side in image.shape[1:3])
    return (scaled(image, (width, height), upscale_method, "disabled"),)


@node("ImageInvert")
def image_invert(image: Images) -> Out:
    """The negative."""
    return (255 - image,)


@node("Canny")
def canny(image: Images, low_threshold: float, high_threshold: float) -> Out:
    """White edges on black."""
    return (np.stack([canny_edges(picture, low_threshold, high_threshold) for picture in image]),)


@node("ImageBlur")
def image_blur(image: Images, blur_radius: int, sigma: float) -> Out:
    """Blurred; a real server's kernel ends at `blur_radius`, so sigma is bounded by it."""
    blur = ImageFilter.GaussianBlur(min(sigma, float(blur_radius)))
    return (map_batch(image, lambda picture: picture.filter(blur)),)


@node("ImageSharpen")
def image_sharpen(image: Images, sharpen_radius: int, sigma: float, alpha: float) -> Out:
    """Sharpened."""
    radius = min(sigma, float(sharpen_radius))
    sharpen = ImageFilter.UnsharpMask(radius, percent=int(alpha * 100), threshold=0)
    return (map_batch(image, lambda picture: picture.filter(sharpen)),)


@node("ImageQuantize")
def image_quantize(image: Images, colors: int, dither: str) -> Out:
    """Fewer colours; ordered dithering is left out."""
    kind = Image.Dither.FLOYDSTEINBERG if dither == "floyd-steinberg" else Image.Dither.NONE

    def quantize(picture: Image.Image) -> Image.Image:
        palette = picture.quantize(colors)
        return picture.quantize(colors, palette=palette, dither=kind).convert("RGB")

    return (map_batch(image, quantize),)


@node("ImageBlend")
def image_blend(image1: Images, image2: Images, blend_factor: float, blend_mode: str) -> Out:
    """The second picture blended over the first, scaled to it when their sizes differ."""
    if image1.shape[1:3] != image2.shape[1:3]:
        image2 = scaled(image2, (image1.shape[2], image1.shape[1]), "bicubic", "center")
    below, above = image1.astype(np.float32) / 255, image2.astype(np.float32) / 255
    mixed = below + (_blended(below, above, blend_mode) - below) * blend_factor
    return (clipped(mixed * 255),)


def _blended(below: Any, above: Any, mode: str) -> Any:
    if mode == "multiply":
        return below * above
    if mode == "screen":
        return 1 - (1 - below) * (1 - above)
    if mode == "overlay":
        return np.where(below <= 0.5, 2 * below * above, 1 - 2 * (1 - below) * (1 - above))
    if mode == "soft_light":
        return below + (2 * above - 1) * (np.sqrt(below) - below)
    return below - above if mode == "difference" else above


@node("ImageBatch")
def image_batch(image1: Images, image2: Images) -> Out:
    """Both batches one after the other, the second scaled to the first."""
    if image1.shape[1:3] != image2.shape[1:3]:
        image2 = scaled(image2, (image1.shape[2], image1.shape[1]), "bilinear", "center")
    return (np.concatenate([image1, image2]),)


@node("RepeatImageBatch")
def repeat_image_batch(image: Images, amount: int) -> Out:
    """The batch several times."""
    return (np.tile(image, (amount, 1, 1, 1)),)


@node("ImageCrop")
def image_crop(image: Images, width: int, height: int, x: int, y: int) -> Out:
    """A part of the picture; a corner outside is moved inside."""
    x, y = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
    return (image[:, y : y + height, x : x + width],)


@node("ImagePadForOutpaint")
def image_pad(
    image: Images, left: int, top: int, right: int, bottom: int, feathering: int
) -> tuple[Images, Masks]:
    """The picture on a larger grey ground, and the mask of what was added, softened."""
    count, height, width, _ = image.shape
    grown = np.full((count, height + top + bottom, width + left + right, 3), 127, dtype=np.uint8)
    grown[:, top : top + height, left : left + width] = image
    mask = np.full(grown.shape[1:3], 255, dtype=np.uint8)
    mask[top : top + height, left : left + width] = 0
    soft = ImageFilter.GaussianBlur(feathering / 2)
    return grown, map_batch(mask[np.newaxis], lambda picture: picture.filter(soft))


@node("ImageCompositeMasked")
def image_composite(
    destination: Images,
    source: Images,
    x: int,
    y: int,
    resize_source: bool,
    mask: Masks | None = None,
) -> Out:
    """The source put onto the destination at x, y, where the mask is white."""
    height, width = destination.shape[1:3]
    if resize_source:
        source = scaled(source, (width, height), "bilinear", "disabled")
    below = destination[:, y : y + source.shape[1], x : x + source.shape[2]]
    above = source[:1, : below.shape[1], : below.shape[2]]
    share: Any = 1.0
    if mask is not None:
        fitted = scaled(mask[:1], (source.shape[2], source.shape[1]), "bilinear", "disabled")
        share = fitted[:, : below.shape[1], : below.shape[2], np.newaxis].astype(np.float32) / 255
    result = destination.copy()
    mixed = above.astype(np.float32) * share + below.astype(np.float32) * (1 - share)
    result[:, y : y + source.shape[1], x : x + source.shape[2]] = clipped(mixed)
    return (result,)


@node("EmptyImage")
def empty_image(width: int, height: int, batch_size: int, color: int) -> Out:
    """One colour, given as 0xRRGGBB."""
    rgb = np.array([color >> 16 & 255, color >> 8 & 255, color & 255], dtype=np.uint8)
    return (np.broadcast_to(rgb, (batch_size, height, width, 3)).copy(),)
