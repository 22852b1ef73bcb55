"""The one place that writes a state: a change of one batch, in one transaction, with one revision.

Locks are taken in one order: Server, Batch (by id), Attempt, PlanRun (by id), Plan, Version. Tests
hold it (tests/locks.py).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from generation.errors import Fenced
from generation.events import EVENTS
from generation.models import Attempt, Batch, LogEntry, PlanRun, Version
from generation.models.attempt import AttemptQuerySet
from generation.models.version import VersionQuerySet
from generation.selectors.prepared_queries import PreparedRows
from generation.services import episode_changes, prepared_writes
from generation.services.prepared_writes import Rows
from generation.states import (
    FINISHED,
    AttemptOutcome,
    ReviewState,
    RunState,
    VersionState,
    is_unfinished,
    states_before,
)
from wording import say

Actor = User | None


def _run_in_state(run_id: int, batch_id: int, state: str) -> QuerySet[PlanRun]:
    return PlanRun.objects.filter(pk=run_id, batch=batch_id, state=state)


def _held(attempt_id: int, lease_token: UUID) -> QuerySet[Attempt]:
    return Attempt.objects.held(attempt_id, lease_token)


_BATCH = Rows(lambda pk: Batch.objects.filter(pk=pk))
_RUN_IN_STATE = Rows(_run_in_state)
_HELD = Rows(_held)
_UNDER_WAY = Rows(lambda pk: Attempt.objects.under_way().filter(pk=pk))
_RESERVED = Rows(lambda pk: Version.objects.reserved().filter(pk=pk))

#: What a version says of itself that belongs to no run (any more).
_UNOWNED: dict[str, Any] = {
    "staging_path": "",
    "batch": None,
    "run": None,
    "attempt": None,
    "image": 1,
}


class UnitOfWork:
    """What one transaction does to one batch; written out by `write` when it did anything."""

    def __init__(self, batch: Batch, actor: Actor = None) -> None:
        self.batch = batch
        self.revision = batch.revision + 1
        self._actor = actor
        self._delta: Counter[RunState] = Counter()
        self._fields: dict[str, Any] = {}
        self._logs: list[LogEntry] = []
        self._shown: dict[int, set[int]] = {}
        self._touched = False

    def move(
        self,
        runs: QuerySet[PlanRun],
        target: RunState,
        *,
        sources: Iterable[RunState] | None = None,
        **fields: Any,
    ) -> int:
        """Move those of `runs` that may go to `target`; return how many went.

        `sources` narrows the states they may come from; of a single one the UPDATE itself says how
        many there were. The batch's lock makes the count and the UPDATE one act.
        """
        allowed = (
            states_before(target) if sources is None else frozenset(sources) & states_before(target)
        )
        eligible = runs.filter(batch=self.batch, state__in=allowed)
        fields.setdefault("finished_at", Now() if target in FINISHED else None)
        found = self._found(eligible) if len(allowed) > 1 else None
        if found == {}:
            return 0
        moved = eligible.update(state=target, revision=self.revision, **fields)
        if moved:
            self._count(found or dict.fromkeys(allowed, moved), target)
        return moved

    def move_one(self, run_id: int, source: RunState, target: RunState, **fields: Any) -> bool:
        """Move a run of the batch from one state to one that may follow; False: it is in another.

        It does what `move` does, for what is done to every plan.
        """
        if source not in states_before(target):
            return False
        fields.setdefault("finished_at", Now() if target in FINISHED else None)
        place = run_id, self.batch.pk, source.value
        if not _RUN_IN_STATE.update(*place, state=target, revision=self.revision, **fields):
            return False
        self._count({source: 1}, target)
        return True

    def _count(self, found: Mapping[RunState, int], target: RunState) -> None:
        self._delta.subtract(found)
        self._delta[target] += sum(found.values())
        self._touched = True

    def n_moved(self, target: RunState) -> int:
        """Return how many runs it has moved to a state so far."""
        return max(0, self._delta[target])

    @staticmethod
    def _found(runs: QuerySet[PlanRun]) -> dict[RunState, int]:
        counted = runs.order_by().values_list("state").annotate(n=Count("id"))
        return {RunState(state): n for state, n in counted}

    def edit(self, runs: QuerySet[PlanRun], **fields: Any) -> int:
        """Write visible fields of runs without moving them; return how many were written."""
        edited = runs.filter(batch=self.batch).update(revision=self.revision, **fields)
        self._touched = self._touched or bool(edited)
        return edited

    def edit_one(self, rows: Rows[PlanRun], run_id: int, **fields: Any) -> bool:
        """Write visible fields of one run, if it is among `rows` of the batch; tell whether."""
        edited = rows.update(run_id, self.batch.pk, revision=self.revision, **fields)
        self._touched = self._touched or bool(edited)
        return bool(edited)

    def end(
        self,
        attempts: AttemptQuerySet,
        outcome: AttemptOutcome,
        detail: str = "",
        **fields: Any,
    ) -> int:
        """Close open attempts with an outcome; return how many were open."""
        return attempts.under_way().update(
            outcome=outcome, outcome_detail=detail, finished_at=Now(), **fields
        )

    def end_one(self, attempt_id: int, outcome: AttemptOutcome) -> bool:
        """Close an attempt with an outcome; False when it was closed already."""
        end = {"outcome": outcome, "outcome_detail": "", "finished_at": Now()}
        return bool(_UNDER_WAY.update(attempt_id, **end))

    def lock(self, *, attempt_id: int | None, run_id: int | None) -> None:
        """Lock an attempt and a run of the batch, before a plan or a version is locked."""
        for of, pk in ((Attempt.objects, attempt_id), (PlanRun.objects, run_id)):
            if pk is not None:
                of.select_for_update(no_key=True).filter(pk=pk).values_list("pk").first()

    def publish(self, pictures: Sequence[Version]) -> bool:
        """Make reserved versions visible, together; False when they are already."""
        if not publish(pictures, revision=self.revision):
            return False
        self.show(pictures[0].plan_id, (picture.pk for picture in pictures))
        return True

    def show(self, plan_id: int, version_ids: Iterable[int]) -> None:
        """Tell that versions of one of its plans are there, or are shown otherwise."""
        self._shown.setdefault(plan_id, set()).update(version_ids)
        self._touched = True

    def set(self, **fields: Any) -> None:
        """Write fields of the batch itself."""
        self._fields.update(fields)
        self._touched = True

    def log(self, event: str, run_id: int | None = None, **details: Any) -> None:
        """Add one log entry."""
        self._logs.append(
            LogEntry(
                batch=self.batch,
                run_id=run_id,
                level=EVENTS[event].level,
                event=event,
                data=details,
                actor=self._actor,
                revision=self.revision,
            )
        )
        self._touched = True

    def write(self) -> None:
        """Write the batch's counters and revision, and the log, when anything changed."""
        if not self._touched:
            return
        counts = {state: n + self._delta[state] for state, n in self.batch.counts.items()}
        fields: dict[str, Any] = {f"n_{state.value}": n for state, n in counts.items()}
        fields["revision"] = self.revision
        if is_unfinished(counts):
            fields["finished_at"] = None
        elif self.batch.finished_at is None:
            fields["finished_at"] = Now()
        if self._delta:
            fields["has_started"] = True
        _BATCH.update(self.batch.pk, **fields | self._fields)
        if len(self._logs) == 1:
            prepared_writes.insert(self._logs[0])
        else:
            LogEntry.objects.bulk_create(self._logs, batch_size=1000)
        episode_changes.record(
            self.batch.episode_id,
            batch_id=self.batch.pk,
            plan_ids=self._shown,
            version_ids=set().union(*self._shown.values()),
        )


@contextmanager
def change(
    batch_id: int, *, actor: Actor = None, before_all: Callable[[], None] | None = None
) -> Iterator[UnitOfWork]:
    """Lock a batch and collect what happens to it; everything is committed, or nothing.

    `before_all` takes the locks that come before the batch's, in the same transaction.

    Raises:
        Batch.DoesNotExist: there is no such batch.
    """
    with transaction.atomic():
        if before_all is not None:
            before_all()
        # All locks leave keys free (no_key), so that rows which refer to a locked one can be
        # inserted. Else a reservation, which locks its run and then refers to the batch, and a
        # cancel, which goes the other way round, would wait for each other.
        collected = UnitOfWork(_locked(batch_id), actor)
        yield collected
        collected.write()


@contextmanager
def changes(batch_ids: Iterable[int], *, actor: Actor = None) -> Iterator[dict[int, UnitOfWork]]:
    """Lock batches, in the order of their ids, and collect what happens to each: see `change`.

    Raises:
        Batch.DoesNotExist: there is no such batch.
    """
    with transaction.atomic():
        collected = {pk: UnitOfWork(_locked(pk), actor) for pk in sorted(set(batch_ids))}
        yield collected
        for unit in collected.values():
            unit.write()


_LOCKED = PreparedRows(
    lambda pk: Batch.objects.select_for_update(no_key=True).filter(pk=pk), by=int
)


def _locked(batch_id: int) -> Batch:
    batch = _LOCKED.first(batch_id)
    if batch is None:
        raise Batch.DoesNotExist(say("There is no batch {batch_id}.", batch_id=batch_id))
    return batch


def publish(pictures: Sequence[Version], *, revision: int = 0) -> int:
    """Turn reserved versions into published ones; return how many rows that was."""
    shown = {"state": VersionState.PUBLISHED, "published_at": Now(), "staging_path": ""}
    ids = sorted(picture.pk for picture in pictures)
    return sum(_RESERVED.update(pk, revision=revision, **shown) for pk in ids)


def judge(
    versions: VersionQuerySet, before: ReviewState, after: ReviewState, *, revision: int
) -> int:
    """Move the review of published versions from one state to another; return how many moved."""
    standing = versions.published().filter(review_state=before)
    return standing.update(review_state=after, revision=revision)


def leave_open(reserved: VersionQuerySet) -> int:
    """Leave the numbers of reserved versions to their plans' next images; return how many."""
    return reserved.reserved().update(state=VersionState.OPEN, **_UNOWNED)


def leave_as_found(reserved: VersionQuerySet) -> int:
    """Let reserved versions, whose files have their names, be files found on disk."""
    found = {"state": VersionState.PUBLISHED, "origin": Version.Origin.FOUND, "held_up": ""}
    return reserved.reserved().update(published_at=Now(), **found, **_UNOWNED)


def hold(attempt_id: int, lease_token: UUID) -> Attempt:
    """Lock an open attempt that this lease may write about.

    Raises:
        Fenced: it is closed, or another lease has it.
    """
    mine = Attempt.objects.held(attempt_id, lease_token)
    held = mine.select_for_update(of=("self",), no_key=True).first()
    if held is None:
        raise Fenced(f"Attempt {attempt_id} is no longer ours.")
    return held


def write_held(attempt_id: int, lease_token: UUID, **fields: Any) -> None:
    """Write fields of an open attempt that this lease may write about, and lock it.

    Raises:
        Fenced: it is closed, or another lease has it.
    """
    if not _HELD.update(attempt_id, lease_token, **fields):
        raise Fenced(f"Attempt {attempt_id} is no longer ours.")
