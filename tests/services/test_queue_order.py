"""The queue tells the order in which drivers would claim what waits."""

from datetime import timedelta

import pytest

from generation.models import Batch, PlanRun
from generation.selectors import render_queue
from generation.services import claims
from generation.services.server_leases import Lease
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

QUEUED = RunState.QUEUED


def batch(n_queued: int, *, n_running: int = 0, priority: int = 0, served_s: int = 0) -> Batch:
    """Return a batch that was served last so many seconds after the others; 0: never."""
    return factories.batch(
        [RunState.RUNNING] * n_running + [QUEUED] * n_queued,
        workflow=flying.workflow(flying.SAMPLED),
        priority=priority,
        served_at=factories.NOW + timedelta(seconds=served_s) if served_s else None,
    )


def test_the_queue_is_in_the_order_of_the_claims(lease: Lease) -> None:
    batch(4, served_s=20)
    batch(3, n_running=1, served_s=10)
    batch(2, priority=5)
    batch(3)
    batch(2, n_running=2)
    batch(4, served_s=10)
    batch(1, priority=-5)
    told = [pk for pk, _ in render_queue.queue()]
    desk = claims.Desk(lease)

    claimed = [attempt.run_id for _ in told if (attempt := desk.claim(in_flight=0))]

    assert claimed == told


def test_a_plan_has_the_same_place_in_the_queue_of_its_batch_as_in_that_of_all() -> None:
    batch(2)
    mine = batch(2)

    assert [position for _, position in render_queue.queue(mine)] == [2, 4]


def test_what_waits_for_its_panel_has_no_place_and_comes_last() -> None:
    mine = batch(3)
    mine.runs.filter(position=0).update(wait_reason="panel")
    [without, *others] = mine.runs.order_by("position").values_list("pk", flat=True)

    assert render_queue.queue() == [(others[0], 1), (others[1], 2), (without, None)]


def test_nothing_waits_where_nothing_is_queued() -> None:
    factories.batch([RunState.DONE])

    assert render_queue.queue() == []


def test_the_places_are_counted_by_the_database() -> None:
    batch(3)
    rows = PlanRun.objects.queued().in_turn()

    assert "ROW_NUMBER() OVER" in str(rows.query)
