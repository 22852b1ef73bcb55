"""Canny's edges: gradient, thinning, and weak edges kept where they join strong ones."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
BLUR_PX = 1.0
# how far a weak edge may run from a strong one, in pixels
REACH_PX = 24


def canny_edges(picture: NDArray[np.uint8], low: float, high: float) -> NDArray[np.uint8]:
    """White edges on black (height, width, 3); thresholds as shares of full contrast."""
    grey = Image.fromarray(picture).convert("L").filter(ImageFilter.GaussianBlur(BLUR_PX))
    across, down = _gradients(np.asarray(grey, dtype=np.float32) / np.float32(255))
    strength = np.hypot(across, down)
    strength = np.where(_ridges(strength, across, down), strength, np.float32(0))
    edges = _joined(strength > high, strength > low)
    return np.repeat((edges * np.uint8(255))[..., np.newaxis], 3, axis=2)


def _gradients(grey: Floats) -> tuple[Floats, Floats]:
    padded = np.pad(grey, 1, mode="edge")
    smooth_down = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    smooth_across = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return smooth_down[:, 2:] - smooth_down[:, :-2], smooth_across[2:] - smooth_across[:-2]


def _ridges(strength: Floats, across: Floats, down: Floats) -> Flags:
    """Return which pixels are the strongest along their own gradient, in four directions."""
    size = strength.shape
    padded = np.pad(strength, 1)

    def neighbour(dy: int, dx: int) -> Floats:
        return padded[1 + dy : 1 + dy + size[0], 1 + dx : 1 + dx + size[1]]

    def peak(dy: int, dx: int) -> Flags:
        ridge: Flags = (strength >= neighbour(dy, dx)) & (strength > neighbour(-dy, -dx))
        return ridge

    steep = np.abs(down) > 2.414 * np.abs(across)
    flat = np.abs(across) > 2.414 * np.abs(down)
    diagonal = np.where(across * down >= 0, peak(1, 1), peak(1, -1))
    ridge: Flags = np.where(flat, peak(0, 1), np.where(steep, peak(1, 0), diagonal))
    return ridge


def _joined(strong: Flags, weak: Flags) -> Flags:
    edges = strong
    for _ in range(REACH_PX):
        grown = _grown(edges) & weak | strong
        if np.array_equal(grown, edges):
            break
        edges = grown
    return edges


def _grown(flags: Flags) -> Flags:
    padded = np.pad(flags, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    grown: Flags = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return grown
