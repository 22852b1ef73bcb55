"""When plans, batches and the whole queue are expected to end, and what is not known of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Attempt, Batch, Capability, Server
from generation.selectors import expected_ends
from generation.states import AttemptOutcome, Mode, RunState, ServerHealth
from tests import factories

QUEUED, RUNNING, DONE = RunState.QUEUED, RunState.RUNNING, RunState.DONE
NEAR = timedelta(seconds=30)
#: Two for each of two servers, and so many for everything else.
QUERIES_MOST = 16


def rendered(server: Server, render_s: float) -> None:
    """Have a server have rendered a plan of the factories' workflow in so many seconds."""
    run = factories.batch([DONE]).runs.get()
    factories.attempt(run, on=server, outcome=AttemptOutcome.DONE, render_s=render_s)


def seconds(expected: expected_ends.Expected | None) -> float:
    """Return in how many seconds something is expected to end."""
    assert expected is not None and expected.at is not None
    return (expected.at - timezone.now()).total_seconds()


def of(batch: Batch) -> expected_ends.Expected | None:
    return expected_ends.forecast().of_batch(batch)


def test_a_batch_ends_after_its_plans_one_after_another(db: None) -> None:
    rendered(factories.server(), 100)
    batch = factories.batch([QUEUED] * 3)

    assert seconds(of(batch)) == pytest.approx(300, abs=30)


def test_two_servers_share_the_queue_as_fast_as_each_is(db: None) -> None:
    rendered(factories.server("gpu-1"), 100)
    rendered(factories.server("gpu-2"), 200)
    batch = factories.batch([QUEUED] * 3)

    assert seconds(of(batch)) == pytest.approx(200, abs=30)


def test_what_stands_behind_in_the_queue_ends_later(db: None) -> None:
    rendered(factories.server(), 100)
    last, first = factories.batch([QUEUED] * 2), factories.batch([QUEUED], priority=5)

    told = expected_ends.forecast()

    assert seconds(told.of_batch(first)) == pytest.approx(100, abs=30)
    assert seconds(told.of_batch(last)) == pytest.approx(300, abs=30)
    assert told.queue == told.of_batch(last)


def test_what_runs_keeps_its_server_busy_for_the_rest_of_its_time(db: None) -> None:
    server = factories.server()
    rendered(server, 100)
    run = factories.batch([RUNNING]).runs.get()
    Attempt.objects.filter(pk=run.current_attempt_id).update(
        server=server, started_at=timezone.now() - timedelta(seconds=60)
    )
    batch = factories.batch([QUEUED])

    told = expected_ends.forecast()

    assert seconds(told.of_run(run)) == pytest.approx(40, abs=30)
    assert seconds(told.of_batch(batch)) == pytest.approx(140, abs=30)


def test_a_workflow_that_nobody_rendered_lately_has_no_expected_end(db: None) -> None:
    factories.server()
    batch = factories.batch([QUEUED])

    told = of(batch)

    assert told == expected_ends.Expected(None, "nothing was rendered with Small.json lately")


def test_what_stands_behind_something_unknown_is_not_known_either(db: None) -> None:
    rendered(factories.server(), 100)
    factories.batch([QUEUED], priority=5, workflow=factories.workflow("Other.json"))
    batch = factories.batch([QUEUED])

    told = of(batch)

    assert told is not None
    assert (told.at, told.why) == (None, "something before it takes a time that is not known")


def test_without_a_server_that_can_nothing_is_promised(db: None) -> None:
    server = factories.server()
    rendered(server, 100)
    unmet = factories.unmet(missing="forest.safetensors", on=server)
    batch = factories.batch([QUEUED])

    assert of(unmet) == expected_ends.Expected(None, "it cannot be taken yet")
    Server.objects.filter(pk=server.pk).update(health=ServerHealth.DOWN)

    told = of(batch)
    assert told is not None
    assert told.why == "no server that could render it answers and takes work"


def test_only_a_server_that_has_what_it_needs_counts(db: None) -> None:
    able, unable = factories.server("gpu-1"), factories.server("gpu-2")
    rendered(able, 200)
    rendered(unable, 10)
    needs = factories.needs()
    Capability.objects.create(needs=needs, server=able, is_capable=True)
    Capability.objects.create(needs=needs, server=unable, is_capable=False)
    batch = factories.batch([QUEUED], needs=needs)

    assert seconds(of(batch)) == pytest.approx(200, abs=30)


def test_an_artist_promises_nothing_and_a_finished_batch_needs_nothing(db: None) -> None:
    waiting = factories.batch([RunState.WAITING], mode=Mode.MANUEL)
    done = factories.batch([DONE])

    told = expected_ends.forecast()

    assert told.of_batch(waiting) == expected_ends.Expected(None, "an artist uploads it")
    assert told.of_batch(done) is None
    assert told.queue is None


def test_a_plan_ends_with_the_last_of_its_runs(db: None) -> None:
    rendered(factories.server(), 100)
    [plan] = factories.many_plans(1)
    factories.batch([QUEUED], of=[plan])
    last = factories.batch([QUEUED], of=[plan])

    told = expected_ends.forecast()

    assert told.of_plan(plan) == told.of_batch(last)


def test_a_retry_with_another_workflow_takes_what_that_one_takes(db: None) -> None:
    server = factories.server()
    rendered(server, 100)
    batch = factories.batch([QUEUED], workflow=factories.workflow("Other.json"))
    assert of(batch) == expected_ends.Expected(None, "nothing was rendered with Other.json lately")

    batch.runs.update(own_workflow=factories.workflow())

    assert seconds(of(batch)) == pytest.approx(100, abs=30)


@pytest.mark.parametrize("n_plans", [10, 200])
def test_a_long_queue_asks_no_more_than_a_short_one(db: None, n_plans: int) -> None:
    rendered(factories.server("gpu-1"), 100)
    rendered(factories.server("gpu-2"), 200)
    factories.batch([QUEUED] * n_plans, of=factories.many_plans(n_plans))

    with CaptureQueriesContext(connection) as captured:
        told = expected_ends.forecast()

    assert len(told.runs) == n_plans
    assert len(captured) <= QUERIES_MOST


def test_a_forecast_that_cost_much_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    made: list[expected_ends.Forecast] = []
    monkeypatch.setattr(
        expected_ends, "forecast", lambda: made.append(expected_ends.Forecast()) or made[-1]
    )
    monkeypatch.setattr(expected_ends, "thread_time", lambda: 2.0 * len(made))
    monkeypatch.setattr(expected_ends, "monotonic", lambda: now[0])
    kept = expected_ends.ForecastCache(dear_s=1.0, share=0.5)

    first = kept.recent()
    now[0] = 3.9
    assert kept.recent() is first
    now[0] = 4.0
    second = kept.recent()
    assert second is not first
    kept.clear()
    assert kept.recent() is not second


def test_a_forecast_that_costs_little_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected_ends, "thread_time", lambda: 0.0)
    monkeypatch.setattr(expected_ends, "forecast", expected_ends.Forecast)
    kept = expected_ends.ForecastCache()

    assert kept.recent() is not kept.recent()
