"""What the preview server paints: the same for the same seed, and told apart by what was asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from comfyui_preview.nodes.painting import Scene, paint

PANELS = sorted((Path(__file__).parents[3] / "samples" / "panels").glob("*.png"))
SCENE = Scene(
    width=320,
    height=184,
    source=np.asarray(Image.open(PANELS[0]).convert("RGB").resize((320, 184))),
    guide=None,
    guide_strength=0,
    text="paper silhouettes",
    seed=7,
    steps=30,
    cfg=7.5,
    denoise=0.9,
    lora_strength=0.9,
)


def warmth(picture: Any) -> float:
    """How much redder than blue a picture is, from -255 to 255."""
    return float(picture[..., 0].mean() - picture[..., 2].mean())


def test_same_scene_gives_the_same_pixels() -> None:
    assert np.array_equal(paint(SCENE), paint(replace(SCENE)))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"cfg": 1.0},
        {"denoise": 0.3},
        {"steps": 4},
        {"lora_strength": 0.4},
        {"text": "laboratory"},
    ],
    ids=str,
)
def test_each_parameter_shows(change: dict[str, Any]) -> None:
    difference = paint(SCENE).astype(int) - paint(replace(SCENE, **change)).astype(int)

    assert np.abs(difference).mean() > 0.5


def test_silhouettes_are_dark_before_a_warm_light() -> None:
    picture = paint(SCENE)

    assert warmth(picture) > 40
    assert np.percentile(picture.mean(axis=2), 5) < 40
    assert np.percentile(picture.mean(axis=2), 95) > 140


@pytest.mark.parametrize(
    "change", [{"text": "optical laboratory"}, {"text": "a street", "lora_strength": 0.1}], ids=str
)
def test_lab_is_cool(change: dict[str, Any]) -> None:
    assert warmth(paint(replace(SCENE, **change))) < 0


def test_no_denoise_leaves_the_panel_as_it_is() -> None:
    picture = paint(replace(SCENE, denoise=0.0))

    assert np.abs(picture.astype(int) - SCENE.source).mean() < 2


def test_stronger_lora_makes_darker_shapes() -> None:
    strong, weak = paint(SCENE), paint(replace(SCENE, lora_strength=0.4))

    assert np.percentile(strong, 5) < np.percentile(weak, 5)


def test_outlines_of_a_guide_are_filled() -> None:
    guide = np.zeros((180, 320, 3), dtype=np.uint8)
    guide[60:120, 100:104] = guide[60:120, 196:200] = 255
    guide[60:64, 100:200] = guide[116:120, 100:200] = 255

    picture = paint(replace(SCENE, source=None, guide=guide, guide_strength=1.0)).mean(axis=2)

    assert picture[90, 150] < picture[90, 30] - 40


def test_something_is_painted_from_nothing() -> None:
    picture = paint(replace(SCENE, source=None))

    assert picture.shape == (184, 320, 3)
    assert picture.std() > 30
