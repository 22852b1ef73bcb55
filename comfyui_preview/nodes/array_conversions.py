"""Between arrays and Pillow: the few conversions that all nodes share."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from comfyui_preview.nodes.registry import Images

RESAMPLING = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "bislerp": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def from_pillow(picture: Image.Image) -> Images:
    """One RGB picture as a batch of one."""
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)[np.newaxis]


def to_pillow(array: NDArray[np.uint8]) -> Image.Image:
    """One picture (height, width, 3) or mask (height, width) of a batch."""
    return Image.fromarray(array)


def map_batch(
    batch: NDArray[np.uint8], change: Callable[[Image.Image], Image.Image]
) -> NDArray[np.uint8]:
    """The same change made to every picture or mask of a batch."""
    return np.stack([np.asarray(change(to_pillow(picture)), dtype=np.uint8) for picture in batch])


def clipped(values: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.uint8]:
    """Values brought into 0 to 255."""
    clipped_: NDArray[np.uint8] = np.clip(values, 0, 255).astype(np.uint8)
    return clipped_


def luminance(images: Images) -> NDArray[np.uint8]:
    """How bright each pixel is (count, height, width)."""
    return map_batch(images, lambda picture: picture.convert("L"))


def scaled(
    batch: NDArray[np.uint8], size: tuple[int, int], method: str, crop: str
) -> NDArray[np.uint8]:
    """A batch at another size (width, height in px), the middle cut out first when asked."""
    resampling = RESAMPLING[method]

    def scale(picture: Image.Image) -> Image.Image:
        box = _middle(picture.size, size) if crop == "center" else None
        return picture.resize(size, resampling, box=box)

    return map_batch(batch, scale)


def _middle(old: tuple[int, int], new: tuple[int, int]) -> tuple[float, float, float, float]:
    old_ratio, new_ratio = old[0] / old[1], new[0] / new[1]
    width = old[0] if old_ratio <= new_ratio else round(old[1] * new_ratio)
    height = old[1] if old_ratio >= new_ratio else round(old[0] / new_ratio)
    left, top = (old[0] - width) // 2, (old[1] - height) // 2
    return left, top, left + width, top + height
