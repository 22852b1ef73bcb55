"""The way of a plan in its driver's hands: claimed, acknowledged, advanced, published, stopped."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from generation.errors import Fenced
from generation.models import Attempt, Batch, LogEntry, PlanRun, Server, Version
from generation.parameter_sources import values_with_sources
from generation.selectors.prepared_queries import PreparedTuples
from generation.services import episode_changes, prepared_writes
from generation.services.prepared_writes import Rows
from generation.services.transitions import identical_picture_warning, reviewing
from generation.services.transitions.run_updates import CLEAN, one
from generation.services.transitions.unit_of_work import (
    UnitOfWork,
    change,
    changes,
    hold,
    publish,
    write_held,
)
from generation.states import AttemptOutcome, RunState
from wording import say

#: A run in one of these states may be finished by an upload.
BY_HAND = (RunState.QUEUED, RunState.WAITING, RunState.ERROR, RunState.DONE)


class _PublishedAlready(Exception):
    """Somebody else has finished the same reservation."""


def claim(
    batch_id: int,
    choose: Callable[[Batch], PlanRun | None],
    server: Server,
    lease_token: UUID,
) -> Attempt | None:
    """Give a queued run to a server and record the attempt, before anything is posted.

    `choose` is given the locked batch, and returns a run that it has read then: chosen
    before, one run would be chosen by every driver that waits for the lock, and all but one of
    them would have waited in vain. None when there is nothing to choose, or the batch is paused.
    The attempt's graph is empty: it is built afterwards, under no lock (`set_graph`).

    Raises:
        Fenced: the server's lease is not `lease_token` any more, or it takes nothing now.
    """
    with change(batch_id, before_all=partial(_lock, server, lease_token)) as now:
        run = choose(now.batch) if now.batch.paused_at is None else None
        if run is None:
            return None
        number = run.n_attempts + 1
        attempt = Attempt(
            run=run,
            server=server,
            server_version=server.version,
            number=number,
            prompt_id=uuid4(),
            lease_token=lease_token,
            graph={},
            seed=run.seed,
        )
        prepared_writes.insert(attempt)
        now.move_one(
            run.pk,
            RunState.QUEUED,
            RunState.RUNNING,
            current_attempt_id=attempt.pk,
            n_attempts=number,
            started_at=Now(),
            progress_pct=0,
        )
        now.set(served_at=Now())
        seed = {"seed": run.seed} if run.seed else {}
        now.log("claimed", run.pk, attempt=number, server=server.name, **seed)
        _log_own(now, run)
    return attempt


def _log_own(now: UnitOfWork, run: PlanRun) -> None:
    """Log the values and the workflow of a run that differ from its batch's."""
    said = {"values": values_with_sources(run.params, run.sources)} if run.params else {}
    if run.own_workflow is not None:
        now.log("own_workflow", run.pk, workflow=str(run.own_workflow), **said)
    elif said:
        now.log("own_values", run.pk, **said)


def _leased(server_id: int, lease_token: UUID) -> QuerySet[Server, tuple[int]]:
    mine = Server.objects.taking_work().leased(server_id, lease_token)
    return mine.select_for_update(no_key=True).order_by().values_list("pk")


def _uncancelled(run_id: int, batch_id: int) -> QuerySet[PlanRun]:
    return PlanRun.objects.filter(pk=run_id, batch=batch_id, cancel_requested_at=None)


_LEASED = PreparedTuples(_leased)
_RUN = Rows(lambda run_id, batch_id: PlanRun.objects.filter(pk=run_id, batch=batch_id))
_UNCANCELLED = Rows(_uncancelled)


def _lock(server: Server, lease_token: UUID) -> None:
    # Taking a lease over locks this row first and then adopts every open attempt, so no attempt
    # can be inserted behind its back.
    if not _LEASED.rows(server.pk, lease_token):
        raise Fenced(f"{server.name} is driven by another lease now, or takes nothing.")


def set_graph(attempt: Attempt, graph: Mapping[str, Any], panel: Version | None) -> None:
    """Store what is to be posted for a claimed attempt, and the panel that it starts from.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    # One statement, so without a transaction around it.
    panel_id = None if panel is None else panel.pk
    write_held(attempt.pk, attempt.lease_token, graph=graph, panel_id=panel_id)
    attempt.graph, attempt.panel = graph, panel


def recognise(attempt: Attempt, prompt_id: str) -> None:
    """Record the id under which the server has the prompt, when it is not the proposed one.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with transaction.atomic():
        write_held(attempt.pk, attempt.lease_token, server_prompt_id=prompt_id)
    attempt.server_prompt_id = prompt_id


def acknowledge(attempt: Attempt, *, event: str = "posted") -> bool:
    """Record that the server has the prompt; return whether its cancel was requested meanwhile.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        write_held(attempt.pk, attempt.lease_token, acknowledged_at=Now())
        now.log(event, attempt.run_id, server=attempt.server.name)
        if now.edit_one(_UNCANCELLED, attempt.run_id):
            return False
        return now.edit_one(_RUN, attempt.run_id)


def advance(attempt: Attempt, progress_pct: int) -> None:
    """Write a run's progress, which never falls within an attempt; writes no log entry.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        behind = one(attempt.run_id).filter(progress_pct__lt=progress_pct)
        now.edit(behind, progress_pct=progress_pct)


def complete(pictures: Sequence[Version], *, event: str) -> bool:
    """Publish the pictures of one attempt, or that of one upload, at once; set the run to done.

    False when they were published already. Whoever finishes the reservation may call this: the
    reservation is the point of no return, so the lease does not matter any more.
    """
    first = pictures[0]
    run_id, batch_id = first.run_id, first.batch_id
    if run_id is None or batch_id is None:
        raise ValueError(say("A version without a run is published by services.publication."))
    retakes = reviewing.retakes_before(pictures)
    beside = [pk for pk in retakes.values() if pk]
    with suppress(_PublishedAlready), changes([batch_id, *beside]) as locked:
        now = locked[batch_id]
        fields = CLEAN | {"progress_pct": 100, "result_id": first.pk, "wait_reason": ""}
        if first.attempt_id:
            now.end_one(first.attempt_id, AttemptOutcome.DONE)
            now.move_one(run_id, RunState.RUNNING, RunState.DONE, **fields)
        else:
            now.move(one(run_id), RunState.DONE, sources=BY_HAND, **fields)
        # Last, in the order of locks; whoever comes second takes back what it has written so far.
        reviewing.supersede(first.plan_id, retakes, locked)
        if not now.publish(pictures):
            raise _PublishedAlready
        for picture in pictures:
            now.log(event, run_id, **_told(picture))
        if first.attempt_id:
            identical_picture_warning.warn(now, pictures)
        return True
    return False


def publish_alone(version: Version) -> bool:
    """Publish a reserved version that belongs to no run; False when it was published already."""
    retakes = reviewing.retakes_before([version])
    with suppress(_PublishedAlready), changes(pk for pk in retakes.values() if pk) as locked:
        reviewing.supersede(version.plan_id, retakes, locked)
        if not publish([version]):
            raise _PublishedAlready
        episode_changes.record_versions([version.pk])
        return True
    return False


def _told(picture: Version) -> dict[str, Any]:
    return {
        "filename": str(picture),
        "version": picture.number,
        "image": picture.image,
        "sha256": picture.sha256,
    }


def note(attempt: Attempt, event: str, **details: Any) -> None:
    """Add a log entry about an attempt that is ours.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        _note(now, attempt, event, details)


def note_once(attempt: Attempt, event: str, **details: Any) -> None:
    """Add a log entry about an attempt that is ours, unless a driver of it has said so before.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with change(attempt.run.batch_id) as now:
        hold(attempt.pk, attempt.lease_token)
        told = LogEntry.objects.filter(run=attempt.run_id, event__in=("claimed", event))
        if told.order_by("-pk").values_list("event", flat=True).first() != event:
            _note(now, attempt, event, details)


def _note(now: UnitOfWork, attempt: Attempt, event: str, details: Mapping[str, Any]) -> None:
    now.edit(one(attempt.run_id))
    now.log(event, attempt.run_id, server=attempt.server.name, **details)


def rewrite_graph(attempt: Attempt, graph: Mapping[str, Any]) -> None:
    """Record the graph as it will be posted, when the server has renamed the panel.

    Raises:
        Fenced: the attempt is no longer ours.
    """
    with transaction.atomic():
        write_held(attempt.pk, attempt.lease_token, graph=graph)
