"""What is measured of published pictures, and what the checks of their styles find in them."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from generation import storage
from generation.models import Measure, Plan, Style, Version
from generation.picture_checks import CHECKS
from generation.selectors import findings
from generation.selectors.findings import ANY
from generation.services import derived_making
from generation.states import RunState
from tests import factories
from tests import pictures as made

pytestmark = pytest.mark.django_db
SIZE = (640, 360)
DUSK, PAPER, INK = (230, 140, 80), (250, 249, 245), (20, 20, 30)


def shapes(ground: tuple[int, int, int], shift_px: int = 0) -> Image.Image:
    """Return a house and a figure before a ground, and a moon."""
    image = Image.new("RGB", SIZE, ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((60 + shift_px, 120, 240 + shift_px, 360), fill=INK)
    draw.polygon([(40 + shift_px, 120), (150 + shift_px, 40), (260 + shift_px, 120)], fill=INK)
    draw.ellipse((420 + shift_px, 160, 480 + shift_px, 360), fill=INK)
    return image


def picture(plan: Plan, image: Image.Image | None = None, **fields: object) -> Version:
    """Return a version that shows this, of this size."""
    shown = image or shapes(DUSK)
    size = {"width_px": shown.width, "height_px": shown.height}
    return factories.version(plan, content=made.encoded(shown, "PNG"), **size | fields)


def panel(plan: Plan, image: Image.Image | None = None) -> Version:
    return picture(plan, image or shapes(PAPER), task="extracted-raw")


def measured() -> None:
    """Make all that is derived."""
    maker = derived_making.Maker()
    while maker.make_pending():
        """Go on with the next ones."""


def found_in(version: Version) -> list[str] | None:
    """Return the names of the checks that find something in a version."""
    found = findings.findings_of(Version.objects.get(pk=version.pk))
    return None if found is None else [one["check"] for one in found]


def of_style(**checks: float | None) -> Style:
    """Have the style of batches check like this."""
    style = factories.style()
    style.checks = checks
    style.save()
    return style


# One picture --------------------------------------------------------------------------------------


def test_nothing_is_found_before_it_is_measured(plans: list[Plan]) -> None:
    version = picture(plans[0])

    assert found_in(version) is None


def test_nothing_is_wrong_with_a_picture_that_is_as_it_should_be(plans: list[Plan]) -> None:
    panel(plans[0])
    version = picture(plans[0])
    measured()

    assert found_in(version) == []


@pytest.mark.parametrize(
    ("colour", "found"),
    [
        ("black", ["black", "one_colour"]),
        ("white", ["white", "one_colour"]),
        ("teal", ["one_colour"]),
    ],
)
def test_a_picture_without_anything_to_see_is_found(
    plans: list[Plan], colour: str, found: list[str]
) -> None:
    version = picture(plans[0], Image.new("RGB", SIZE, colour))
    measured()

    assert found_in(version) == found


def test_a_picture_that_is_all_transparent_is_of_one_colour(plans: list[Plan]) -> None:
    version = picture(plans[0], Image.new("RGBA", SIZE, (0, 0, 0, 0)))
    measured()

    assert found_in(version) == ["one_colour"]


def test_panels_are_not_measured(plans: list[Plan]) -> None:
    panel(plans[0])
    measured()

    assert Measure.objects.count() == 0


# Size and ratio -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ((640, 360), []),
        ((1280, 720), []),
        ((320, 180), ["size"]),
        ((640, 480), ["ratio"]),
        ((480, 360), ["size", "ratio"]),
    ],
)
def test_a_picture_is_held_against_the_size_that_was_asked_for(
    plans: list[Plan], size: tuple[int, int], found: list[str]
) -> None:
    batch = factories.batch([RunState.QUEUED], of=plans[:1], params={"width": 640, "height": 360})
    version = picture(plans[0], shapes(DUSK).resize(size), run=batch.runs.get())
    measured()

    assert found_in(version) == found


def test_where_its_run_asks_for_no_size_its_style_does(plans: list[Plan]) -> None:
    style = of_style()
    Style.objects.filter(pk=style.pk).update(params={"width": 1920, "height": 1080})
    plans[0].style = style
    plans[0].save()
    version = picture(plans[0], origin=Version.Origin.IMPORT)
    measured()

    assert found_in(version) == ["size"]


# The panel ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other", [ImageOps.mirror(shapes(DUSK)), shapes(DUSK, shift_px=90)], ids=["mirrored", "moved"]
)
def test_another_composition_than_the_panel_s_is_found(
    plans: list[Plan], other: Image.Image
) -> None:
    panel(plans[0])
    version = picture(plans[0], other)
    measured()

    assert found_in(version) == ["composition"]


def test_a_picture_is_held_against_the_panel_that_it_was_made_from(plans: list[Plan]) -> None:
    first = panel(plans[0])
    panel(plans[0], ImageOps.mirror(shapes(PAPER)))
    run = factories.batch([RunState.QUEUED], of=plans[:1]).runs.get()
    attempt = factories.attempt(run, panel=first)
    version = picture(plans[0], run=run, attempt=attempt)
    measured()

    assert found_in(version) == []


def test_a_panel_that_is_no_image_keeps_nothing_from_being_measured(plans: list[Plan]) -> None:
    factories.version(plans[0], task="extracted-raw", content=b"no image")
    version = picture(plans[0])
    measured()

    assert found_in(version) == []
    assert Measure.objects.get().panel_distance is None


def test_a_panel_that_is_gone_keeps_nothing_from_being_measured(plans: list[Plan]) -> None:
    storage.absolute(panel(plans[0]).path).unlink()
    version = picture(plans[0])
    measured()

    assert found_in(version) == []


# Others that are alike ----------------------------------------------------------------------------


def test_the_same_picture_again_is_found_and_names_the_earlier_one(plans: list[Plan]) -> None:
    first = picture(plans[0])
    again = picture(plans[0], shapes(DUSK).point(lambda value: min(255, value + 1)))
    measured()

    [found] = findings.findings_of(Version.objects.get(pk=again.pk)) or []
    assert (found["check"], found["like"]) == ("like_version", first.pk)
    assert found_in(first) == []


def test_the_same_picture_of_another_plan_is_found(plans: list[Plan]) -> None:
    first = picture(plans[0])
    again = picture(plans[1])
    measured()

    [found] = findings.findings_of(Version.objects.get(pk=again.pk)) or []
    assert (found["check"], found["like"]) == ("like_plan", first.pk)
    assert found["detail"] == f"It shows the same as {first}, or nearly so."


def test_the_earlier_one_may_be_measured_late(
    plans: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived_making, "MOST", 1)
    first = picture(plans[0])
    again = picture(plans[0])
    maker = derived_making.Maker()
    maker.make_pending()
    before = found_in(again)
    maker.make_pending()

    assert (before, found_in(again), found_in(first)) == ([], ["like_version"], [])


def test_the_same_place_in_another_light_is_another_picture(plans: list[Plan]) -> None:
    picture(plans[0])
    version = picture(plans[0], shapes((60, 90, 170)))
    measured()

    assert found_in(version) == []


def test_the_same_picture_in_another_episode_is_none_of_this_one_s(plans: list[Plan]) -> None:
    [elsewhere] = factories.plans({"SQ0010": ["0010"]}, of=factories.episode(code="E203"))
    picture(elsewhere)
    version = picture(plans[0])
    measured()

    assert found_in(version) == []


def test_measuring_again_gives_the_same(plans: list[Plan]) -> None:
    picture(plans[0])
    picture(plans[0])
    picture(plans[1])
    measured()
    once = list(Measure.objects.order_by("version").values())
    Version.objects.update(derived="pending")
    measured()

    assert list(Measure.objects.order_by("version").values()) == once


# Hostile files ------------------------------------------------------------------------------------


def test_what_cannot_be_decoded_is_not_measured_and_keeps_nobody_waiting(
    plans: list[Plan],
) -> None:
    broken = factories.version(plans[0], content=b"no image")
    version = picture(plans[1])
    measured()

    assert (found_in(broken), found_in(version)) == (None, [])


def test_a_small_picture_that_somebody_spoiled_is_not_measured(
    plans: list[Plan], projects_root: Path
) -> None:
    version = picture(plans[0])
    measured()
    Measure.objects.all().delete()
    for file in (projects_root / storage.DERIVED).rglob("*.webp"):
        file.write_bytes(b"spoiled")
    Version.objects.update(derived="pending")
    measured()

    assert found_in(version) is None


# Bounds -------------------------------------------------------------------------------------------


def dark(plan: Plan) -> Version:
    """Return a picture of a batch that is dark, and not black."""
    run = factories.batch([RunState.QUEUED], of=[plan]).runs.get()
    night = shapes(DUSK).point(lambda value: value // 4)
    return picture(plan, night, run=run)


def test_a_style_has_bounds_of_its_own_and_they_hold_at_once(plans: list[Plan]) -> None:
    version = dark(plans[0])
    measured()
    before = found_in(version)
    of_style(black=0.5)

    assert (before, found_in(version)) == ([], ["black"])


def test_a_style_switches_a_check_off(plans: list[Plan]) -> None:
    run = factories.batch([RunState.QUEUED], of=plans[:1]).runs.get()
    version = picture(plans[0], Image.new("RGB", SIZE), run=run)
    measured()
    of_style(black=None, one_colour=None)

    assert found_in(version) == []
    assert not Version.objects.filter(findings.finding_condition(ANY)).exists()


def test_the_database_finds_what_is_told_of_each_picture(plans: list[Plan]) -> None:
    panel(plans[0])
    run = factories.batch([RunState.QUEUED], of=plans[:1]).runs.get()
    night = dark(plans[1])
    picture(plans[0], ImageOps.mirror(shapes(DUSK)), run=run)
    picture(plans[2], Image.new("RGB", SIZE, "white"))
    picture(plans[2], Image.new("RGB", SIZE, "white"))
    measured()
    of_style(black=0.5, composition=0.1)

    told = {
        (name, version.pk)
        for version in Version.objects.reviewed()
        for name in found_in(version) or []
    }
    asked = {
        (name, pk)
        for name in CHECKS
        for pk in Version.objects.filter(findings.finding_condition(name)).values_list(
            "pk", flat=True
        )
    }
    assert told == asked
    assert ("black", night.pk) in told
    assert set(
        Version.objects.filter(findings.finding_condition(ANY)).values_list("pk", flat=True)
    ) == {pk for _, pk in told}
