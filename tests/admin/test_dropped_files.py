"""Images dropped on pages: panels of a sequence, by name or in order; an artist's image."""

from typing import Any

import pytest
from django.test import Client

from generation.models import Plan, Version
from generation.states import Mode, RunState
from tests import factories
from tests.admin import pages

WAITING, DONE = RunState.WAITING, RunState.DONE


def drop(client: Client, model: str, row: Any, act: str, *names: str, **more: str) -> list[str]:
    """Drop a PNG under each of these names; return what the page says then."""
    files = [factories.sent(factories.png(), name) for name in names]
    return pages.said(client.post(pages.url(model, row.pk, act), {"file": files} | more))


def panels() -> list[str]:
    return sorted(str(version) for version in Version.objects.panels())


def test_panels_are_dropped_by_their_names(office: Client, plans: list[Plan]) -> None:
    names = ("E202_SQ0010-0020_extracted-raw.png", "0010.png", "E202_SQ0010-0040_extracted-raw.png")

    said = drop(office, "sequence", plans[0].sequence, "panels", *names)

    assert said == ["3 images published."]
    assert panels() == [
        "E202_SQ0010-0010_extracted-raw_v0001.png",
        "E202_SQ0010-0020_extracted-raw_v0001.png",
        "E202_SQ0010-0040_extracted-raw_v0001.png",
    ]


def test_panels_are_dropped_in_the_order_of_their_names(office: Client, plans: list[Plan]) -> None:
    names = ("board 10.png", "board 2.png", "board 1.png", "board 3.png")

    drop(office, "sequence", plans[0].sequence, "panels", *names, placed="order")

    assert [name[5:16] for name in panels()] == [f"SQ0010-{n:04d}" for n in (10, 20, 30, 40)]


def test_a_file_alone_says_its_place_in_the_order(office: Client, plans: list[Plan]) -> None:
    address = pages.url("sequence", plans[0].sequence_id, "panels")
    form = {"file": factories.sent(factories.png(), "b.png"), "placed": "order", "at": "1"}

    answer = office.post(address, form, headers={"X-Madsea-Drop": "1"})

    said = ["E202_SQ0010-0020_extracted-raw_v0001.png"]
    assert answer.json() == {"said": said, "ok": True, "again": False}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("E202_SQ0020-0010_extracted-raw.png", "sequence_id: expected 'SQ0010'; got 'SQ0020'"),
        ("E203_SQ0010-0010_extracted-raw.png", "episode: expected 'E202'; got 'E203'"),
        ("E202_SQ0010-0010_AI-concept.png", "task"),
        ("forest.png", "forest.png"),
        ("0010.jpg", "0010.jpg: The name ends in .jpg, but the file is a PNG"),
        ("0010.txt", "0010.txt"),
    ],
)
def test_a_panel_of_another_place_is_refused(
    name: str, words: str, office: Client, plans: list[Plan]
) -> None:
    (refused,) = drop(office, "sequence", plans[0].sequence, "panels", name)

    assert words in refused
    assert panels() == []


def test_what_is_no_image_leaves_no_plan_behind(office: Client, plans: list[Plan]) -> None:
    sent = {"file": factories.sent(b"no image", "0090.png")}

    pages.said(office.post(pages.url("sequence", plans[0].sequence_id, "panels"), sent))

    assert not Plan.objects.filter(code="0090").exists()


def test_a_plan_gets_its_panel(office: Client, plans: list[Plan]) -> None:
    assert "plan/1/panel" in pages.text(office, pages.url("plan", plans[0].pk)).replace(
        f"plan/{plans[0].pk}/", "plan/1/"
    )

    drop(office, "plan", plans[0], "panel", "any name.png")

    assert panels() == ["E202_SQ0010-0010_extracted-raw_v0001.png"]


def test_an_artist_s_image_ends_the_wait(office: Client) -> None:
    batch = factories.batch([WAITING], mode=Mode.MANUEL)
    run = batch.runs.get()
    assert "It waits for an artist" in pages.text(office, pages.url("planrun", run.pk))

    assert drop(office, "planrun", run, "upload", "image.png") == ["1 image published."]

    run.refresh_from_db()
    assert run.state == DONE
    assert "It waits for an artist" not in pages.text(office, pages.url("planrun", run.pk))


def test_an_image_for_what_does_not_wait_is_refused_as_the_api_refuses_it(office: Client) -> None:
    run = factories.batch([RunState.CANCELLED], mode=Mode.MANUEL).runs.get()

    (refused,) = drop(office, "planrun", run, "upload", "image.png")

    assert refused.startswith("image.png: ")
    assert Version.objects.count() == 0


def test_whoever_may_give_no_images_drops_nothing(
    visitor: Client, plans: list[Plan], settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    address = pages.url("sequence", plans[0].sequence_id, "panels")

    assert visitor.post(address, {"file": factories.sent(factories.png())}).status_code == 403
    assert "data-drop" not in pages.text(visitor, pages.url("sequence", plans[0].sequence_id))
