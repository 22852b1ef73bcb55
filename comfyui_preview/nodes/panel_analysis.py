"""What a panel holds: how dark each place is, outlines filled, and where its lines run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
# panels often have a drawn frame: this share of each side is not looked at for outlines
MARGIN = 0.03
OUTLINES_PX = 240
INK = 0.35
FILLED = 0.60
# a panel that is darker than paper on less than this share has lines only: outlines are filled
LEAST_WASH = 0.15
WASHED_SHARE = 0.2
# more than this share enclosed means that the outline is the picture's own frame
FRAME_SHARE = 0.6


@dataclass(frozen=True)
class PanelTones:
    """Two fields (height, width) from 0 to 1: darkness of the shapes, and lines."""

    darkness: Floats
    lines: Floats


def tones_of(picture: NDArray[np.uint8], size: tuple[int, int], *, is_guide: bool) -> PanelTones:
    """The tones of a panel, or of a guide (white lines on black), at a size (px)."""
    grey = Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX)
    ink = np.asarray(grey, dtype=np.float32) / np.float32(255)
    ink = ink if is_guide else 1 - ink
    low, high = np.percentile(ink, (3, 99))
    ink = np.clip((ink - low) / max(float(high - low), 0.05), 0, 1)
    darkness = _blurred(ink, size[0] / 600)
    if is_guide or float((ink > LEAST_WASH).mean()) < WASHED_SHARE:
        darkness = np.maximum(darkness, FILLED * _blurred(_enclosed(ink), 3))
    lines = np.clip((ink - _blurred(ink, size[0] / 130)) * 3, 0, 1)
    return PanelTones(darkness.astype(np.float32), lines.astype(np.float32))


def invented_tones(size: tuple[int, int], chance: np.random.Generator) -> PanelTones:
    """A sea with an island and a boat, for a sampler that starts from nothing."""
    width, height = size
    picture = Image.new("L", size, 0)
    draw = ImageDraw.Draw(picture)
    horizon = round(height * chance.uniform(0.58, 0.68))
    draw.rectangle((0, horizon, width, height), fill=80)
    left = width * chance.uniform(0.05, 0.5)
    heights = horizon - height * 0.3 * np.sin(np.linspace(0, np.pi, 12)) * chance.uniform(
        0.6, 1, 12
    )
    ridge = zip(np.linspace(left, left + width * 0.42, 12), heights, strict=True)
    draw.polygon([*ridge, (left + width * 0.42, horizon), (left, horizon)], fill=130)
    _draw_boat(draw, width * chance.uniform(0.3, 0.8), height * 0.8, width * 0.11)
    darkness = np.asarray(
        picture.filter(ImageFilter.GaussianBlur(1.5)), dtype=np.float32
    ) / np.float32(255)
    return PanelTones(darkness, np.zeros_like(darkness))


def _draw_boat(draw: ImageDraw.ImageDraw, x: float, y: float, span: float) -> None:
    hull = [
        (x - span, y - span * 0.25),
        (x + span, y - span * 0.3),
        (x + span * 0.7, y + span * 0.2),
    ]
    draw.polygon([*hull, (x - span * 0.7, y + span * 0.2)], fill=255)
    draw.line((x, y, x, y - span * 1.9), fill=255, width=max(1, round(span / 12)))
    draw.polygon([(x, y - span * 1.8), (x, y - span * 0.4), (x + span, y - span * 0.5)], fill=220)


def _blurred(field: Floats, radius: float) -> Floats:
    picture = Image.fromarray((field * 255).astype(np.uint8))
    return np.asarray(
        picture.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32
    ) / np.float32(255)


def _enclosed(ink: Floats) -> Floats:
    """1 where an outline keeps the paper's white from the picture's edge, else 0."""
    height, width = ink.shape
    small = (OUTLINES_PX, max(8, round(OUTLINES_PX * height / width)))
    strokes = Image.fromarray((ink * 255).astype(np.uint8)).resize(small, Image.Resampling.BOX)
    paper = strokes.point(lambda value: 0 if value > INK * 255 else 255)
    draw = ImageDraw.Draw(paper)
    margin = max(1, round(small[1] * MARGIN))
    draw.rectangle((0, 0, small[0] - 1, small[1] - 1), outline=255, width=margin)
    ImageDraw.floodfill(paper, (0, 0), 128)
    inside = paper.point(lambda value: 255 if value == 255 else 0)
    enclosed = np.asarray(inside.resize((width, height), Image.Resampling.BILINEAR)) / np.float32(
        255
    )
    return np.zeros_like(ink) if enclosed.mean() > FRAME_SHARE else enclosed.astype(np.float32)
