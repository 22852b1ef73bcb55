"""A pencil for the sample panels: strokes that tremble, washes of grey with hatching on top."""

import math
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Points = Sequence[Point]

WIDTH, HEIGHT = 1280, 720
# drawn larger and reduced at the end, for soft edges
OVERSIZE = 2
PAPER = 247
GREYS = 20


class Sketch:
    """One panel in points of 1280 by 720; tones run from 0 (black) to 255 (white)."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (drawing, not secrets)
        size = (WIDTH * OVERSIZE, HEIGHT * OVERSIZE)
        self._picture = Image.new("L", size, PAPER)

    def line(self, points: Points, weight: float = 2.0, tone: int = 60, passes: int = 2) -> None:
        """A curve through the points, gone over several times, never twice the same."""
        self._stroke(smooth(points), weight, tone, passes)

    def wash(self, points: Points, tone: int, *, angle: float = 35, curved: bool = True) -> None:
        """A shape filled with grey, hatched over, with its outline drawn."""
        outline = smooth([*points, points[0]]) if curved else [*points, points[0]]
        mask = Image.new("L", self._picture.size, 0)
        ImageDraw.Draw(mask).polygon(scaled(outline), fill=255)
        mask = mask.filter(ImageFilter.GaussianBlur(1.2))
        flat = Image.new("L", self._picture.size, tone)
        hatched = ImageChops.darker(flat, self._hatching(tone, angle))
        self._picture = Image.composite(hatched, self._picture, mask)
        self._stroke(outline, 1.8, max(20, tone - 60), 2)

    def hatch(self, box: tuple[float, float, float, float], tone: int, angle: float) -> None:
        """Loose strokes over a box (left, top, right, bottom), for rain, shade and water."""
        left, top, right, bottom = box
        layer = Image.new("L", self._picture.size, 255)
        draw = ImageDraw.Draw(layer)
        for _ in range(round((right - left) * (bottom - top) / 1500)):
            start = self._chance.uniform(left, right), self._chance.uniform(top, bottom)
            length = self._chance.uniform(18, 60)
            end = turned(start, length, angle + self._chance.uniform(-3, 3))
            draw.line(scaled([start, end]), fill=tone, width=OVERSIZE)
        self._picture = ImageChops.darker(self._picture, layer)

    def water(self, top: float, tone: int = 165, seed_gap: float = 16) -> None:
        """A sea from a height down: a light wash, and wavelets that grow towards the front."""
        self.wash(
            [(-20, top), (WIDTH + 20, top), (WIDTH + 20, 740), (-20, 740)],
            tone,
            angle=2,
            curved=False,
        )
        height, gap = top + 8, seed_gap / 2
        while height < HEIGHT:
            self._wavelets(height, gap)
            gap *= 1.22
            height += gap

    def gulls(self, places: Points, span: float = 14) -> None:
        """Birds far away."""
        for x, y in places:
            self.line([(x - span, y - 5), (x - span / 2, y - 8), (x, y)], 2, 50)
            self.line([(x, y), (x + span / 2, y - 8), (x + span, y - 4)], 2, 50)

    def disc(self, centre: Point, radius: float) -> None:
        """The sun or the moon: white paper with a trembling rim."""
        rim = ellipse(centre, radius, radius)
        ImageDraw.Draw(self._picture).polygon(scaled(rim), fill=255)
        self.line([*rim, rim[0]], 1.4, 208, passes=2)

    def save(self, path: Path) -> None:
        """Write the panel as a small grey PNG."""
        picture = self._picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        step = 255 / (GREYS - 1)
        picture = picture.point(lambda value: round(round(value / step) * step))
        picture.save(path, optimize=True)

    def _stroke(self, points: Points, weight: float, tone: int, passes: int) -> None:
        layer = Image.new("L", self._picture.size, 255)
        draw = ImageDraw.Draw(layer)
        for _ in range(passes):
            shaken = [self._shaken(point, 1.3) for point in points]
            width = max(1, round(weight * OVERSIZE * self._chance.uniform(0.7, 1.1)))
            draw.line(scaled(shaken), fill=tone, width=width, joint="curve")
        self._picture = ImageChops.darker(self._picture, layer)

    def _wavelets(self, height: float, gap: float) -> None:
        x = self._chance.uniform(-60, 40)
        while x < WIDTH:
            length = self._chance.uniform(2.5, 6) * gap + 14
            crest = [(x, height), (x + length / 2, height - gap / 4), (x + length, height + 1)]
            self.line(crest, 1.3, 105, passes=1)
            x += length + self._chance.uniform(3, 14) * gap

    def _hatching(self, tone: int, angle: float) -> Image.Image:
        layer = Image.new("L", self._picture.size, 255)
        draw = ImageDraw.Draw(layer)
        reach, offset = WIDTH + HEIGHT, -float(WIDTH)
        while offset < reach:
            start = turned((WIDTH / 2, HEIGHT / 2), offset, angle + 90)
            first, last = turned(start, -reach, angle), turned(start, reach, angle + 0.6)
            draw.line(scaled([first, last]), fill=max(15, tone - 22), width=OVERSIZE)
            offset += self._chance.uniform(5, 9)
        return layer

    def _shaken(self, point: Point, reach: float) -> Point:
        return (
            point[0] + self._chance.uniform(-reach, reach),
            point[1] + self._chance.uniform(-reach, reach),
        )


def scaled(points: Points) -> list[Point]:
    """The points at the size that is drawn."""
    return [(x * OVERSIZE, y * OVERSIZE) for x, y in points]


def turned(start: Point, length: float, angle: float) -> Point:
    """The point that lies so far from another, at an angle in degrees."""
    radians = math.radians(angle)
    return start[0] + length * math.cos(radians), start[1] + length * math.sin(radians)


def ellipse(centre: Point, across: float, down: float) -> list[Point]:
    """An outline round a centre."""
    turns = [index * math.tau / 28 for index in range(28)]
    return [(centre[0] + across * math.cos(t), centre[1] + down * math.sin(t)) for t in turns]


def moved(points: Points, by: Point, size: float = 1.0) -> list[Point]:
    """A shape put elsewhere, at another size; a negative width is had by `flipped`."""
    return [(x * size + by[0], y * size + by[1]) for x, y in points]


def flipped(points: Points) -> list[Point]:
    """A shape that looks the other way."""
    return [(-x, y) for x, y in points]


def smooth(points: Points, parts: int = 6) -> list[Point]:
    """A curve through all points (Catmull and Rom's)."""
    if len(points) < 3:
        return list(points)
    around = [points[0], *points, points[-1]]
    curve = []
    for before, start, end, after in zip(around, around[1:], around[2:], around[3:], strict=False):
        curve += [_between(before, start, end, after, part / parts) for part in range(parts)]
    return [*curve, points[-1]]


def _between(before: Point, start: Point, end: Point, after: Point, t: float) -> Point:
    def along(a: float, b: float, c: float, d: float) -> float:
        bend = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
        return 0.5 * (2 * b + (c - a) * t + bend)

    return (
        along(before[0], start[0], end[0], after[0]),
        along(before[1], start[1], end[1], after[1]),
    )
