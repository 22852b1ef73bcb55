"""Cancelling plans, set-wise: what waits, what runs, and what nobody can answer for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from generation.models import Attempt, Batch, Version
from generation.models.plan_run import PlanRunQuerySet
from generation.services.transitions.held_up_versions import cancel_held_up, held_up_version
from generation.services.transitions.run_updates import CLEAN, one
from generation.services.transitions.unit_of_work import Actor, UnitOfWork, change, hold
from generation.states import AttemptOutcome, RunState
from wording import say


@dataclass(frozen=True)
class CancelCounts:
    """What a cancel did: to how many plans, and whether the batch itself was asked to stop by it.

    `n_ended` are cancelled, `n_asked` asked to stop by their drivers, `n_kept` past the point of
    no return. What was cancelled, or asked, before is none of them.
    """

    n_ended: int = 0
    n_asked: int = 0
    n_kept: int = 0
    is_request: bool = False
    was_unfinished: bool = True

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was left to be done."""
        return not (self.n_ended or self.n_asked or self.n_kept or self.is_request)


def cancel(
    batch: Batch,
    *,
    run_ids: Sequence[int] | None,
    unanswered: Iterable[int],
    actor: Actor,
) -> CancelCounts:
    """Cancel a batch (`run_ids` None) or some of its runs, set-wise; say what that did.

    What waits is cancelled now. What runs gets a request that its driver obeys, but for runs on
    the servers `unanswered` (ids), which no driver can speak for: they are cancelled now and their
    attempts abandoned. A run whose version is reserved is past the point of no return: its log
    says that it is kept.
    """
    with change(batch.pk, actor=actor) as now:
        runs = now.batch.runs.all() if run_ids is None else now.batch.runs.filter(pk__in=run_ids)
        if not runs.unfinished().exists():
            return CancelCounts(was_unfinished=False)
        is_request = run_ids is None and now.batch.cancel_requested_at is None
        if is_request:
            now.set(cancel_requested_at=Now())
            now.log("batch_cancel_requested")
        _lock_attempts(runs, list(unanswered))
        _cancel_unanswered(now, runs, list(unanswered))
        _cancel_waiting(now, runs, whole=run_ids is None)
        n_asked, n_kept = _ask_the_rest(now, runs)
        cancel_held_up(now, runs)
        n_ended = now.n_moved(RunState.CANCELLED)
    return CancelCounts(n_ended, n_asked, n_kept, is_request=is_request)


def _lock_attempts(runs: PlanRunQuerySet, servers: list[int]) -> None:
    """Lock every attempt that may be ended, before any run is locked."""
    ended = runs.filter(
        Q(current_attempt__server_id__in=servers) | held_up_version(), state=RunState.RUNNING
    )
    ids = list(ended.values_list("current_attempt", flat=True))
    attempts = Attempt.objects.filter(pk__in=ids).order_by("pk")
    list(attempts.select_for_update(no_key=True).values_list("pk"))


def stop(attempt: Attempt) -> None:
    """Cancel a running plan whose prompt is off its server.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        now.end(Attempt.objects.filter(pk=attempt.pk), AttemptOutcome.CANCELLED)
        now.move(one(attempt.run_id), RunState.CANCELLED, sources=[RunState.RUNNING], **CLEAN)
        now.log("cancelled", attempt.run_id)


def cancel_unanswered(batch_id: int, *, unanswered: Iterable[int]) -> None:
    """Cancel now what was asked to stop and runs on servers that no driver can speak for."""
    with change(batch_id) as now:
        asked = now.batch.runs.filter(cancel_requested_at__isnull=False)
        _cancel_unanswered(now, asked, list(unanswered))


def _ask_the_rest(now: UnitOfWork, runs: PlanRunQuerySet) -> tuple[int, int]:
    """Leave requests for what runs; return how many were asked to stop, and how many are kept."""
    unasked = runs.stoppable().filter(~held_up_version())
    # Once they are locked nothing can be reserved for them: what was reserved before is kept.
    asked = list(unasked.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    are_kept = now.batch.runs.filter(pk__in=asked).annotate(is_kept=Exists(_reserved()))
    kept_by_id = dict(are_kept.values_list("pk", "is_kept"))
    for run_id, is_kept in kept_by_id.items():
        now.log("kept" if is_kept else "cancel_requested", run_id)
    now.edit(now.batch.runs.filter(pk__in=kept_by_id), cancel_requested_at=Now())
    n_kept = sum(kept_by_id.values())
    return len(kept_by_id) - n_kept, n_kept


def _reserved() -> QuerySet[Version]:
    return Version.objects.reserved().filter(run=OuterRef("pk"))


def _cancel_waiting(now: UnitOfWork, runs: PlanRunQuerySet, *, whole: bool) -> None:
    # A reserved upload is past the point of no return: it is published, and the run is done.
    waiting = runs.filter(~Exists(_reserved()), state__in=[RunState.QUEUED, RunState.WAITING])
    ids = [] if whole else list(waiting.values_list("pk", flat=True))
    now.move(waiting, RunState.CANCELLED, **CLEAN)
    for run_id in ids:
        now.log("cancelled", run_id)


def _cancel_unanswered(now: UnitOfWork, runs: PlanRunQuerySet, servers: list[int]) -> None:
    stuck = runs.filter(
        Q(current_attempt__versions=None),
        state=RunState.RUNNING,
        current_attempt__server_id__in=servers,
    )
    attempts = Attempt.objects.filter(pk__in=list(stuck.values_list("current_attempt", flat=True)))
    # Once they are locked nothing can be reserved for them: what was reserved before is kept.
    list(attempts.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    attempt_by_run = dict(stuck.values_list("pk", "current_attempt_id"))
    attempts = Attempt.objects.filter(pk__in=attempt_by_run.values())
    detail = say("cancelled while no driver could answer")
    now.end(attempts, AttemptOutcome.ABANDONED, detail, is_left_behind=True)
    now.move(now.batch.runs.filter(pk__in=attempt_by_run), RunState.CANCELLED, **CLEAN)
    for run_id in attempt_by_run:
        now.log("cancelled", run_id)
