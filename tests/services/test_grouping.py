"""Plans of one batch that need different models: each server stays with what it has loaded."""

import random
from collections import Counter
from itertools import chain, cycle, groupby, pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.errors import PlanFailure
from generation.models import Attempt, Batch, Plan, Server
from generation.services import claims, server_leases, transitions
from generation.services.claims import Desk
from generation.services.server_leases import Lease
from generation.states import RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

FAILURE = PlanFailure("graph_refused", "KSampler: it broke.", "Retry.")
#: A checkpoint of each of 40 plans, in an order that was drawn once.
IN_RANDOM_ORDER = random.Random(7).sample(["shadow", "labo"] * 20, 40)


@pytest.fixture
def second(lease: Lease) -> Lease:
    """A second server, driven."""
    taken = server_leases.take(factories.server("gpu-2").pk)
    assert taken is not None
    return taken


@pytest.fixture
def plans(db: None) -> list[Plan]:
    """120 plans."""
    return factories.many_plans(120)


def batch_of(plans: list[Plan], *models: str) -> Batch:
    """Return a batch in which each plan names the model that it needs."""
    queued, of = [RunState.QUEUED] * len(models), plans[: len(models)]
    made = factories.batch(queued, of=of, workflow=flying.workflow(flying.SAMPLED))
    for model in dict.fromkeys(models):
        asking = [position for position, name in enumerate(models) if name == model]
        needs = factories.needs(f"of {model}", model)
        factories.regroup(made.runs.filter(position__in=asking), needs)
    return made


def serve(desk: Desk) -> Attempt:
    """Claim one run and end it."""
    attempt = desk.claim(in_flight=0)
    assert attempt is not None
    transitions.fail(attempt, FAILURE)
    return attempt


def serve_all(*taken: Lease, n_plans: int) -> list[list[str]]:
    """Let servers claim and end so many plans in turn; return which models each was given."""
    desks = cycle([Desk(lease) for lease in taken])
    served = [serve(next(desks)) for _ in range(n_plans)]
    models = [attempt.run.needed.model_key for attempt in served if attempt.run.needed]
    return [models[n :: len(taken)] for n in range(len(taken))]


def n_loads(models: list[str]) -> int:
    """Return how many prompts needed other models than the one before them."""
    return sum(before != after for before, after in pairwise(models))


def test_40_plans_of_two_checkpoints_make_two_servers_load_hardly_anything_twice(
    lease: Lease, second: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *IN_RANDOM_ORDER)

    given = serve_all(lease, second, n_plans=40)

    first_come = [IN_RANDOM_ORDER[0::2], IN_RANDOM_ORDER[1::2]]
    assert sum(map(n_loads, given)) <= 4 < 15 < sum(map(n_loads, first_come))
    assert Counter(chain(*given)) == {"shadow": 20, "labo": 20}


def test_two_servers_begin_with_different_models(
    lease: Lease, second: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["shadow"] * 3, *["labo"] * 3)

    given = serve_all(lease, second, n_plans=4)

    assert given == [["shadow"] * 2, ["labo"] * 2]


def test_plans_wait_for_a_loaded_model_no_longer_than_32_others(
    lease: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["shadow"] * 40, *["labo"] * 40)

    [given] = serve_all(lease, n_plans=80)

    served = [(model, len(list(group))) for model, group in groupby(given)]
    assert served == [("shadow", 33), ("labo", 33), ("shadow", 7), ("labo", 7)]


def test_what_another_server_sees_to_waits_for_nothing(
    lease: Lease, second: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["shadow"] * 50, *["labo"] * 50)

    given = serve_all(lease, second, n_plans=90)

    assert [n_loads(models) for models in given] == [0, 0]


def test_three_models_on_two_servers_are_all_begun(
    lease: Lease, second: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["a"] * 40, *["b"] * 40, *["c"] * 40)

    given = serve_all(lease, second, n_plans=2 * claims.PASSED_OVER_MOST)

    assert set(chain(*given)) == {"a", "b", "c"}


def test_a_server_that_is_out_of_service_holds_no_model_for_the_others(
    lease: Lease, second: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["shadow"] * 3, *["labo"] * 3)
    serve_all(lease, n_plans=1)
    Server.objects.filter(pk=lease.server.pk).update(is_enabled=False)

    assert serve_all(second, n_plans=1) == [["shadow"]]


def test_batches_of_one_priority_get_equal_shares_however_many_models_each_needs(
    lease: Lease, plans: list[Plan]
) -> None:
    mixed, plain = batch_of(plans, *["a", "b"] * 10), batch_of(plans, *["a"] * 20)

    serve_all(lease, n_plans=20)

    queued = RunState.QUEUED
    assert [each.runs.filter(state=queued).count() for each in (mixed, plain)] == [10, 10]


def n_queries(desk: Desk) -> int:
    """Return how many queries it takes to claim a run and end it."""
    with CaptureQueriesContext(connection) as captured:
        serve(desk)
    return len(captured)


def test_a_claim_takes_as_many_queries_whatever_many_models_its_batch_needs(
    lease: Lease, plans: list[Plan]
) -> None:
    batch_of(plans, *["a", "b"] * 3)
    desk = Desk(lease)
    serve(desk)
    few = n_queries(desk)
    batch_of(plans, *(f"model {n}" for n in range(15)))

    assert n_queries(desk) == few
