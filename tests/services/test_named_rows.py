"""Rules about one model that queries need by name: each QuerySet, and the property beside it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from generation.models import Batch, Plan, PlanRun, Server, Version
from generation.models.server import STALL_S, ServerQuerySet
from generation.services import transitions
from generation.states import RunState, ServerHealth
from nomenclature.rules import EXTRACTED_RAW
from tests import factories

pytestmark = pytest.mark.django_db

DISABLED: dict[str, Any] = {"is_enabled": False}
DRAINING: dict[str, Any] = {"is_draining": True}
ASIDE: dict[str, Any] = {"set_aside_at": factories.NOW, "set_aside_code": "cuda_poisoned"}
TWIN: dict[str, Any] = {"set_aside_at": factories.NOW, "set_aside_code": "same_server"}
DOWN: dict[str, Any] = {"health": ServerHealth.DOWN, "down_since": factories.NOW}
STALLED: dict[str, Any] = {
    "health": ServerHealth.DOWN,
    "down_since": Now() - timedelta(seconds=STALL_S / 2),
}


@pytest.mark.parametrize(
    ("named", "left_out", "kept"),
    [
        (ServerQuerySet.enabled, [DISABLED], [DRAINING, ASIDE, DOWN]),
        (ServerQuerySet.staying, [DISABLED, DRAINING], [ASIDE, DOWN]),
        (ServerQuerySet.taking_work, [DISABLED, DRAINING, ASIDE, TWIN], [DOWN, STALLED]),
        (ServerQuerySet.answering, [DISABLED, DRAINING, ASIDE, DOWN, STALLED], [{}]),
        (ServerQuerySet.soon_answering, [DISABLED, DRAINING, ASIDE, DOWN], [{}, STALLED]),
        (ServerQuerySet.set_aside, [{}, DISABLED], [ASIDE, TWIN]),
        (ServerQuerySet.standing_aside, [{}, ASIDE], [TWIN]),
        (ServerQuerySet.out_of_order, [{}, TWIN], [ASIDE]),
        (ServerQuerySet.finishing, [ASIDE], [{}, TWIN, DRAINING, DISABLED, DOWN]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_servers_by_name(
    named: Callable[[Any], Any], left_out: list[dict[str, Any]], kept: list[dict[str, Any]]
) -> None:
    servers(left_out)
    expected = servers(kept, named="kept")

    assert set(named(Server.objects.all())) == set(expected)


def servers(kinds: list[dict[str, Any]], named: str = "out") -> list[Server]:
    return [factories.server(f"{named}-{n}", **kind) for n, kind in enumerate(kinds)]


@pytest.mark.parametrize("kind", [{}, DISABLED, DRAINING, ASIDE, DOWN])
def test_a_server_says_of_itself_what_the_query_says(kind: dict[str, Any]) -> None:
    server = factories.server(**kind)

    assert server.takes_work == Server.objects.taking_work().exists()


def test_every_server_is_driven_or_not() -> None:
    factories.server("free")
    leased("driven", Now() + timedelta(seconds=5))
    leased("late", Now() - timedelta(seconds=1))
    leased("from a later clock", Now() + timedelta(hours=1))

    assert [server.name for server in Server.objects.driven()] == ["driven"]
    assert {server.name for server in Server.objects.undriven()} == {
        "free",
        "late",
        "from a later clock",
    }
    with_driver = Server.objects.with_driver().filter(is_driven=True)
    assert [server.name for server in with_driver] == ["driven"]


def leased(name: str, until: Any) -> None:
    token = "0" * 32
    server = factories.server(name)
    Server.objects.filter(pk=server.pk).update(lease_token=token, lease_expires_at=until)


@pytest.mark.parametrize("state", RunState)
def test_what_a_retry_may_queue_says_so_itself(state: RunState) -> None:
    [run] = factories.batch([state]).runs.all()

    assert run.can_be_retried == PlanRun.objects.retryable().exists()
    assert run.can_be_stopped == PlanRun.objects.stoppable().exists()


def test_what_was_asked_to_stop_is_not_asked_again() -> None:
    batch = factories.batch([RunState.RUNNING])
    batch.runs.update(cancel_requested_at=Now())

    assert not PlanRun.objects.stoppable().exists()
    assert not batch.runs.get().can_be_stopped


STATES = [RunState.ERROR, RunState.CANCELLED, RunState.DONE]


@pytest.mark.parametrize(
    ("cancelled", "taken"),
    [(None, {RunState.ERROR}), (factories.NOW, {RunState.ERROR, RunState.CANCELLED})],
    ids=["failed", "cancelled"],
)
def test_a_retry_of_a_whole_batch_takes_the_cancelled_of_a_cancelled_one_only(
    cancelled: Any, taken: set[RunState]
) -> None:
    batch = factories.batch(STATES, cancel_requested_at=cancelled)

    assert {run.state for run in PlanRun.objects.retried_with([batch])} == taken
    assert batch.can_be_retried


def test_batches_are_retried_each_by_its_own_state() -> None:
    failed = factories.batch(STATES)
    cancelled = factories.batch(STATES, cancel_requested_at=factories.NOW)

    taken = PlanRun.objects.retried_with([failed, cancelled])

    assert taken.filter(batch=failed).count() == 1
    assert taken.filter(batch=cancelled).count() == 2


def test_a_batch_that_is_cancelled_is_not_cancelled_again() -> None:
    batch = factories.batch([RunState.RUNNING])
    transitions.cancel(batch, run_ids=None, unanswered=[], actor=None)

    assert batch.can_be_cancelled
    assert not Batch.objects.get().can_be_cancelled


@pytest.fixture
def plan(db: None) -> Plan:
    return factories.plans()[0]


def test_a_plan_s_panel_is_the_newest_that_is_published(plan: Plan) -> None:
    factories.version(plan, task=EXTRACTED_RAW)
    newest = factories.version(plan, task=EXTRACTED_RAW)
    factories.reserved(plan, task=EXTRACTED_RAW)
    factories.version(plan)

    assert Version.objects.panels().filter(plan=plan).first() == newest


def test_every_version_is_published_or_not(plan: Plan) -> None:
    panel = factories.version(plan, task=EXTRACTED_RAW)
    image = factories.version(plan)
    reserved = factories.reserved(plan)

    assert set(Version.objects.published()) == {panel, image}
    assert list(Version.objects.images()) == [image]
    assert list(Version.objects.unpublished()) == list(Version.objects.reserved()) == [reserved]
    assert not Version.objects.held_up().exists()
