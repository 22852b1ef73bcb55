"""Pages that refresh themselves: made again only when something that they show has changed."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from generation.admin import unchanged_pages
from generation.models import Batch, Server
from generation.services import batch_controls, episode_changes, outside_images, plan_attributes
from generation.services.transitions import unit_of_work
from generation.states import RunState, ServerHealth
from tests import factories
from tests.admin import pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(monkeypatch: pytest.MonkeyPatch) -> Batch:
    monkeypatch.setattr(unchanged_pages, "EVERY_S", 10**9)
    return factories.batch([RunState.RUNNING, RunState.QUEUED])


def refresh(client: Client, url: str, seen: str = "") -> HttpResponse:
    headers = {"X-Madsea-Live": "1"} | ({"If-None-Match": seen} if seen else {})
    return client.get(url, headers=headers)  # type: ignore[return-value]


def tag(client: Client, url: str) -> str:
    return str(refresh(client, url).headers["ETag"])


URLS = ["/admin/", "/admin/generation/batch/", "/admin/generation/planrun/queue/"]


@pytest.mark.parametrize("url", URLS)
def test_a_page_that_has_not_changed_is_not_made_again(
    office: Client, batch: Batch, url: str
) -> None:
    seen = tag(office, url)

    again = refresh(office, url, seen)

    assert (again.status_code, again.content) == (304, b"")


def progress(batch: Batch) -> None:
    with unit_of_work.change(batch.pk) as now:
        now.edit(batch.runs.filter(state=RunState.RUNNING), progress_pct=60)


def steer(batch: Batch) -> None:
    batch_controls.steer(batch, actor=None, priority=7)


def lose(_batch: Batch) -> None:
    Server.objects.update(health=ServerHealth.DOWN)


def store(batch: Batch) -> None:
    plan = batch.runs.all()[0].plan
    outside_images.import_panel(plan, factories.png(), filename="panel.png", actor=None)


def write(batch: Batch) -> None:
    plan_attributes.write(batch.runs.all()[0].plan, {"notes": "darker"}, by=None, source="api")


@pytest.mark.parametrize("change", [progress, steer, lose, store, write])
def test_what_has_changed_is_shown(
    office: Client, batch: Batch, change: Callable[[Batch], None]
) -> None:
    seen = tag(office, pages.url("batch", batch.pk))
    change(batch)

    again = refresh(office, pages.url("batch", batch.pk), seen)

    assert again.status_code == 200
    assert again.headers["ETag"] != seen


def test_numbering_what_was_shown_changes_nothing(office: Client, batch: Batch) -> None:
    steer(batch)
    seen = tag(office, pages.url("batch", batch.pk))

    assert episode_changes.number() == 1
    assert refresh(office, pages.url("batch", batch.pk), seen).status_code == 304


def test_of_a_record_only_the_pieces_are_fetched_again(office: Client, batch: Batch) -> None:
    whole = office.get(pages.url("batch", batch.pk)).content.decode()

    pieces = refresh(office, pages.url("batch", batch.pk)).content.decode()

    assert 'id="page-head"' in pieces and 'id="page-facts"' in pieces
    assert "<nav" in whole and "<html" in whole
    assert "<nav" not in pieces and "<html" not in pieces


@pytest.mark.parametrize("model", ["batch", "planrun", "plan", "episode", "sequence"])
def test_a_page_that_shows_an_episode_is_told_what_changes_of_it_from_then_on(
    office: Client, batch: Batch, model: str
) -> None:
    steer(batch)
    episode_changes.number()
    run = batch.runs.select_related("plan").all()[0]
    row = {
        "batch": batch.pk,
        "planrun": run.pk,
        "plan": run.plan_id,
        "episode": batch.episode_id,
        "sequence": run.plan.sequence_id,
    }[model]

    page = office.get(pages.url(model, row)).content.decode()

    address = f"/api/events?episode_id={batch.episode_id}&amp;last_event_id=1"
    assert f'data-events="{address}"' in page


def test_each_page_has_a_tag_of_its_own(office: Client, batch: Batch) -> None:
    assert len({tag(office, url) for url in URLS}) == len(URLS)


def test_somebody_else_has_another_tag(office: Client, visitor: Client, batch: Batch) -> None:
    assert tag(office, URLS[0]) != tag(visitor, URLS[0])


def test_what_no_row_tells_of_is_shown_anew_after_a_while(
    office: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tag(office, URLS[0])
    monkeypatch.setattr(unchanged_pages, "EVERY_S", 1e-6)

    assert refresh(office, URLS[0], seen).status_code == 200


def test_a_page_that_somebody_opens_is_always_made(office: Client, batch: Batch) -> None:
    seen = tag(office, URLS[0])

    opened = office.get(URLS[0], headers={"If-None-Match": seen})

    assert opened.status_code == 200
    assert "ETag" not in opened.headers


def test_whoever_is_not_signed_in_is_sent_to_sign_in(client: Client, batch: Batch) -> None:
    assert refresh(client, URLS[0], '"any"').status_code == 302
