"""The page of the queue: what waits for a server, in which order, and why."""

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import PlanRun
from generation.states import AttemptOutcome, RunState
from tests import factories
from tests.admin import pages

QUEUE = "/admin/generation/planrun/queue/"
QUEUED = RunState.QUEUED


def _lines(client: Client, query: str = "") -> list[list[str]]:
    html = pages.text(client, QUEUE + query)
    body = html.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in html else ""
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_the_queue_shows_plans_in_their_order_with_their_place(office: Client) -> None:
    factories.server()
    plans = factories.many_plans(3)
    factories.batch([QUEUED] * 2, of=plans[:2])
    factories.batch([QUEUED], of=plans[2:], priority=50)

    places = [(line[0], line[1]) for line in _lines(office)]

    assert places == [
        ("1", "E202_SQ0000-0002"),
        ("2", "E202_SQ0000-0000"),
        ("3", "E202_SQ0000-0001"),
    ]


def test_what_cannot_be_taken_stands_last_and_says_why(office: Client) -> None:
    factories.server()
    plans = factories.many_plans(3)
    factories.batch([QUEUED], of=plans[:1], paused_at=timezone.now())
    lacking = factories.batch([QUEUED], of=plans[1:2])
    PlanRun.objects.filter(batch=lacking).update(wait_reason="panel")
    factories.batch([QUEUED], of=plans[2:])

    lines = _lines(office)

    assert [line[0] for line in lines] == ["1", "–", "–"]
    assert lines[0][6] == "Its turn has not come."
    assert "is paused" in lines[1][6]
    assert "has no panel yet" in lines[2][6]


def test_the_queue_says_what_each_server_lacks(office: Client) -> None:
    factories.unmet(missing="Real.safetensors")

    assert "gpu-1 lacks Real.safetensors" in pages.text(office, QUEUE)


def test_a_batch_s_part_shows_places_among_all(office: Client) -> None:
    factories.server()
    plans = factories.many_plans(2)
    factories.batch([QUEUED], of=plans[:1], priority=50)
    factories.batch([QUEUED], of=plans[1:], public_id="feedc0de")

    lines = _lines(office, "?batch=feedc0de")

    assert [(line[0], line[1]) for line in lines] == [("2", "E202_SQ0000-0001")]


def test_pages_of_plans_and_batches_lead_to_the_queue(office: Client) -> None:
    run = factories.batch([QUEUED], public_id="feedc0de").runs.get()

    address = f"{QUEUE}?batch=feedc0de"

    assert address in pages.text(office, pages.url("planrun", run.pk))
    assert address in pages.text(office, pages.url("batch", run.batch_id))
    assert f'href="{QUEUE}"' in pages.text(office, "/admin/")


def test_what_waits_for_artists_is_told_and_not_in_the_queue(office: Client) -> None:
    factories.batch([RunState.WAITING] * 2, mode="manuel")

    shown = pages.text(office, QUEUE)

    assert "2 more wait for artists" in shown
    assert "Nothing waits for a server." in shown


def test_a_long_queue_has_pages(office: Client) -> None:
    factories.server()
    factories.batch([QUEUED] * 101, of=factories.many_plans(101))

    first, second = _lines(office), _lines(office, "?page=2")

    assert (len(first), len(second)) == (100, 1)
    assert second[0][0] == "101"


def test_a_batch_that_is_not_there_is_404(office: Client) -> None:
    assert office.get(f"{QUEUE}?batch=nowhere").status_code == 404


def test_the_queue_is_for_who_may_see_plans(artist_on_staff: Client, visitor: Client) -> None:
    assert artist_on_staff.get(QUEUE).status_code == 403
    assert visitor.get(QUEUE).status_code == 200


def _n_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        pages.text(client, QUEUE)
    return len(captured)


def test_the_queue_makes_as_many_queries_for_many_as_for_few(office: Client, db: Any) -> None:
    plans = factories.many_plans(60)
    factories.batch([QUEUED], of=plans[:1])
    few = _n_queries(office)

    for at in range(1, 20):
        factories.batch([QUEUED] * 3, of=plans[3 * at : 3 * at + 3])

    assert _n_queries(office) == few


def test_the_queue_says_when_it_is_expected_to_end(office: Client) -> None:
    done = factories.batch([RunState.DONE]).runs.get()
    factories.attempt(done, outcome=AttemptOutcome.DONE, render_s=600)
    factories.batch([QUEUED])

    (line,) = _lines(office)

    assert "in about 10 min" in line[7]
    assert "expected to have ended" in pages.text(office, QUEUE)


def test_a_batch_s_part_is_told_what_changes_of_its_episode(office: Client) -> None:
    batch = factories.batch([QUEUED])

    assert "/api/events?episode_id=all&amp;last_event_id=" in pages.text(office, QUEUE)
    shown = pages.text(office, f"{QUEUE}?batch={batch.public_id}")
    assert f"/api/events?episode_id={batch.episode_id}&amp;last_event_id=" in shown
