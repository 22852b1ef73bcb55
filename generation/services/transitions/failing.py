"""How an attempt ends without an image: failed, lost, turned away, abandoned."""

from typing import Any

from django.db.models import QuerySet, Subquery

from generation.errors import PlanFailure
from generation.failures import FAILURES, Again, failure
from generation.models import Attempt, PlanRun, Version
from generation.selectors import batches
from generation.services.transitions.run_updates import CLEAN, cancel_if_requested, one
from generation.services.transitions.unit_of_work import UnitOfWork, change, hold
from generation.states import AttemptOutcome, RunState, WaitReason
from wording import say

#: The code of a loss that is nobody's failure: somebody else interrupted the prompt.
INTERRUPTED = "interrupted"
#: From this loss on, losses of one plan's prompt count: the plan may be what ends the servers.
LOST_UNCOUNTED = 4


def fail(attempt: Attempt, failure: PlanFailure, *, is_left_behind: bool = False) -> bool:
    """Close a failed attempt: the plan is tried again, or is in error with what to do about it.

    The failure's class and the remaining tries decide which. A plan whose cancel was requested is
    cancelled instead: nobody wants it mended. Returns whether it is tried again.
    With `is_left_behind` its prompt is still on the server, to be deleted there.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        return _fail(now, attempt, failure, is_left_behind=is_left_behind)


def _fail(now: UnitOfWork, attempt: Attempt, failure: PlanFailure, *, is_left_behind: bool) -> bool:
    known = FAILURES[failure.code]
    now.end(
        Attempt.objects.filter(pk=attempt.pk),
        AttemptOutcome.ERROR,
        failure.message,
        failure_code=failure.code,
        is_held_against=known.again is Again.ELSEWHERE,
        is_left_behind=is_left_behind,
    )
    run = one(attempt.run_id)
    if cancel_if_requested(now, run):
        return False
    said = {"code": failure.code, "message": failure.message, "server": attempt.server.name}
    n_tries = run.values_list("n_tries", flat=True).get() + known.counts
    most = batches.max_tries(now.batch)
    if known.again is Again.NEVER or n_tries >= most:
        now.edit(run, n_tries=n_tries)
        put_in_error(now, run, failure)
        now.log("failed", attempt.run_id, **said, remedy=failure.remedy, tries=n_tries, most=most)
        return False
    now.move(run, RunState.QUEUED, sources=[RunState.RUNNING], **CLEAN, n_tries=n_tries)
    event = "tried" if known.counts else "held_up"
    now.log(event, attempt.run_id, **said, tries=n_tries, most=most)
    return True


def fail_alike(attempt: Attempt, failure: PlanFailure) -> int:
    """Fail the queued plans that a server would refuse like a failed attempt's; return how many.

    These are the plans of its batch with the same graph, needs and parameters. The batch's log says
    it once; each plan's error points there. Not fenced by the lease: what the server said is true
    whoever drives it.
    """
    run = PlanRun.objects.select_related("plan__sequence").get(pk=attempt.run_id)
    plan, server = f"{run.plan.sequence.code}-{run.plan.code}", attempt.server.name
    words = say(
        "It was not sent: {server} refuses what it is made of. The log of its batch says why.",
        server=server,
    )
    with change(run.batch_id) as now:
        alike = PlanRun.objects.queued().filter(group=run.group_id, params=run.params)
        why = PlanFailure(failure.code, words, failure.remedy)
        moved = put_in_error(now, alike, why)
        if moved:
            said = {"code": failure.code, "message": failure.message, "remedy": failure.remedy}
            now.log("failed_alike", None, **said, server=server, plan=plan, plans=moved)
    return moved


def put_in_error(now: UnitOfWork, runs: QuerySet[PlanRun], failure: PlanFailure) -> int:
    """Move runs to error, saying why; return how many."""
    return now.move(
        runs,
        RunState.ERROR,
        sources=[RunState.QUEUED, RunState.RUNNING],
        error_code=failure.code,
        error_message=failure.message,
        error_remedy=failure.remedy,
        cancel_requested_at=None,
    )


def lose(attempt: Attempt, detail: str) -> None:
    """Queue a plan again whose prompt the server has forgotten (cancel it, if that was asked).

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        n_before = _lost_before(attempt)
        if n_before < LOST_UNCOUNTED:
            _give_back(now, attempt, AttemptOutcome.LOST, detail)
            return
        words = say(
            "{server} lost the prompt, as {n_before} times before: {detail}.",
            server=attempt.server.name,
            n_before=n_before,
            detail=detail,
        )
        _fail(now, attempt, failure("lost_often", words), is_left_behind=False)


def lose_interrupted(attempt: Attempt) -> None:
    """Queue a plan again whose prompt somebody else interrupted: however often, it is no failure.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        detail = say("somebody else interrupted it")
        _give_back(now, attempt, AttemptOutcome.LOST, detail, failure_code=INTERRUPTED)


def _lost_before(attempt: Attempt) -> int:
    since = PlanRun.objects.filter(pk=attempt.run_id).values("tried_from")[:1]
    lost = Attempt.objects.filter(run=attempt.run_id, outcome=AttemptOutcome.LOST)
    lost = lost.exclude(failure_code=INTERRUPTED)
    return lost.filter(number__gt=Subquery(since)).count()


def turn_away(attempt: Attempt, detail: str) -> None:
    """Queue a plan again whose server lacks something that another may have: for others first.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        _give_back(now, attempt, AttemptOutcome.REFUSED, detail, is_held_against=True)


def step_back(attempt: Attempt, detail: str) -> None:
    """Queue a plan again whose server stands aside, before its prompt was posted there.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        _give_back(now, attempt, AttemptOutcome.ABANDONED, detail, is_left_behind=False)


def requeue_lost_staged(now: UnitOfWork, gone: Version) -> None:
    """Queue a plan again of which a reserved picture was removed before it was published.

    Part of the change that gave its number back; not fenced, as that is the tick's act.
    """
    run = one(gone.run_id or 0)
    attempt = Attempt.objects.filter(pk=gone.attempt_id or 0)
    now.end(attempt, AttemptOutcome.LOST, say("its file was removed"))
    now.edit(run.filter(wait_reason=WaitReason.UPLOAD), wait_reason=WaitReason.TURN)
    now.log("staged_file_gone", gone.run_id, filename=str(gone))
    if gone.attempt_id and not cancel_if_requested(now, run):
        now.move(run, RunState.QUEUED, sources=[RunState.RUNNING], **CLEAN)


def abandon(attempt: Attempt, detail: str) -> bool:
    """Take a plan away from a server that is gone; what it still brings is dropped.

    Not fenced by the lease: it is the tick's or a supervisor's act. False when the attempt was
    closed meanwhile, or its version is reserved already.
    """
    with change(attempt.run.batch_id) as now:
        still_open = Attempt.objects.under_way().filter(pk=attempt.pk)
        held = still_open.select_for_update(no_key=True)
        if not held.exists() or Version.objects.filter(attempt=attempt).exists():
            return False
        _give_back(now, attempt, AttemptOutcome.ABANDONED, detail)
    return True


def _give_back(
    now: UnitOfWork, attempt: Attempt, outcome: AttemptOutcome, detail: str, **fields: Any
) -> None:
    fields.setdefault("is_left_behind", outcome == AttemptOutcome.ABANDONED)
    now.end(Attempt.objects.filter(pk=attempt.pk), outcome, detail, **fields)
    run = one(attempt.run_id).filter(current_attempt=attempt)
    if cancel_if_requested(now, run):
        return
    now.move(run, RunState.QUEUED, sources=[RunState.RUNNING], **CLEAN)
    is_unposted = outcome == AttemptOutcome.ABANDONED and not fields["is_left_behind"]
    event = "stood_aside" if is_unposted else fields.get("failure_code") or outcome.value
    now.log(event, attempt.run_id, server=attempt.server.name, detail=detail)
