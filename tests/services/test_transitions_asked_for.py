"""Transitions that people ask for: cancel, retry, and a panel that lets plans go on."""

from typing import Any

import pytest

from generation.models import Attempt, PlanRun
from generation.services import capability, publication, retry_overrides, transitions
from generation.services.publication import Image
from generation.states import AttemptOutcome, BatchState, Mode, RunState, WaitReason
from tests import factories
from tests.services.counting import counted, counters
from tests.services.single import events, one_run, run_of

pytestmark = pytest.mark.django_db

FINISHED = [RunState.DONE, RunState.ERROR, RunState.CANCELLED]


# cancel -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", FINISHED)
def test_cancel_leaves_a_finished_batch_as_it_is(state: RunState) -> None:
    run = one_run(state)
    revision = run.batch.revision

    transitions.cancel(run.batch, run_ids=None, unanswered=[], actor=None)

    run.batch.refresh_from_db()
    assert (run.batch.revision, run.batch.cancel_requested_at) == (revision, None)


def test_cancel_takes_all_that_waits_with_one_revision(supervisor: Any) -> None:
    made = factories.batch([RunState.QUEUED] * 3 + [RunState.DONE])

    transitions.cancel(made, run_ids=None, unanswered=[], actor=supervisor)

    assert counters(made) == counted(made) == {RunState.CANCELLED: 3, RunState.DONE: 1}
    assert made.revision == 2
    assert made.logs.get().actor == supervisor


def test_cancel_of_the_same_batch_again_changes_nothing(running: Attempt) -> None:
    made = running.run.batch
    transitions.cancel(made, run_ids=None, unanswered=[], actor=None)
    made.refresh_from_db()
    revision = made.revision

    transitions.cancel(made, run_ids=None, unanswered=[], actor=None)

    made.refresh_from_db()
    assert made.revision == revision


def test_cancel_asks_the_driver_of_what_runs(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=None, unanswered=[], actor=None)

    run = run_of(running)
    assert run.state == RunState.RUNNING
    assert run.cancel_requested_at is not None
    assert events(run) == ["cancel_requested"]


def test_cancel_takes_what_no_driver_can_answer_for(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=None, unanswered=[running.server_id], actor=None)

    running.refresh_from_db()
    assert run_of(running).state == RunState.CANCELLED
    assert (running.outcome, running.is_left_behind) == (AttemptOutcome.ABANDONED, True)


def test_cancel_takes_a_plan_that_waits_for_an_artist() -> None:
    run = one_run(RunState.WAITING, mode=Mode.MANUEL)

    transitions.cancel(run.batch, run_ids=[run.pk], unanswered=[], actor=None)

    run.refresh_from_db()
    assert run.state == RunState.CANCELLED


def test_cancel_leaves_a_plan_whose_upload_is_reserved(queued: PlanRun, image: Image) -> None:
    version = publication.reserve_upload(queued, image, actor=None)

    transitions.cancel(queued.batch, run_ids=None, unanswered=[], actor=None)
    publication.finish(version)

    queued.refresh_from_db()
    assert (queued.state, events(queued)) == (RunState.DONE, ["kept", "uploaded"])
    assert counters(queued.batch) == counted(queued.batch)


# retry ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [RunState.ERROR, RunState.CANCELLED])
@pytest.mark.parametrize(
    ("mode", "target"), [(Mode.AUTO, RunState.QUEUED), (Mode.MANUEL, RunState.WAITING)]
)
def test_retry_goes_back_to_the_first_state_of_the_mode(
    state: RunState, mode: Mode, target: RunState
) -> None:
    run = one_run(state, mode=mode)

    assert (
        transitions.retry(
            run.batch,
            [run.pk],
            overrides={},
            needs_by_run=capability.needs_by_run,
            panel_need_by_run=retry_overrides.panel_need_by_run,
            actor=None,
        )
        == 1
    )

    run.refresh_from_db()
    assert (run.state, run.error_code, run.finished_at, run.seed) == (target, "", None, "42")
    assert counters(run.batch) == {target: 1}


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.ERROR, RunState.CANCELLED}))
def test_retry_leaves_alone_what_neither_failed_nor_was_cancelled(state: RunState) -> None:
    run = one_run(state)

    assert (
        transitions.retry(
            run.batch,
            [run.pk],
            overrides={},
            needs_by_run=capability.needs_by_run,
            panel_need_by_run=retry_overrides.panel_need_by_run,
            actor=None,
        )
        == 0
    )

    run.refresh_from_db()
    assert (run.state, run.batch.revision) == (state, 1)


def test_retry_clears_the_cancel_of_the_batch() -> None:
    made = factories.batch([RunState.QUEUED, RunState.DONE])
    transitions.cancel(made, run_ids=None, unanswered=[], actor=None)

    transitions.retry(
        made,
        list(made.runs.values_list("pk", flat=True)),
        overrides={},
        needs_by_run=capability.needs_by_run,
        panel_need_by_run=retry_overrides.panel_need_by_run,
        actor=None,
    )

    made.refresh_from_db()
    assert (made.cancel_requested_at, made.status) == (None, BatchState.RUNNING)


def test_retry_waits_for_the_panel_that_is_still_missing() -> None:
    run = one_run(RunState.QUEUED, needs_panel=True)
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)
    transitions.cancel(run.batch, run_ids=None, unanswered=[], actor=None)

    transitions.retry(
        run.batch,
        [run.pk],
        overrides={},
        needs_by_run=capability.needs_by_run,
        panel_need_by_run=retry_overrides.panel_need_by_run,
        actor=None,
    )

    run.refresh_from_db()
    assert run.wait_reason == WaitReason.PANEL


def test_retry_no_longer_waits_for_a_panel_that_came_meanwhile() -> None:
    run = one_run(RunState.QUEUED, needs_panel=True)
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)
    transitions.cancel(run.batch, run_ids=None, unanswered=[], actor=None)
    factories.version(run.plan, task="extracted-raw")

    transitions.retry(
        run.batch,
        [run.pk],
        overrides={},
        needs_by_run=capability.needs_by_run,
        panel_need_by_run=retry_overrides.panel_need_by_run,
        actor=None,
    )

    run.refresh_from_db()
    assert run.wait_reason == WaitReason.TURN


# release_panel ----------------------------------------------------------------------------------


def test_release_panel_lets_the_plans_go_on_that_waited_for_it(queued: PlanRun) -> None:
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)

    assert transitions.release_panel(queued.batch_id, [queued.plan_id]) == 1

    queued.refresh_from_db()
    assert queued.wait_reason == WaitReason.TURN
    assert events(queued) == ["panel_arrived"]


def test_release_panel_leaves_what_waits_for_something_else(queued: PlanRun) -> None:
    PlanRun.objects.update(wait_reason=WaitReason.UPLOAD)

    assert transitions.release_panel(queued.batch_id, [queued.plan_id]) == 0

    queued.refresh_from_db()
    assert queued.batch.revision == 1
