"""The look of a preview: a panel's shapes cut out of dark paper before a lit paper sky."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from comfyui_preview.nodes.palette import Palette, palette_for
from comfyui_preview.nodes.panel_analysis import PanelTones, invented_tones, tones_of
from comfyui_preview.nodes.registry import Images

Floats = NDArray[np.float32]
# shapes are found on a picture of this width (px) and cut out at full size
SHAPES_PX = 960
# where the far, middle and near papers begin, as darkness of the panel from 0 to 1
CUTS = (0.20, 0.42, 0.66)
LAB_WORDS = re.compile(
    r"\b(labo?|laborator\w*|laboratoire|blueprint|x-?ray|clinical|cold)\b", re.IGNORECASE
)
SILHOUETTE_WORDS = re.compile(r"silhouette|shadow|ombre|backlit|paper", re.IGNORECASE)
# a LoRA weaker than this no longer makes the warm look when the words do not say
WEAK_LORA = 0.35


@dataclass(frozen=True)
class Scene:
    """What a sampler was asked for: sizes in px, pictures as (height, width, 3)."""

    width: int
    height: int
    source: Images | None
    guide: Images | None
    guide_strength: float
    text: str
    seed: int
    steps: int
    cfg: float
    denoise: float
    lora_strength: float

    def is_lab(self) -> bool:
        """Whether words, or a weak LoRA, ask for the cooler look."""
        if LAB_WORDS.search(self.text):
            return True
        return not SILHOUETTE_WORDS.search(self.text) and self.lora_strength < WEAK_LORA


def paint(scene: Scene) -> Images:
    """The picture (height, width, 3); the same scene always gives the same pixels."""
    chance = np.random.default_rng(scene.seed & 0xFFFF_FFFF_FFFF_FFFF)
    palette = palette_for(scene.is_lab(), scene.lora_strength, chance)
    tones = _tones(scene, chance)
    picture = _sky(scene, palette, chance)
    for cut, colour in zip(CUTS, palette.papers, strict=True):
        _lay(picture, _enlarged(tones.darkness, scene), cut, colour, scene.cfg)
    if palette.lines is not None:
        _draw(picture, _enlarged(tones.lines, scene), palette.lines)
    _finish(picture, scene, chance)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _tones(scene: Scene, chance: np.random.Generator) -> PanelTones:
    size = (SHAPES_PX, max(8, round(SHAPES_PX * scene.height / scene.width)))
    if scene.source is not None:
        return tones_of(scene.source, size, is_guide=False)
    if scene.guide is not None and scene.guide_strength > 0:
        return tones_of(scene.guide, size, is_guide=True)
    return invented_tones(size, chance)


def _enlarged(small: Floats, scene: Scene) -> Floats:
    field = Image.fromarray(small).resize(
        (scene.width, scene.height), Image.Resampling.BICUBIC, reducing_gap=None
    )
    return np.asarray(field, dtype=np.float32)


def _sky(scene: Scene, palette: Palette, chance: np.random.Generator) -> Floats:
    """A gradient with a light in it; made small and enlarged, as it has no detail."""
    width, height = 96, max(8, round(96 * scene.height / scene.width))
    down = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis]
    across = np.linspace(0, 1, width, dtype=np.float32)[np.newaxis, :]
    sun_x, sun_y = chance.uniform(0.25, 0.75), chance.uniform(0.30, 0.52)
    distance = np.hypot((across - sun_x) * scene.width / scene.height, down - sun_y)
    glow = np.exp(-((distance / 0.55) ** 2))[..., np.newaxis]
    corner = np.hypot(across - 0.5, down - 0.5)[..., np.newaxis]
    sky = palette.high + (palette.low - palette.high) * (down**0.8)[..., np.newaxis]
    sky = sky + (palette.light - sky) * glow
    sky = sky * (1 - 0.45 * np.maximum(0, corner - 0.25))
    rough = chance.normal(0, 2.2, (height, width, 1)).astype(np.float32)
    sky = (sky + rough).astype(np.float32)
    bands = [_enlarged(np.ascontiguousarray(sky[..., band]), scene) for band in range(3)]
    return np.stack(bands, axis=2)


def _lay(
    picture: Floats, darkness: Floats, cut: float, colour: NDArray[np.float32], cfg: float
) -> None:
    """Lay one sheet of paper where the panel is darker than the cut; a high cfg cuts sharper."""
    softness = 0.05 / (1 + cfg / 4)
    cover = np.clip((darkness - cut) / softness + 0.5, 0, 1)
    cover *= 1 - 0.25 * max(0.0, 1 - cfg / 6)
    rows, columns = np.nonzero(cover.any(axis=1))[0], np.nonzero(cover.any(axis=0))[0]
    if rows.size == 0:
        return
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    share = cover[box][..., np.newaxis]
    picture[box] += (colour - picture[box]) * share


def _draw(picture: Floats, lines: Floats, colour: NDArray[np.float32]) -> None:
    share = np.clip(lines * 1.4 - 0.2, 0, 0.8)[..., np.newaxis]
    picture += (colour - picture) * share


def _finish(picture: Floats, scene: Scene, chance: np.random.Generator) -> None:
    """Grain that few steps leave, and what a low denoise leaves of the picture it began with."""
    grain = 2.0 + 26.0 * max(0.0, 1 - scene.steps / 20)
    small = chance.normal(0, grain, (scene.height // 3 + 1, scene.width // 3 + 1))
    noise = np.repeat(np.repeat(small.astype(np.float32), 3, axis=0), 3, axis=1)
    picture += noise[: scene.height, : scene.width, np.newaxis]
    kept = 1 - min(1.0, max(0.0, (scene.denoise - 0.05) / 0.6))
    if scene.source is not None and kept > 0:
        source = np.asarray(Image.fromarray(scene.source).resize((scene.width, scene.height)))
        picture += (source.astype(np.float32) - picture) * np.float32(kept)
