"""Every transition: when it is allowed, and when it is refused and leaves everything as it was."""

from typing import Any
from uuid import uuid4

import pytest

from generation.errors import Fenced, PlanFailure
from generation.models import Attempt, LogEntry, PlanRun, Server
from generation.services import publication, transitions
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, BatchState, RunState, VersionState, WaitReason
from tests import factories
from tests.services.claiming import claim
from tests.services.counting import counters
from tests.services.single import events, one_run, run_of

pytestmark = pytest.mark.django_db

FAILURE = PlanFailure("graph_refused", "KSampler: it broke.", "Retry.")


# claim ------------------------------------------------------------------------------------------


def test_claim_gives_a_queued_run_to_the_server(queued: PlanRun, lease: Lease) -> None:
    attempt = claim(queued, lease)

    assert attempt is not None
    queued.refresh_from_db()
    assert (queued.state, queued.current_attempt, queued.n_attempts) == (
        RunState.RUNNING,
        attempt,
        1,
    )
    assert attempt.lease_token == lease.token
    assert counters(queued.batch) == {RunState.QUEUED: 2, RunState.RUNNING: 1}
    assert events(queued) == ["claimed"]


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.QUEUED}))
def test_claim_takes_no_run_that_is_not_queued(state: RunState, lease: Lease) -> None:
    run = one_run(state)

    assert claim(run, lease) is None

    run.refresh_from_db()
    assert run.state == state
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("reason", [WaitReason.PANEL, WaitReason.UPLOAD])
def test_claim_takes_no_run_that_waits_for_a_file(reason: WaitReason, lease: Lease) -> None:
    run = one_run(RunState.QUEUED)
    PlanRun.objects.update(wait_reason=reason)

    assert claim(run, lease) is None


@pytest.mark.parametrize(
    "fields", [{"is_enabled": False}, {"is_draining": True}, {"lease_token": uuid4()}]
)
def test_claim_is_fenced_when_the_server_may_not_take_it(
    fields: dict[str, Any], queued: PlanRun, lease: Lease
) -> None:
    Server.objects.update(**fields)

    with pytest.raises(Fenced):
        claim(queued, lease)

    assert not Attempt.objects.exists()


# acknowledge, advance, note, rewrite_graph --------------------------------------------------------


def test_acknowledge_says_that_the_server_has_the_prompt(running: Attempt) -> None:
    assert transitions.acknowledge(running) is False

    running.refresh_from_db()
    assert running.acknowledged_at is not None
    assert events(running.run) == ["posted"]


def test_acknowledge_says_that_a_cancel_came_meanwhile(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=[running.run_id], unanswered=[], actor=None)

    assert transitions.acknowledge(running) is True


def test_what_is_noted_once_is_said_again_of_the_next_attempt_only(running: Attempt) -> None:
    transitions.note_once(running, "disk_full", detail="it is full")
    transitions.note(running, "adopted")
    transitions.note_once(running, "disk_full", detail="it is full")
    factories.log(running.run.batch, running.run, "claimed")
    transitions.note_once(running, "disk_full", detail="it is full")

    told = ["disk_full", "adopted", "claimed", "disk_full"]
    assert events(running.run) == told


def test_advance_never_lets_progress_fall(running: Attempt) -> None:
    transitions.advance(running, 60)
    transitions.advance(running, 40)

    assert run_of(running).progress_pct == 60


def test_advance_that_changes_nothing_leaves_the_revision(running: Attempt) -> None:
    before = run_of(running).batch.revision

    transitions.advance(running, 10)

    assert run_of(running).batch.revision == before


@pytest.mark.parametrize("outcome", sorted(set(AttemptOutcome) - {AttemptOutcome.OPEN}))
@pytest.mark.parametrize(
    "write",
    [
        transitions.acknowledge,
        transitions.stop,
        lambda attempt: transitions.advance(attempt, 60),
        lambda attempt: transitions.note(attempt, "adopted"),
        lambda attempt: transitions.note_once(attempt, "disk_full"),
        lambda attempt: transitions.rewrite_graph(attempt, {}),
        lambda attempt: transitions.fail(attempt, FAILURE),
        lambda attempt: transitions.lose(attempt, "gone"),
        transitions.lose_interrupted,
    ],
    ids=[
        "acknowledge",
        "stop",
        "advance",
        "note",
        "note_once",
        "rewrite_graph",
        "fail",
        "lose",
        "lose_interrupted",
    ],
)
def test_no_write_of_a_driver_touches_an_attempt_that_is_closed(
    write: Any, outcome: AttemptOutcome, running: Attempt
) -> None:
    Attempt.objects.update(outcome=outcome)

    with pytest.raises(Fenced):
        write(running)

    assert run_of(running).state == RunState.RUNNING
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "write",
    [
        transitions.acknowledge,
        transitions.stop,
        lambda attempt: transitions.advance(attempt, 60),
        lambda attempt: transitions.note(attempt, "adopted"),
        lambda attempt: transitions.note_once(attempt, "disk_full"),
        lambda attempt: transitions.rewrite_graph(attempt, {}),
        lambda attempt: transitions.fail(attempt, FAILURE),
        lambda attempt: transitions.lose(attempt, "gone"),
        transitions.lose_interrupted,
    ],
    ids=[
        "acknowledge",
        "stop",
        "advance",
        "note",
        "note_once",
        "rewrite_graph",
        "fail",
        "lose",
        "lose_interrupted",
    ],
)
def test_no_write_of_a_driver_touches_an_attempt_of_another_lease(
    write: Any, running: Attempt
) -> None:
    Attempt.objects.update(lease_token=uuid4())

    with pytest.raises(Fenced):
        write(running)

    assert run_of(running).state == RunState.RUNNING


# complete ---------------------------------------------------------------------------------------


def test_complete_publishes_the_version_and_ends_the_run(
    running: Attempt, lease: Lease, image: Image
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])

    assert transitions.complete([version], event="published")

    run = run_of(running)
    running.refresh_from_db()
    version.refresh_from_db()
    assert (run.state, run.progress_pct, run.result) == (RunState.DONE, 100, version)
    assert (running.outcome, version.state) == (AttemptOutcome.DONE, VersionState.PUBLISHED)
    assert counters(run.batch) == {RunState.DONE: 1, RunState.QUEUED: 1}


def test_complete_does_nothing_the_second_time(
    running: Attempt, lease: Lease, image: Image
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    transitions.complete([version], event="published")
    revision = run_of(running).batch.revision

    assert not transitions.complete([version], event="published")

    assert run_of(running).batch.revision == revision


def test_complete_keeps_what_was_reserved_before_the_cancel_and_says_so(
    running: Attempt, lease: Lease, image: Image
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    transitions.cancel(running.run.batch, run_ids=None, unanswered=[lease.server.pk], actor=None)

    transitions.complete([version], event="published")

    run = run_of(running)
    assert (run.state, run.cancel_requested_at) == (RunState.DONE, None)
    assert events(run)[-2:] == ["kept", "published"]
    assert run.batch.status == BatchState.CANCELLED


def test_complete_refuses_a_version_that_no_run_made(db: None) -> None:
    version = factories.reserved(factories.plans()[0])

    with pytest.raises(ValueError, match="without a run"):
        transitions.complete([version], event="published")


# fail -------------------------------------------------------------------------------------------


def test_fail_says_what_happened_and_what_to_do(running: Attempt) -> None:
    transitions.fail(running, FAILURE)

    run = run_of(running)
    running.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.ERROR, "graph_refused")
    assert (run.error_message, run.error_remedy) == (FAILURE.message, FAILURE.remedy)
    assert (running.outcome, running.outcome_detail) == (AttemptOutcome.ERROR, FAILURE.message)
    assert run.finished_at is not None


# lose, abandon, stop ----------------------------------------------------------------------------


def test_lose_queues_the_plan_again(running: Attempt) -> None:
    transitions.lose(running, "it forgot")

    run = run_of(running)
    running.refresh_from_db()
    assert (run.state, run.progress_pct) == (RunState.QUEUED, 0)
    assert (running.outcome, running.outcome_detail) == (AttemptOutcome.LOST, "it forgot")
    assert not running.is_left_behind
    assert events(run) == ["lost"]


def test_lose_cancels_a_plan_whose_cancel_was_asked_for(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=[running.run_id], unanswered=[], actor=None)

    transitions.lose(running, "it forgot")

    assert run_of(running).state == RunState.CANCELLED


def test_an_interrupt_is_never_a_failure_however_often_it_happens(running: Attempt) -> None:
    Attempt.objects.bulk_create(lost_before(running, 9, code="interrupted"))

    transitions.lose_interrupted(running)

    run = run_of(running)
    running.refresh_from_db()
    assert (run.state, run.n_tries, run.error_code) == (RunState.QUEUED, 0, "")
    assert (running.outcome, running.failure_code) == (AttemptOutcome.LOST, "interrupted")
    assert events(run) == ["interrupted"]


@pytest.mark.parametrize(("code", "n_tries"), [("interrupted", 0), ("", 1)])
def test_a_loss_is_counted_with_other_losses_and_not_with_interrupts(
    running: Attempt, code: str, n_tries: int
) -> None:
    Attempt.objects.bulk_create(lost_before(running, 9, code=code))

    transitions.lose(running, "it forgot")

    assert run_of(running).n_tries == n_tries


def lost_before(attempt: Attempt, n_times: int, *, code: str) -> list[Attempt]:
    return [
        Attempt(
            run=attempt.run,
            server=attempt.server,
            number=attempt.number + number,
            prompt_id=uuid4(),
            lease_token=attempt.lease_token,
            outcome=AttemptOutcome.LOST,
            failure_code=code,
            graph={},
        )
        for number in range(1, n_times + 1)
    ]


def test_an_interrupt_of_a_plan_whose_cancel_was_asked_for_cancels_it(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=[running.run_id], unanswered=[], actor=None)

    transitions.lose_interrupted(running)

    assert run_of(running).state == RunState.CANCELLED


def test_abandon_queues_the_plan_again_and_remembers_the_prompt(running: Attempt) -> None:
    assert transitions.abandon(running, "no answer")

    running.refresh_from_db()
    assert run_of(running).state == RunState.QUEUED
    assert (running.outcome, running.is_left_behind) == (AttemptOutcome.ABANDONED, True)


def test_abandon_leaves_a_render_that_is_reserved(
    running: Attempt, lease: Lease, image: Image
) -> None:
    publication.reserve_render(running, lease.token, [image])

    assert not transitions.abandon(running, "no answer")

    assert run_of(running).state == RunState.RUNNING


def test_abandon_leaves_an_attempt_that_is_closed(running: Attempt) -> None:
    transitions.fail(running, FAILURE)

    assert not transitions.abandon(running, "no answer")

    assert run_of(running).state == RunState.ERROR


def test_fail_cancels_a_plan_whose_cancel_was_asked_for(running: Attempt) -> None:
    transitions.cancel(running.run.batch, run_ids=[running.run_id], unanswered=[], actor=None)

    transitions.fail(running, FAILURE)

    run = run_of(running)
    assert (run.state, run.error_code, run.cancel_requested_at) == (RunState.CANCELLED, "", None)
    assert events(run) == ["cancel_requested", "cancelled"]


def test_stop_cancels_the_plan(running: Attempt) -> None:
    transitions.stop(running)

    running.refresh_from_db()
    assert run_of(running).state == RunState.CANCELLED
    assert running.outcome == AttemptOutcome.CANCELLED
