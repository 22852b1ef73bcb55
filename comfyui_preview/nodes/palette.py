"""The colours of a preview: warm paper for silhouettes, cool paper for the lab."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float32]


@dataclass(frozen=True)
class Palette:
    """Sky above and below, its light, the far, middle and near papers, and lines or None."""

    high: Colour
    low: Colour
    light: Colour
    papers: tuple[Colour, Colour, Colour]
    lines: Colour | None


# high, low and light of the sky, far and middle paper; the near paper is almost black
WARM = (
    (0xC9742E, 0xF0B45A, 0xFFEDB8, 0xB4622A, 0x6A3218),
    (0xB65A3C, 0xEFA06A, 0xFFE3C2, 0x9C4A36, 0x57261F),
    (0xC98F3A, 0xEFCB7C, 0xFFF6D2, 0xA9742F, 0x5A3C1A),
    (0x9A4B4A, 0xE59A63, 0xFFE2A8, 0x8A3F40, 0x4B2028),
)
COOL = (
    (0x5F93A8, 0xB9D6DA, 0xF1FBF8, 0x6E9FB0, 0x2F5F77),
    (0x6A86B0, 0xC2D2E4, 0xF4F8FF, 0x7690B8, 0x34507C),
    (0x5FA39B, 0xBEDFD6, 0xF3FFF9, 0x6BABA2, 0x2A6A68),
)
WARM_NEAR, WARM_PALE = 0x140C08, 0x6B4A36
COOL_NEAR, COOL_PALE = 0x0C1E2E, 0x3F5F74
COOL_LINES = 0xE8FBFF


def palette_for(is_lab: bool, lora_strength: float, chance: np.random.Generator) -> Palette:
    """One of the looks' palettes, by chance; a strong LoRA makes the near paper black."""
    choices = COOL if is_lab else WARM
    high, low, light, far, middle = map(_colour, choices[chance.integers(len(choices))])
    near, pale = (COOL_NEAR, COOL_PALE) if is_lab else (WARM_NEAR, WARM_PALE)
    black = min(1.0, max(0.0, lora_strength or 0.7))
    papers = (
        _between(light, far, 0.55 + 0.45 * black),
        _between(far, middle, 0.4 + 0.6 * black),
        _between(_colour(pale), _colour(near), black),
    )
    return Palette(high, low, light, papers, _colour(COOL_LINES) if is_lab else None)


def _colour(rgb: int) -> Colour:
    return np.array([rgb >> 16, rgb >> 8 & 255, rgb & 255], dtype=np.float32)


def _between(first: Colour, second: Colour, share: float) -> Colour:
    return first + (second - first) * np.float32(share)
