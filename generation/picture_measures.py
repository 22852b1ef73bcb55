"""What is measured of a picture: how bright it is, how it looks from afar, where its edges are.

All of it is taken from a sketch: 64 × 36 pixels of red, green and blue, whatever the picture's own
size and ratio. So it does not see what is small, and does not depend on how a file is compressed.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from generation.decoding.pillow_images import SKETCH_SIZE

Grid: TypeAlias = NDArray[np.float64]

WIDTH, HEIGHT = SKETCH_SIZE
#: Pictures whose looks differ in more bits are not alike.
BITS_APART_MAX = 12
#: How red, green and blue make grey, as eyes see them.
_GREY = (0.299, 0.587, 0.114)
#: Steps between neighbours that are no larger say nothing of how a picture looks.
_NO_STEP = 0.01
#: Two pictures are held against each other in so many columns and rows.
_COLUMNS, _ROWS = 8, 6
#: Frames that are drawn around panels stand here.
_MARGIN = 2
#: An edge is felt so many cells around it: a line that is drawn beside its place is in its place.
_SPREAD = 2
#: What is weaker is no edge.
_NO_EDGE = 0.02


@dataclass(frozen=True)
class Tones:
    """How bright the brightest and the darkest place are, and how far colours spread: 0 to 1."""

    brightest: float
    darkest: float
    contrast: float


def tones(sketch: bytes) -> Tones:
    """Return how bright a picture is, and how much there is to be seen in it."""
    colours = _colours(sketch)
    grey = colours @ np.array(_GREY)
    low, high = np.percentile(colours.reshape(-1, 3), (1, 99), axis=0)
    return Tones(float(grey.max()), float(grey.min()), float((high - low).max()))


def look(sketch: bytes) -> int:
    """Return 64 bits of how a picture looks: where it becomes brighter to the right, and downwards.

    Pictures that look alike differ in few of them. It is a signed number, as databases keep it.
    """
    grey = _colours(sketch) @ np.array(_GREY)
    across = np.diff(_reduced(grey, 4, 9), axis=1)
    down = np.diff(_reduced(grey, 9, 4), axis=0)
    bits = np.concatenate([across.ravel(), down.ravel()]) > _NO_STEP
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)


def bits_apart(first: int, second: int) -> int:
    """Return in how many of their 64 bits two looks differ."""
    return ((first ^ second) & (2**64 - 1)).bit_count()


def distance(first: bytes, second: bytes) -> float:
    """Return how far two sketches are apart where they differ most: 0 (the same) to 1.

    What has changed in one place only counts in full: a moon that became smaller is a change.
    """
    apart = np.abs(_colours(first) - _colours(second)).mean(axis=2)
    parts = apart.reshape(_ROWS, HEIGHT // _ROWS, _COLUMNS, WIDTH // _COLUMNS)
    return float(parts.mean(axis=(1, 3)).max())


def composition_distance(picture: bytes, panel: bytes) -> float | None:
    """Return how far a picture's edges are from those of its panel: 0 (in the same places) to 1.

    None: there are no edges in one of them.
    """
    found, drawn = _edges(picture), _edges(panel)
    found, drawn = found - found.mean(), drawn - drawn.mean()
    both = float(np.sqrt((found**2).sum() * (drawn**2).sum()))
    if both < 1e-9:
        return None
    return 1.0 - max(0.0, float((found * drawn).sum()) / both)


def _edges(sketch: bytes) -> Grid:
    """Return how near each place is to an edge, strong ones and weak ones nearly alike."""
    colours = _colours(sketch)
    down, across = np.gradient(colours, axis=(0, 1))
    strength = np.sqrt(down**2 + across**2).max(axis=2)
    felt = np.sqrt(np.clip(strength - _NO_EDGE, 0, None))
    for _ in range(_SPREAD):
        felt = _blurred(felt)
    inner: Grid = felt[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return inner


def _blurred(grid: Grid) -> Grid:
    padded = np.pad(grid, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    blurred: Grid = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16
    return blurred


def _reduced(grid: Grid, rows: int, columns: int) -> Grid:
    """Return the means of so many rows and columns of a grid."""
    lines = [part.mean(axis=0) for part in np.array_split(grid, rows, axis=0)]
    cells = [part.mean(axis=1) for part in np.array_split(np.array(lines), columns, axis=1)]
    return np.array(cells).T


def _colours(sketch: bytes) -> Grid:
    pixels = np.frombuffer(sketch, np.uint8).reshape(HEIGHT, WIDTH, 3)
    colours: Grid = pixels / 255.0
    return colours
