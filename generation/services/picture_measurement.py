"""What is measured of a picture when its small pictures are made: once, before anybody looks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from generation import image_decoding, picture_measures, storage, thumbnails
from generation.examined_images import UnreadableImage
from generation.models import Measure, Version

#: Measures are taken from the small picture of this width: it is decoded in a moment.
WIDTH_PX = 320
#: Of those that may be alike, so many are compared: the nearest.
COMPARED_MAX = 8


def take(version: Version, marks: storage.Marks) -> None:
    """Measure a version whose small pictures are made; again, it gives the same.

    Nothing is measured of what nobody reviews.

    Raises:
        UnreadableImage: its small picture cannot be read.
        StorageError: its panel cannot be read now.
        Busy: too much is being decoded just now.
    """
    sketch = _sketch(version) if version.review_state else None
    if sketch is None:
        return
    tones = picture_measures.tones(sketch)
    figures = {
        "brightest": tones.brightest,
        "darkest": tones.darkest,
        "contrast": tones.contrast,
        "look": picture_measures.look(sketch),
        "panel_distance": _panel_distance(version, sketch, marks),
        "version_distance": None,
        "plan_distance": None,
    }
    # First it is there, then it looks for others: of two at once, one sees the other.
    measure, _ = Measure.objects.update_or_create(
        version=version, defaults=figures | _size(version)
    )
    for like in _alike(measure, sketch):
        like.write_down()


def _sketch(version: Version) -> bytes | None:
    small = thumbnails.read_kept(version, WIDTH_PX)
    return None if small is None else image_decoding.sketch(small)


# Size and ratio -----------------------------------------------------------------------------------


def _size(version: Version) -> dict[str, float | None]:
    """Return how far a version is from the size that its run, or its style, asks for."""
    asked = _asked_size(version)
    if asked is None or not (version.width_px and version.height_px):
        return {"smaller_by": None, "ratio_off_by": None}
    width_px, height_px = asked
    across, down = version.width_px / width_px, version.height_px / height_px
    return {
        "smaller_by": max(0.0, 1 - min(across, down)),
        "ratio_off_by": 1 - min(across, down) / max(across, down),
    }


def _asked_size(version: Version) -> tuple[float, float] | None:
    style = version.style
    values: dict[str, Any] = dict(style.params) if style else {}
    if version.run:
        values |= version.run.values
    sides = [values.get(name) for name in ("width", "height")]
    if any(isinstance(side, bool) or not isinstance(side, (int, float)) for side in sides):
        return None
    width_px, height_px = (float(side) for side in sides if side)
    return width_px, height_px


# The panel ----------------------------------------------------------------------------------------


def _panel_distance(version: Version, sketch: bytes, marks: storage.Marks) -> float | None:
    panel = version.attempt.panel if version.attempt else None
    panel = panel or Version.objects.panels().filter(plan=version.plan_id).first()
    if panel is None:
        return None
    try:
        thumbnails.make(panel, marks)
        drawn = _sketch(panel)
    except storage.FolderGone:
        raise
    except (UnreadableImage, storage.FileGone):
        return None
    return None if drawn is None else picture_measures.composition_distance(sketch, drawn)


# Others that are alike ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Like:
    """Two versions that are alike: the later one is said to be like the earlier one."""

    later_id: int
    earlier_id: int
    distance: float
    is_same_plan: bool

    def write_down(self) -> None:
        what = "version" if self.is_same_plan else "plan"
        is_nearer = Q(**{f"{what}_distance": None}) | Q(**{f"{what}_distance__gt": self.distance})
        Measure.objects.filter(is_nearer, version=self.later_id).update(
            **{f"{what}_distance": self.distance, f"like_{what}": self.earlier_id}
        )


def _alike(measure: Measure, sketch: bytes) -> Iterator[_Like]:
    """Find what is like a version in its episode: earlier ones, and later ones too.

    The newest are measured first: an earlier one may come late.
    """
    version = measure.version
    for other in _nearest(measure):
        if other.pixels_sha256 and other.pixels_sha256 == version.pixels_sha256:
            distance = 0.0
        else:
            beside = _sketch(other)
            if beside is None:
                continue
            distance = picture_measures.distance(sketch, beside)
        earlier, later = sorted((version.pk, other.pk))
        yield _Like(later, earlier, distance, is_same_plan=other.plan_id == version.plan_id)


def _nearest(measure: Measure) -> list[Version]:
    episode = measure.version.plan.sequence.episode_id
    others = Measure.objects.filter(version__plan__sequence__episode=episode)
    looks = others.exclude(pk=measure.pk).values_list("version", "look")
    apart = ((picture_measures.bits_apart(measure.look, look), pk) for pk, look in looks.iterator())
    near = sorted(one for one in apart if one[0] <= picture_measures.BITS_APART_MAX)[:COMPARED_MAX]
    return list(Version.objects.filter(pk__in=[pk for _, pk in near]))
