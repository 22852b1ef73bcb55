"""Pause, resume, priority: allowed, refused, raced."""

import pytest

from generation.errors import Conflict, InvalidRequest
from generation.models import Batch, PlanRun
from generation.services import batch_controls, batches
from generation.services.server_leases import Lease
from generation.states import RunState
from tests import factories
from tests.services.claiming import claim
from tests.services.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

DONE, QUEUED, RUNNING, WAITING = (RunState(s) for s in ("done", "queued", "running", "waiting"))


@pytest.mark.parametrize("states", [[QUEUED], [RUNNING], [WAITING], [DONE, QUEUED]])
def test_an_unfinished_batch_can_be_paused(db: None, states: list[RunState]) -> None:
    batch = factories.batch(states)

    assert batch_controls.pause(batch, actor=None)
    assert batch.paused_at is not None


def test_a_finished_batch_cannot_be_paused_but_resumed(db: None) -> None:
    batch = factories.batch([DONE], paused_at=factories.NOW)

    assert batch_controls.resume(batch, actor=None)
    assert not batch_controls.resume(batch, actor=None)
    assert batch.paused_at is None
    with pytest.raises(Conflict):
        batch_controls.pause(batch, actor=None)


@pytest.mark.parametrize("priority", [-101, 101])
def test_a_priority_beyond_its_bounds_is_refused(batch: Batch, priority: int) -> None:
    with pytest.raises(InvalidRequest):
        batch_controls.set_priority(batch, priority, actor=None)


def test_a_batch_that_is_paused_meanwhile_is_not_claimed(queued: PlanRun, lease: Lease) -> None:
    batch_controls.pause(queued.batch, actor=None)

    assert claim(queued, lease) is None


def test_two_pauses_at_once_are_one(batch: Batch) -> None:
    race(*[lambda: batch_controls.pause(Batch.objects.get(pk=batch.pk), actor=None)] * 2)

    assert list(batch.logs.values_list("event", flat=True)) == ["paused"]


def test_a_paused_batch_can_be_cancelled(batch: Batch) -> None:
    batch_controls.pause(batch, actor=None)

    batches.cancel(batch, actor=None)

    assert batch.status == "cancelled"


def test_two_who_raise_a_priority_from_the_same_page_raise_it_twice(batch: Batch) -> None:
    pages = [Batch.objects.get(pk=batch.pk), Batch.objects.get(pk=batch.pk)]

    moved = [batch_controls.move_priority(page, 10, actor=None) for page in pages]

    batch.refresh_from_db()
    assert (moved, batch.priority) == ([True, True], 20)


def test_a_priority_goes_no_further_than_its_bound(batch: Batch) -> None:
    batch_controls.set_priority(batch, 95, actor=None)

    moved = [batch_controls.move_priority(batch, 10, actor=None) for _ in range(2)]

    assert (moved, batch.priority) == ([True, False], 100)
