"""Each check held against what is wrong and what is right."""

import io
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageOps

from generation import picture_measures
from generation.decoding import pillow_images
from generation.picture_checks import CHECKS
from lab.picture_checks import scenes
from lab.picture_checks.scenes import LIGHTS, SIZE, Scene

_WIDTH_PX = 320
_PIXELS_MAX = 10**7


@dataclass(frozen=True)
class Trial:
    """A check: its figures for one kind of what is wrong, and for what is right."""

    check: str
    what: str
    bad: list[float]
    beside: str
    good: list[float]

    @property
    def bound(self) -> float:
        """The default bound."""
        return CHECKS[self.check].usual

    @property
    def is_on(self) -> bool:
        """Whether it is on by default."""
        return CHECKS[self.check].is_on

    @property
    def n_found(self) -> int:
        """How many of what is wrong it finds."""
        return self._beyond(self.bad)

    @property
    def n_alarms(self) -> int:
        """How many of what is right it finds."""
        return self._beyond(self.good)

    @property
    def alarmed(self) -> float:
        """Which part of what is right it finds."""
        return self.n_alarms / len(self.good)

    def _beyond(self, values: Iterable[float]) -> int:
        return sum(CHECKS[self.check].finds(value, self.bound) for value in values)


@dataclass(frozen=True)
class Drawn:
    """A scene with its panel and the pictures of it: one in each light."""

    scene: Scene
    panel: bytes
    pictures: list[Image.Image]
    sketches: list[bytes]


def sketch(image: Image.Image) -> bytes:
    """Return the sketch of an image as Madsea takes it: by way of its small picture."""
    held = io.BytesIO()
    image.save(held, "PNG", compress_level=1)
    [small] = pillow_images.reduce(held.getvalue(), widths_px=[_WIDTH_PX], max_pixels=_PIXELS_MAX)
    return pillow_images.sketch(small, max_pixels=_PIXELS_MAX)


def all_of(n_scenes: int, chance: random.Random) -> list[Trial]:
    """Draw so many scenes, and hold every check against them."""
    drawn = [_drawn(chance) for _ in range(n_scenes)]
    return [*_tones(drawn, chance), *_likenesses(drawn, chance), *_compositions(drawn)]


def _drawn(chance: random.Random) -> Drawn:
    scene = scenes.scene(chance)
    lights = [scenes.redrawn(light, chance.randrange(10**6)) for light in LIGHTS.values()]
    pictures = [scenes.picture(scene, light) for light in lights]
    panel = sketch(scenes.panel(scene, chance))
    return Drawn(scene, panel, pictures, [sketch(each) for each in pictures])


# Black, white, of one colour ----------------------------------------------------------------------


def _tones(drawn: list[Drawn], chance: random.Random) -> list[Trial]:
    good = [picture_measures.tones(each) for of in drawn for each in of.sketches]
    n_bad = len(drawn)
    colours = [tuple(chance.randrange(256) for _ in "rgb") for _ in range(n_bad)]
    plain = partial(_flat, noise=5.0)
    bad = {
        "black": ("black, with and without grain", [plain((n % 4,) * 3) for n in range(n_bad)]),
        "white": (
            "white, with and without grain",
            [plain((255 - n % 4,) * 3) for n in range(n_bad)],
        ),
        "one_colour": ("a colour with grain", [plain(colour) for colour in colours]),
    }
    return [
        Trial(
            name,
            what,
            [getattr(picture_measures.tones(each), CHECKS[name].measure) for each in pictures],
            "five lights of each scene",
            [getattr(each, CHECKS[name].measure) for each in good],
        )
        for name, (what, pictures) in bad.items()
    ]


def _flat(colour: tuple[int, ...], noise: float) -> bytes:
    return sketch(scenes.noisy(Image.new("RGB", SIZE, colour), noise, sum(colour)))


# Alike --------------------------------------------------------------------------------------------


def _likenesses(drawn: list[Drawn], chance: random.Random) -> list[Trial]:
    copies = [_apart(of.sketches[0], sketch(_copied(of.pictures[0], chance))) for of in drawn]
    by_seed = [
        _apart(of.sketches[n], sketch(scenes.picture(of.scene, scenes.redrawn(light, n))))
        for of in drawn
        for n, light in enumerate(LIGHTS.values())
    ]
    changed = [_apart(of.sketches[0], sketch(_changed(of, chance))) for of in drawn]
    lights = [_apart(of.sketches[0], each) for of in drawn for each in of.sketches[1:]]
    plans = [
        _apart(drawn[n].sketches[light], drawn[n - 1].sketches[light])
        for n in range(len(drawn))
        for light in range(len(LIGHTS))
    ]
    what = "saved again, with other grain"
    return [
        Trial("like_version", what, copies, "the same light with another seed", by_seed),
        Trial("like_version", what, copies, "one figure is changed", changed),
        Trial("like_version", what, copies, "another light", lights),
        Trial("like_plan", what, copies, "another scene in the same light", plans),
    ]


def _apart(first: bytes, second: bytes) -> float:
    """Return how far two are apart, as Madsea sees it: what looks otherwise is not compared."""
    bits = picture_measures.bits_apart(picture_measures.look(first), picture_measures.look(second))
    return (
        picture_measures.distance(first, second) if bits <= picture_measures.BITS_APART_MAX else 1.0
    )


def _copied(image: Image.Image, chance: random.Random) -> Image.Image:
    held = io.BytesIO()
    scenes.noisy(image, 3.0, chance.randrange(10**6)).save(held, "JPEG", quality=70)
    return Image.open(held).convert("RGB")


def _changed(of: Drawn, chance: random.Random) -> Image.Image:
    """Return the first picture with its last figure where the scene does not have it."""
    *others, last = of.scene.outlines
    away = chance.choice((-60, 60))
    moved = tuple((x + away, y) for x, y in last)
    light = scenes.redrawn(next(iter(LIGHTS.values())), chance.randrange(10**6))
    return scenes.picture(Scene((*others, moved), of.scene.moon), light)


# Composition --------------------------------------------------------------------------------------


def _compositions(drawn: list[Drawn]) -> list[Trial]:
    good = [_away(each, of) for of in drawn for each in of.sketches]
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "mirrored": ImageOps.mirror,
        "moved by an eighth": lambda image: image.transform(
            SIZE, Image.Transform.AFFINE, (1, 0, SIZE[0] / 8, 0, 1, 0)
        ),
        "cropped to two thirds": lambda image: ImageOps.fit(
            image.crop((SIZE[0] // 6, SIZE[1] // 6, SIZE[0] * 5 // 6, SIZE[1] * 5 // 6)), SIZE
        ),
    }
    bad = {
        what: [_away(sketch(change(image)), of) for of in drawn for image in of.pictures]
        for what, change in changes.items()
    }
    bad["another scene"] = [
        _away(each, drawn[n - 1]) for n, of in enumerate(drawn) for each in of.sketches
    ]
    return [
        Trial("composition", what, away, "five lights of each scene", good)
        for what, away in bad.items()
    ]


def _away(picture: bytes, of: Drawn) -> float:
    away = picture_measures.composition_distance(picture, of.panel)
    return 0.0 if away is None else away
