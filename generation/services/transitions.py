"""Every transition of a plan's run: one function each, in one transaction, with its log entry.

=====================  ==============================  ===========================
function               from                            to
=====================  ==============================  ===========================
claim                  queued                          running
acknowledge, advance   running                         running
complete               running, queued, waiting,       done
                       error, done
fail                   running                         queued, error (or cancelled)
reject                 queued                          error
lose, abandon,         running                         queued (or cancelled)
turn_away
stop                   running                         cancelled
cancel                 queued, waiting (and running    cancelled
                       where no driver can answer)
retry                  error, cancelled                queued, waiting
unblame                error, queued                   queued
release_panel          queued                          queued (its panel is there)
=====================  ==============================  ===========================

A function that returns False or None lost a race, which is normal; nothing was written then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest, Now

from generation.errors import Fenced, PlanFailure
from generation.failures import FAILURES, Again, failure
from generation.models import Attempt, Batch, PlanRun, Server, Version
from generation.selectors import batches
from generation.services.change import Actor, Change, change, hold, write_held
from generation.states import (
    UNFINISHED,
    AttemptOutcome,
    Mode,
    RunState,
    VersionState,
    WaitReason,
)
from nomenclature.rules import EXTRACTED_RAW

CLEAN: dict[str, Any] = {
    "error_code": "",
    "error_message": "",
    "error_remedy": "",
    "cancel_requested_at": None,
    "progress_pct": 0,
}

#: From this loss on, losses of one plan's prompt count: the plan may be what ends the servers.
LOST_UNCOUNTED = 4

_BLAMED = (RunState.QUEUED, RunState.ERROR)

#: A run in one of these states may be finished by an upload.
BY_HAND = (RunState.QUEUED, RunState.WAITING, RunState.ERROR, RunState.DONE)


@dataclass(frozen=True)
class Work:
    """What a claim hands to the driver: the plan's run, and the attempt to be made at it."""

    prompt_id: UUID
    graph: Mapping[str, Any]
    seed: str
    panel: Version | None


def _one(run_id: int) -> QuerySet[PlanRun]:
    return PlanRun.objects.filter(pk=run_id)


def claim(run: PlanRun, work: Work, server: Server, lease_token: UUID) -> Attempt | None:
    """Give a queued run to a server and record the attempt, before anything is posted.

    None when somebody else took it, it was cancelled, or its batch was paused.

    Raises:
        Fenced: the server's lease is not `lease_token` any more, or it takes nothing now.
    """
    with change(run.batch_id, before_all=partial(_lock, server, lease_token)) as now:
        queued = _one(run.pk).filter(wait_reason=WaitReason.TURN, state=RunState.QUEUED)
        n_before = queued.values_list("n_attempts", flat=True).first()
        if n_before is None or now.batch.paused_at is not None:
            return None
        number = n_before + 1
        attempt = Attempt(
            run=run,
            server=server,
            number=number,
            prompt_id=work.prompt_id,
            lease_token=lease_token,
            graph=work.graph,
            seed=work.seed,
            panel=work.panel,
        )
        attempt.save(force_insert=True)
        now.move(
            queued,
            RunState.RUNNING,
            sources=[RunState.QUEUED],
            current_attempt=attempt,
            n_attempts=number,
            started_at=Now(),
            progress_pct=0,
        )
        now.set(served_at=Now(), n_passed_over=0)
        now.log("claimed", run.pk, attempt=number, server=server.name, seed=work.seed)
    return attempt


def _lock(server: Server, lease_token: UUID) -> None:
    # Taking a lease over locks this row first and then adopts every open attempt, so no attempt
    # can be inserted behind its back.
    mine = Server.objects.select_for_update(no_key=True).filter(
        pk=server.pk,
        lease_token=lease_token,
        is_enabled=True,
        is_draining=False,
        set_aside_at=None,
    )
    if not mine.exists():
        raise Fenced(f"{server.name} is driven by another lease now, or takes nothing.")


def acknowledge(attempt: Attempt, *, event: str = "posted") -> bool:
    """Record that the server has the prompt; return whether its cancel was requested meanwhile.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        write_held(attempt.pk, attempt.lease_token, acknowledged_at=Now())
        now.edit(_one(attempt.run_id))
        now.log(event, attempt.run_id, server=attempt.server.name)
        return _one(attempt.run_id).filter(cancel_requested_at__isnull=False).exists()


def advance(attempt: Attempt, progress_pct: int) -> None:
    """Write a run's progress, which never falls within an attempt; writes no log entry.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        behind = _one(attempt.run_id).filter(progress_pct__lt=progress_pct)
        now.edit(behind, progress_pct=progress_pct)


def complete(version: Version, *, event: str, details: Mapping[str, Any]) -> bool:
    """Publish a reserved version and bring its run to done; False when it was published already.

    Whoever finishes the reservation may call this: the reservation is the point of no return, so
    the lease does not matter any more.
    """
    run_id, batch_id = version.run_id, version.batch_id
    if run_id is None or batch_id is None:
        raise ValueError("A version without a run is published by services.versions.")
    with change(batch_id) as now:
        if not now.publish(version):
            return False
        if version.attempt_id:
            now.end(Attempt.objects.filter(pk=version.attempt_id), AttemptOutcome.DONE)
        sources = [RunState.RUNNING] if version.attempt_id else BY_HAND
        fields = CLEAN | {"progress_pct": 100, "result": version, "wait_reason": ""}
        now.move(_one(run_id), RunState.DONE, sources=sources, **fields)
        now.log(event, run_id, **details)
    return True


def note(attempt: Attempt, event: str, **details: Any) -> None:
    """Add a log entry about an attempt that is ours.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        now.edit(_one(attempt.run_id))
        now.log(event, attempt.run_id, server=attempt.server.name, **details)


def rewrite_graph(attempt: Attempt, graph: Mapping[str, Any]) -> None:
    """Record the graph as it will be posted, when the server has renamed the panel.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with transaction.atomic():
        write_held(attempt.pk, attempt.lease_token, graph=graph)


def fail(attempt: Attempt, failure: PlanFailure, *, is_left_behind: bool = False) -> bool:
    """Close a failed attempt: the plan is tried again, or is in error with what to do about it.

    Which of the two, its failure's class and the tries that it has left decide. One whose cancel
    was asked for is cancelled instead: nobody wants it mended. Returns whether it is tried again.
    With `is_left_behind` its prompt is still on the server, to be deleted there.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        return _fail(now, attempt, failure, is_left_behind=is_left_behind)


def _fail(now: Change, attempt: Attempt, failure: PlanFailure, *, is_left_behind: bool) -> bool:
    known = FAILURES[failure.code]
    now.end(
        Attempt.objects.filter(pk=attempt.pk),
        AttemptOutcome.ERROR,
        failure.message,
        failure_code=failure.code,
        is_held_against=known.again is Again.ELSEWHERE,
        is_left_behind=is_left_behind,
    )
    run = _one(attempt.run_id)
    if _cancel_requested(now, run):
        return False
    said = {"code": failure.code, "message": failure.message, "server": attempt.server.name}
    n_tries = run.values_list("n_tries", flat=True).get() + known.counts
    most = batches.max_tries(now.batch)
    if known.again is Again.NEVER or n_tries >= most:
        now.edit(run, n_tries=n_tries)
        _put_in_error(now, run, failure)
        now.log("failed", attempt.run_id, **said, remedy=failure.remedy, tries=n_tries, most=most)
        return False
    now.move(run, RunState.QUEUED, sources=[RunState.RUNNING], **CLEAN, n_tries=n_tries)
    event = "tried" if known.counts else "held_up"
    now.log(event, attempt.run_id, **said, tries=n_tries, most=most)
    return True


def reject(run: PlanRun, failure: PlanFailure) -> bool:
    """Put a queued plan in error without an attempt: what it asks for cannot be made."""
    with change(run.batch_id) as now:
        if not _put_in_error(now, _one(run.pk).filter(state=RunState.QUEUED), failure):
            return False
        now.log("failed", run.pk, code=failure.code, message=failure.message, remedy=failure.remedy)
    return True


def _put_in_error(now: Change, runs: QuerySet[PlanRun], failure: PlanFailure) -> int:
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
        if _lost_before(attempt) < LOST_UNCOUNTED:
            _give_back(now, attempt, AttemptOutcome.LOST, detail)
        else:
            _fail(now, attempt, failure("lost_often", detail), is_left_behind=False)


def _lost_before(attempt: Attempt) -> int:
    since = PlanRun.objects.filter(pk=attempt.run_id).values("tried_from")[:1]
    lost = Attempt.objects.filter(run=attempt.run_id, outcome=AttemptOutcome.LOST)
    return lost.filter(number__gt=Subquery(since)).count()


def turn_away(attempt: Attempt, detail: str) -> None:
    """Queue a plan again whose server lacks something that another may have.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        _give_back(now, attempt, AttemptOutcome.REFUSED, detail)


def abandon(attempt: Attempt, detail: str) -> bool:
    """Take a plan away from a server that is gone; what it still brings is dropped.

    Not fenced by the lease: it is the tick's or a supervisor's act. False when the attempt was
    closed meanwhile, or its version is reserved already.
    """
    with change(attempt.run.batch_id) as now:
        held = Attempt.objects.select_for_update(no_key=True).filter(
            pk=attempt.pk, outcome=AttemptOutcome.OPEN
        )
        if not held.exists() or Version.objects.filter(attempt=attempt).exists():
            return False
        _give_back(now, attempt, AttemptOutcome.ABANDONED, detail)
    return True


def _give_back(now: Change, attempt: Attempt, outcome: AttemptOutcome, detail: str) -> None:
    left = outcome == AttemptOutcome.ABANDONED
    now.end(Attempt.objects.filter(pk=attempt.pk), outcome, detail, is_left_behind=left)
    run = _one(attempt.run_id).filter(current_attempt=attempt)
    if _cancel_requested(now, run):
        return
    now.move(run, RunState.QUEUED, sources=[RunState.RUNNING], **CLEAN)
    now.log(outcome.value, attempt.run_id, server=attempt.server.name, detail=detail)


def _cancel_requested(now: Change, run: QuerySet[PlanRun]) -> bool:
    """Cancel a run that cannot go on, if that was asked for; tell whether it was."""
    asked = list(run.filter(cancel_requested_at__isnull=False).values_list("pk", flat=True))
    now.move(run.filter(pk__in=asked), RunState.CANCELLED, **CLEAN)
    for run_id in asked:
        now.log("cancelled", run_id)
    return bool(asked)


def stop(attempt: Attempt) -> None:
    """Cancel a running plan whose prompt is off its server.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        now.end(Attempt.objects.filter(pk=attempt.pk), AttemptOutcome.CANCELLED)
        now.move(_one(attempt.run_id), RunState.CANCELLED, sources=[RunState.RUNNING], **CLEAN)
        now.log("cancelled", attempt.run_id)


def cancel(
    batch: Batch,
    *,
    run_ids: Sequence[int] | None,
    unanswered: Iterable[int],
    actor: Actor,
) -> bool:
    """Cancel a batch (`run_ids` None) or some of its runs, set-wise; False when all had ended.

    What waits is cancelled now. What runs gets a request that its driver obeys, but for runs on
    the servers `unanswered` (ids), which no driver can speak for: they are cancelled now and their
    attempts abandoned. A run whose version is reserved is past the point of no return: its log
    says that it is kept.
    """
    with change(batch.pk, actor=actor) as now:
        runs = now.batch.runs.all() if run_ids is None else now.batch.runs.filter(pk__in=run_ids)
        if not runs.filter(state__in=UNFINISHED).exists():
            return False
        if run_ids is None and now.batch.cancel_requested_at is None:
            now.set(cancel_requested_at=Now())
            now.log("batch_cancel_requested")
        _cancel_waiting(now, runs, whole=run_ids is None)
        _cancel_unanswered(now, runs, list(unanswered))
        _ask_the_rest(now, runs)
    return True


def settle_cancel(batch_id: int, *, unanswered: Iterable[int]) -> None:
    """Cancel now what was asked to stop and runs on servers that no driver can speak for."""
    with change(batch_id) as now:
        asked = now.batch.runs.filter(cancel_requested_at__isnull=False)
        _cancel_unanswered(now, asked, list(unanswered))


def _ask_the_rest(now: Change, runs: QuerySet[PlanRun]) -> None:
    unasked = runs.filter(state__in=UNFINISHED, cancel_requested_at=None)
    found = dict(unasked.annotate(is_kept=Exists(_reserved())).values_list("pk", "is_kept"))
    for run_id, is_kept in found.items():
        now.log("kept" if is_kept else "cancel_requested", run_id)
    now.edit(now.batch.runs.filter(pk__in=found), cancel_requested_at=Now())


def _reserved() -> QuerySet[Version]:
    return Version.objects.filter(run=OuterRef("pk"), state=VersionState.RESERVED)


def _cancel_waiting(now: Change, runs: QuerySet[PlanRun], *, whole: bool) -> None:
    # A reserved upload is past the point of no return: it is published, and the run is done.
    waiting = runs.filter(~Exists(_reserved()), state__in=[RunState.QUEUED, RunState.WAITING])
    ids = [] if whole else list(waiting.values_list("pk", flat=True))
    now.move(waiting, RunState.CANCELLED, **CLEAN)
    for run_id in ids:
        now.log("cancelled", run_id)


def _cancel_unanswered(now: Change, runs: QuerySet[PlanRun], servers: list[int]) -> None:
    stuck = runs.filter(
        Q(current_attempt__version=None),
        state=RunState.RUNNING,
        current_attempt__server_id__in=servers,
    )
    attempts = Attempt.objects.filter(pk__in=list(stuck.values_list("current_attempt", flat=True)))
    # Once they are locked nothing can be reserved for them: what was reserved before is kept.
    list(attempts.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    found = dict(stuck.values_list("pk", "current_attempt_id"))
    attempts = Attempt.objects.filter(pk__in=found.values())
    detail = "cancelled while no driver could answer"
    now.end(attempts, AttemptOutcome.ABANDONED, detail, is_left_behind=True)
    now.move(now.batch.runs.filter(pk__in=found), RunState.CANCELLED, **CLEAN)
    for run_id in found:
        now.log("cancelled", run_id)


def retry(
    batch: Batch, run_ids: Sequence[int], *, overrides: Mapping[str, Any], actor: Actor
) -> int:
    """Queue failed or cancelled runs again with `overrides` on top; return how many it were."""
    target = RunState.WAITING if batch.mode == Mode.MANUEL else RunState.QUEUED
    with change(batch.pk, actor=actor) as now:
        runs = now.batch.runs.filter(pk__in=run_ids, state__in=[RunState.ERROR, RunState.CANCELLED])
        found = list(runs.order_by("pk").values_list("pk", "params"))
        fields = CLEAN | {"result": None, "wait_reason": WaitReason.TURN}
        fields |= {"n_tries": 0, "tried_from": F("n_attempts")}
        moved = _retry_with(now, [pk for pk, _ in found], target, fields)
        if not moved:
            return 0
        if now.batch.needs_panel and target == RunState.QUEUED:
            _hold_without_panel(now, [pk for pk, _ in found])
        if overrides:
            _override(now, dict(found), overrides)
        now.set(cancel_requested_at=None)
        event = "retried_manually" if target == RunState.WAITING else "retried"
        for run_id, _ in found:
            now.log(event, run_id, params=dict(overrides))
    return moved


def _retry_with(now: Change, ids: list[int], target: RunState, fields: Mapping[str, Any]) -> int:
    return now.move(
        now.batch.runs.filter(pk__in=ids),
        target,
        sources=[RunState.ERROR, RunState.CANCELLED],
        **fields,
    )


def _hold_without_panel(now: Change, ids: list[int]) -> None:
    panel = Version.objects.filter(
        plan=OuterRef("plan"), task=EXTRACTED_RAW, state=VersionState.PUBLISHED
    )
    now.edit(now.batch.runs.filter(~Exists(panel), pk__in=ids), wait_reason=WaitReason.PANEL)


def _override(now: Change, found: dict[int, dict[str, Any]], overrides: Mapping[str, Any]) -> None:
    fields: dict[str, Any] = {"seed": str(overrides["seed"])} if "seed" in overrides else {}
    kept = {name: value for name, value in overrides.items() if name != "seed"}
    groups: dict[str, tuple[list[int], dict[str, Any]]] = {}
    for run_id, params in found.items():
        merged = params | kept
        groups.setdefault(repr(sorted(merged.items())), ([], merged))[0].append(run_id)
    for ids, merged in groups.values():
        now.edit(now.batch.runs.filter(pk__in=ids), params=merged, **fields)


def unblame(batch_id: int, failed: Mapping[int, int], server: str) -> int:
    """Take tries off plans that a server failed for no fault of theirs; return how many it were.

    `failed` maps runs to how many of their tries are the server's. One that is in error over it is
    queued again, unless its batch was cancelled.
    """
    with change(batch_id) as now:
        if now.batch.cancel_requested_at is not None:
            return 0
        for run_id, n_tries in failed.items():
            fewer = Greatest(F("n_tries") - n_tries, 0)
            now.edit(_one(run_id).filter(state__in=_BLAMED), n_tries=fewer)
            if now.move(_one(run_id), RunState.QUEUED, sources=[RunState.ERROR], **CLEAN):
                now.log("unblamed", run_id, server=server)
    return len(failed)


def release_panel(batch_id: int, plan_ids: Sequence[int]) -> int:
    """Let queued runs of these plans go on, whose panel has come; return how many it were."""
    with change(batch_id) as now:
        runs = now.batch.runs.filter(
            plan_id__in=plan_ids, state=RunState.QUEUED, wait_reason=WaitReason.PANEL
        )
        ids = list(runs.values_list("pk", flat=True))
        now.edit(now.batch.runs.filter(pk__in=ids), wait_reason=WaitReason.TURN)
        for run_id in ids:
            now.log("panel_arrived", run_id)
    return len(ids)
