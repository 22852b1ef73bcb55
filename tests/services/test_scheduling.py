"""Whose turn it is: priority, fair share, models that are loaded, pauses, what a server can run."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.errors import PlanFailure
from generation.models import Attempt, Batch, Capability, Needs, Plan, RunGroup, Server
from generation.models.server import STALL_S
from generation.selectors import claimable
from generation.services import batch_controls, claims, server_leases, transitions
from generation.services.server_leases import Lease
from generation.states import RunState, ServerHealth
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

FAILURE = PlanFailure("graph_refused", "KSampler: it broke.", "Retry.")


@pytest.fixture
def plans(db: None) -> list[Plan]:
    """A hundred plans."""
    return factories.many_plans(100)


def batch(plans: Sequence[Plan], n_plans: int = 1, **fields: Any) -> Batch:
    workflow = flying.workflow(flying.SAMPLED)
    queued = [RunState.QUEUED] * n_plans
    return factories.batch(queued, of=plans[:n_plans], workflow=workflow, **fields)


def claim(lease: Lease, in_flight: int = 0) -> Attempt | None:
    return claims.Desk(lease).claim(in_flight=in_flight)


def serve(lease: Lease) -> int:
    """Claim one run and end it; return its batch's id."""
    attempt = claim(lease)
    assert attempt is not None
    transitions.fail(attempt, FAILURE)
    return attempt.run.batch_id


def serve_many(lease: Lease, n_plans: int) -> list[int]:
    return [serve(lease) for _ in range(n_plans)]


def lacks(server: Server, needs: Needs) -> None:
    Capability.objects.create(server=server, needs=needs, is_capable=False)


# What a server can run --------------------------------------------------------------------------


def test_a_server_takes_only_what_it_can_run(lease: Lease, plans: list[Plan]) -> None:
    batch(plans, needs=factories.needs("unmet"), priority=9)
    other = batch(plans, needs=factories.needs("met"))
    lacks(lease.server, factories.needs("unmet"))

    assert serve(lease) == other.pk
    assert claim(lease) is None


def test_a_server_of_which_nothing_is_known_takes_everything(
    lease: Lease, plans: list[Plan]
) -> None:
    mine = batch(plans, needs=factories.needs())

    assert serve(lease) == mine.pk


def test_the_graph_names_models_as_the_server_spells_them(lease: Lease, plans: list[Plan]) -> None:
    batch(plans, needs=factories.needs())
    ours = flying.SAMPLED["1"]["inputs"]["ckpt_name"]
    spelling = ["CheckpointLoaderSimple", "ckpt_name", ours, f"XL\\{ours}"]
    Capability.objects.create(
        server=lease.server, needs=factories.needs(), is_capable=True, spellings=[spelling]
    )

    desk = claims.Desk(lease)
    attempt = desk.claim(in_flight=0)

    assert attempt is not None
    assert desk.build(attempt) is None
    assert attempt.graph["1"]["inputs"]["ckpt_name"] == f"XL\\{ours}"


def test_the_last_plan_is_left_to_an_idle_server_that_can_run_it(
    lease: Lease, plans: list[Plan]
) -> None:
    server_leases.take(factories.server("gpu-2").pk)
    batch(plans, needs=factories.needs())

    assert claim(lease, in_flight=1) is None


def test_the_last_plan_is_not_left_to_an_idle_server_that_cannot_run_it(
    lease: Lease, plans: list[Plan]
) -> None:
    server_leases.take(factories.server("gpu-2").pk)
    mine = batch(plans, needs=factories.needs())
    lacks(factories.server("gpu-2"), factories.needs())

    attempt = claim(lease, in_flight=1)

    assert attempt is not None
    assert attempt.run.batch_id == mine.pk


# What a server failed ---------------------------------------------------------------------------


def failed_by(server: Server, *batches: Batch) -> None:
    """Have a server fail the only plan of each batch, once."""
    for mine in batches:
        factories.attempt(mine.runs.get(), on=server, outcome="error", is_held_against=True)
        mine.runs.update(n_tries=1, n_attempts=1)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("health", "silent_s"),
    [(ServerHealth.UP, None), (ServerHealth.UNKNOWN, None), (ServerHealth.DOWN, 6)],
)
def test_what_a_server_failed_waits_for_another_that_may_only_be_slow(
    lease: Lease, plans: list[Plan], health: ServerHealth, silent_s: float | None
) -> None:
    since = ago(silent_s) if silent_s else None
    factories.server("gpu-2", health=health, down_since=since)
    failed_by(lease.server, batch(plans))

    assert claim(lease) is None


def test_what_a_server_failed_is_tried_there_again_when_the_other_is_down(
    lease: Lease, plans: list[Plan]
) -> None:
    silent_s = STALL_S + 5
    factories.server("gpu-2", health=ServerHealth.DOWN, down_since=ago(silent_s))
    failed_by(lease.server, batch(plans))

    assert claim(lease)


@pytest.mark.parametrize("in_flight", [0, 1])
def test_batches_of_which_the_server_failed_all_that_is_left_hide_no_other(
    lease: Lease, plans: list[Plan], in_flight: int
) -> None:
    factories.server("gpu-2")
    failed_by(lease.server, *(batch(plans) for _ in range(25)))
    last = batch(plans)

    attempt = claim(lease, in_flight)

    assert attempt is not None
    assert attempt.run.batch_id == last.pk


# What a retry asked for -------------------------------------------------------------------------


def test_an_idle_server_is_left_what_only_a_retry_made_possible_there(
    lease: Lease, plans: list[Plan]
) -> None:
    idle = factories.server("gpu-2")
    server_leases.take(idle.pk)
    mine = batch(plans, needs=factories.needs("of the batch"))
    lacks(idle, factories.needs("of the batch"))
    factories.regroup(mine.runs.all(), factories.needs("of the retry"))

    assert claim(lease, in_flight=1) is None


def test_an_idle_server_is_left_nothing_that_a_retry_made_impossible_there(
    lease: Lease, plans: list[Plan]
) -> None:
    idle = factories.server("gpu-2")
    server_leases.take(idle.pk)
    mine = batch(plans, needs=factories.needs("of the batch"))
    lacks(idle, factories.needs("of the retry"))
    factories.regroup(mine.runs.all(), factories.needs("of the retry"))

    assert claim(lease, in_flight=1)


def test_only_servers_that_have_what_a_retry_asked_for_are_woken(
    lease: Lease, plans: list[Plan]
) -> None:
    rich = factories.server("gpu-2")
    mine = batch(plans, needs=factories.needs("of the batch"))
    factories.regroup(mine.runs.all(), factories.needs("of the retry"))
    lacks(lease.server, factories.needs("of the retry"))
    lacks(rich, factories.needs("of the batch"))

    assert list(claimable.servers_with_work()) == [rich]
    assert claim(lease) is None


# Pause ------------------------------------------------------------------------------------------


def test_a_paused_batch_is_not_served_until_it_is_resumed(lease: Lease, plans: list[Plan]) -> None:
    paused = batch(plans)
    batch_controls.pause(paused, actor=None)

    during = claim(lease)
    batch_controls.resume(paused, actor=None)

    assert during is None
    assert serve(lease) == paused.pk


def test_what_runs_when_its_batch_is_paused_is_finished(lease: Lease, plans: list[Plan]) -> None:
    mine = batch(plans, 2)
    attempt = claim(lease)
    assert attempt is not None

    batch_controls.pause(mine, actor=None)
    transitions.advance(attempt, 50)

    assert mine.runs.get(position=0).progress_pct == 50
    assert claim(lease) is None


# Priority and fair share ------------------------------------------------------------------------


def test_a_priority_that_is_raised_overtakes(lease: Lease, plans: list[Plan]) -> None:
    first, second = batch(plans, 3), batch(plans, 3)
    batch_controls.set_priority(second, 1, actor=None)

    assert serve_many(lease, 4) == [second.pk] * 3 + [first.pk]


def test_a_priority_that_is_lowered_lets_the_others_go_first(
    lease: Lease, plans: list[Plan]
) -> None:
    first, second = batch(plans, 2), batch(plans, 2)
    before = serve(lease)
    batch_controls.set_priority(first, -100, actor=None)

    assert [before, *serve_many(lease, 3)] == [first.pk, second.pk, second.pk, first.pk]


def test_batches_of_one_priority_get_equal_shares(lease: Lease, plans: list[Plan]) -> None:
    of = [batch(plans, n_plans) for n_plans in (20, 40, 60)]

    served = Counter(serve_many(lease, 30))

    assert [served[each.pk] for each in of] == [10, 10, 10]


def test_a_batch_that_runs_elsewhere_waits_for_those_that_do_not(
    lease: Lease, plans: list[Plan]
) -> None:
    batch(plans, 5, served_at="2020-01-01T00:00:00Z")
    claim(lease)
    late = batch(plans, 5, served_at="2999-01-01T00:00:00Z")

    assert serve(lease) == late.pk


# Models that are loaded -------------------------------------------------------------------------


def of_models(plans: list[Plan], *keys: str, n_plans: int = 90) -> list[Batch]:
    return [batch(plans, n_plans, needs=factories.needs(f"of {key}", key)) for key in keys]


def test_a_batch_is_passed_over_32_times_for_a_loaded_model(
    lease: Lease, plans: list[Plan]
) -> None:
    first, second = of_models(plans, "shadow", "labo")

    served = serve_many(lease, 80)

    turns = [(batch_id, len(list(group))) for batch_id, group in groupby(served)]
    assert turns == [(first.pk, 33), (second.pk, 33), (first.pk, 14)]


def test_each_batch_is_passed_over_no_more_often_however_many_there_are(
    lease: Lease, plans: list[Plan]
) -> None:
    of_models(plans, "a", "b", "c")

    served = serve_many(lease, 100)

    assert [len(list(group)) for _, group in groupby(served)] == [33, 33, 33, 1]
    assert len(set(served)) == 3


def test_batches_that_share_their_models_take_turns(lease: Lease, plans: list[Plan]) -> None:
    first, second = batch(plans, 9), batch(plans, 9)
    RunGroup.objects.update(needs=factories.needs("same", "shadow"))

    assert serve_many(lease, 4) == [first.pk, second.pk, first.pk, second.pk]


def test_a_loaded_model_never_delays_a_higher_priority(lease: Lease, plans: list[Plan]) -> None:
    [held] = of_models(plans, "shadow")
    before = serve(lease)
    urgent = batch(plans, 2, needs=factories.needs("of labo", "labo"), priority=1)

    assert [before, *serve_many(lease, 2)] == [held.pk, urgent.pk, urgent.pk]


def test_what_needs_no_model_takes_its_turn_and_leaves_the_models_where_they_are(
    lease: Lease, plans: list[Plan]
) -> None:
    [held] = of_models(plans, "shadow")
    before = serve(lease)
    plain = batch(plans, 2, needs=factories.needs("none", ""))

    assert [before, *serve_many(lease, 3)] == [held.pk, plain.pk, held.pk, plain.pk]
    lease.server.refresh_from_db()
    assert lease.server.last_model_key == "shadow"


def test_the_next_driver_knows_which_models_are_loaded(lease: Lease, plans: list[Plan]) -> None:
    first, _ = of_models(plans, "shadow", "labo")
    serve(lease)
    server_leases.give_back(lease)
    successor = server_leases.take(lease.server.pk)
    assert successor is not None

    assert serve(successor) == first.pk


# What it costs ----------------------------------------------------------------------------------


def n_queries(lease: Lease, plans: list[Plan], n_more: int, in_flight: int) -> int:
    """Add so many batches of other models, claim, and return how many queries that took."""
    of_models(plans, *(f"{n_more}-{n}" for n in range(n_more)), n_plans=2)
    with CaptureQueriesContext(connection) as captured:
        assert claim(lease, in_flight)
    return len(captured)


@pytest.mark.parametrize("in_flight", [0, 1])
def test_a_claim_among_200_batches_takes_one_query_more_than_among_2(
    lease: Lease, plans: list[Plan], in_flight: int
) -> None:
    server_leases.take(factories.server("gpu-2").pk)
    Server.objects.update(lease_expires_at="2999-01-01T00:00:00Z")
    of_models(plans, "held")
    serve(lease)

    few, more, many = (n_queries(lease, plans, n, in_flight) for n in (1, 19, 180))

    assert few + 1 == more == many
