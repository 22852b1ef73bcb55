"""Whatever happens to a batch, in whatever order: its counters say what its rows say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.errors import Conflict, Fenced, PlanFailure
from generation.models import Attempt, Batch, PlanRun, Server
from generation.services import (
    capability,
    image_staging,
    plan_runs,
    publication,
    retry_overrides,
    transitions,
)
from generation.services.server_leases import Lease
from generation.states import FINISHED, UNFINISHED, RunState
from tests import factories
from tests.services.claiming import claim
from tests.services.counting import counted, counters

pytestmark = pytest.mark.django_db

FAILURE = PlanFailure("node_error", "It broke.", "Retry.")
N_RUNS = 3


def render(run: PlanRun, lease: Lease) -> None:
    image = image_staging.stage(factories.png())
    (version,) = publication.reserve_render(attempt_of(run), lease.token, [image])
    publication.finish(version)


def attempt_of(run: PlanRun) -> Attempt:
    found = Attempt.objects.filter(run=run).select_related("run", "server").first()
    if found is None:
        raise Fenced
    return found


def retry(run: PlanRun, _: Lease) -> None:
    transitions.retry(
        run.batch,
        [run.pk],
        overrides={},
        needs_by_run=capability.needs_by_run,
        panel_need_by_run=retry_overrides.panel_need_by_run,
        actor=None,
    )


def upload(run: PlanRun, _: Lease) -> None:
    plan_runs.upload(run, factories.png(), filename="", actor=None)


def cancel(run: PlanRun, lease: Lease, *, unanswered: bool = False, whole: bool = False) -> None:
    transitions.cancel(
        run.batch,
        run_ids=None if whole else [run.pk],
        unanswered=[lease.server.pk] if unanswered else [],
        actor=None,
    )


ACTS: dict[str, Callable[[PlanRun, Lease], object]] = {
    "claim": claim,
    "render": render,
    "acknowledge": lambda run, _: transitions.acknowledge(attempt_of(run)),
    "advance": lambda run, _: transitions.advance(attempt_of(run), 60),
    "fail": lambda run, _: transitions.fail(attempt_of(run), FAILURE),
    "lose": lambda run, _: transitions.lose(attempt_of(run), "gone"),
    "abandon": lambda run, _: transitions.abandon(attempt_of(run), "gone"),
    "stop": lambda run, _: transitions.stop(attempt_of(run)),
    "upload": upload,
    "retry": retry,
    "cancel": cancel,
    "cancel, unanswered": lambda run, lease: cancel(run, lease, unanswered=True),
    "cancel the batch": lambda run, lease: cancel(run, lease, whole=True),
}
STORY = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, N_RUNS - 1)), max_size=25)


@given(STORY)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_counters_revision_and_states_stay_true(
    server: Server, lease: Lease, adopted_home: Path, story: list[tuple[str, int]]
) -> None:
    own = transaction.atomic()
    own._from_testcase = True
    with own:
        tell(factories.batch([RunState.QUEUED] * N_RUNS), lease, story)
        transaction.set_rollback(True)


def tell(batch: Batch, lease: Lease, story: list[tuple[str, int]]) -> None:
    for act, position in story:
        before = batch.revision
        try_to(ACTS[act], batch.runs.select_related("batch", "plan").get(position=position), lease)
        batch.refresh_from_db()
        check(batch, before)


def try_to(act: Callable[[PlanRun, Lease], object], run: PlanRun, lease: Lease) -> None:
    try:
        act(run, lease)
    except (Conflict, Fenced, publication.CancelledMeanwhile):
        return


def check(batch: Batch, before: int) -> None:
    rows = list(batch.runs.select_related("current_attempt", "result"))
    unfinished = [run for run in rows if run.state in UNFINISHED]
    assert counters(batch) == counted(batch)
    assert batch.revision >= before
    assert max(run.revision for run in rows) <= batch.revision
    assert (batch.finished_at is None) == bool(unfinished)
    assert all((run.finished_at is not None) == (run.state in FINISHED) for run in rows)
    opened = Attempt.objects.filter(run__batch=batch, outcome="open")
    running = {run.current_attempt_id for run in rows if run.state == RunState.RUNNING}
    assert set(opened.values_list("pk", flat=True)) == running
