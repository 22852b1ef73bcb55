"""Scenes that are drawn by chance: each as a storyboard's panel, and as pictures made of it."""

import random
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (640, 360)
_WIDTH, _HEIGHT = SIZE
Point = tuple[float, float]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """Outlines from the background to the front, and a moon, where it has a radius."""

    outlines: tuple[tuple[Point, ...], ...]
    moon: tuple[float, float, float]  #: its middle and its radius, px


@dataclass(frozen=True)
class Light:
    """How a picture of a scene is made: colours of the sky, what chance adds to it."""

    top: Colour
    bottom: Colour
    noise: float = 6.0
    stray_px: float = 4.0  #: how far outlines may be beside their places
    clouds: int = 4
    seed: int = 0


def scene(chance: random.Random) -> Scene:
    """Return a scene: one or two ridges, some things that stand on them, one to three figures."""
    horizon = chance.uniform(0.45, 0.75) * _HEIGHT
    ridges = [_ridge(chance, horizon + n * 40) for n in range(chance.randint(1, 2))]
    things = [_thing(chance, horizon) for _ in range(chance.randint(1, 5))]
    figures = [_figure(chance) for _ in range(chance.randint(1, 3))]
    radius = chance.choice([0, chance.uniform(12, 25), chance.uniform(25, 40)])
    moon = (chance.uniform(60, _WIDTH - 60), chance.uniform(30, 110), radius)
    return Scene((*ridges, *things, *figures), moon)


def _ridge(chance: random.Random, height: float) -> tuple[Point, ...]:
    line = [(x, height + chance.uniform(-35, 35)) for x in range(0, _WIDTH + 1, 80)]
    return (*line, (_WIDTH, _HEIGHT + 10.0), (0.0, _HEIGHT + 10.0))


def _thing(chance: random.Random, horizon: float) -> tuple[Point, ...]:
    left, width = chance.uniform(0, _WIDTH - 60), chance.uniform(25, 120)
    top = horizon - chance.uniform(30, 150)
    roof = top - chance.uniform(0, 50)
    right, foot = left + width, horizon + 30
    return ((left, foot), (left, top), ((left + right) / 2, roof), (right, top), (right, foot))


def _figure(chance: random.Random) -> tuple[Point, ...]:
    middle, foot = chance.uniform(60, _WIDTH - 60), chance.uniform(0.8, 1.0) * _HEIGHT
    height = chance.uniform(80, 230)
    half, head = height * chance.uniform(0.12, 0.2), height * 0.12
    angles = np.linspace(np.pi * 0.75, np.pi * 2.25, 12)
    top = foot - height + head
    skull = [(middle + head * float(np.cos(a)), top + head * float(np.sin(a))) for a in angles]
    return ((middle - half, foot), *skull, (middle + half, foot))


def panel(of: Scene, chance: random.Random) -> Image.Image:
    """Return it as a board: lines of a pencil on paper, some grey, a frame."""
    image = Image.new("RGB", SIZE, (250, 249, 245))
    draw = ImageDraw.Draw(image)
    _ring(draw, of.moon, outline=(60, 60, 60))
    for outline in of.outlines:
        grey = chance.choice([(250, 249, 245), (205, 205, 205), (150, 150, 150)])
        draw.polygon(outline, fill=grey)
        draw.line([*outline, outline[0]], fill=(40, 40, 40), width=3)
    draw.rectangle((0, 0, _WIDTH - 1, _HEIGHT - 1), outline=(30, 30, 30), width=3)
    return image


def picture(of: Scene, light: Light) -> Image.Image:
    """Return it as silhouettes before a sky."""
    chance = random.Random(light.seed)
    image = _sky(light)
    draw = ImageDraw.Draw(image)
    for _ in range(light.clouds):
        x, y = chance.uniform(0, _WIDTH), chance.uniform(0, _HEIGHT * 0.5)
        tone = tuple(min(255, value + 18) for value in light.top)
        draw.ellipse((x, y, x + chance.uniform(60, 220), y + chance.uniform(8, 30)), fill=tone)
    image = image.filter(ImageFilter.GaussianBlur(6))
    draw = ImageDraw.Draw(image)
    _ring(draw, of.moon, fill=(240, 235, 215))
    for n, outline in enumerate(of.outlines):
        depth = 1 - (n + 1) / len(of.outlines)
        tone = tuple(int(10 + 0.5 * depth * value) for value in light.bottom)
        draw.polygon([_strayed(point, light, chance) for point in outline], fill=tone)
    return noisy(image, light.noise, light.seed)


def _sky(light: Light) -> Image.Image:
    down = np.linspace(0, 1, _HEIGHT)[:, None, None]
    colours = np.array(light.top) * (1 - down) + np.array(light.bottom) * down
    return Image.fromarray(np.repeat(colours, _WIDTH, axis=1).astype(np.uint8))


def _ring(draw: ImageDraw.ImageDraw, moon: tuple[float, float, float], **how: Colour) -> None:
    x, y, radius = moon
    if not radius:
        return
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), width=3, **how)


def _strayed(point: Point, light: Light, chance: random.Random) -> Point:
    stray = light.stray_px
    return (point[0] + chance.uniform(-stray, stray), point[1] + chance.uniform(-stray, stray))


def noisy(image: Image.Image, noise: float, seed: int = 0) -> Image.Image:
    """Return it with the grain that a sampler, or a codec, leaves."""
    grain = np.random.default_rng(seed).normal(0, noise, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


#: Skies of the house: the same place in other lights.
LIGHTS = {
    "dusk": Light((60, 40, 90), (240, 150, 80)),
    "blue hour": Light((15, 25, 60), (70, 110, 170)),
    "night": Light((4, 6, 18), (22, 30, 60)),
    "fog": Light((150, 155, 160), (190, 192, 195)),
    "noon": Light((90, 160, 220), (225, 235, 240)),
}


def redrawn(light: Light, seed: int) -> Light:
    """Return a light with another seed: its grain, clouds and strayed outlines are others."""
    return replace(light, seed=seed)
