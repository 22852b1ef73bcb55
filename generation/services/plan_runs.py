"""The use cases of one plan's runs: find them, retry and cancel them, upload an image."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation.errors import Conflict, NotFound
from generation.models import Batch, PlanRun, Version
from generation.services import (
    acts,
    batches,
    image_staging,
    permissions,
    plan_locks,
    publication,
    retry_overrides,
    servers,
    transitions,
    version_numbers,
    volumes,
)
from generation.services.transitions import CancelCounts
from generation.states import RunState
from wording import say

#: Why a cancel comes too late.
ENDED = {
    RunState.DONE: say("The plan is done already. Its image is kept."),
    RunState.ERROR: say("The plan has failed already. There is nothing to cancel."),
}


def find(batch: Batch, sequence_id: str, plan: str, variation: int | None = None) -> list[PlanRun]:
    """Return the runs of a plan in a batch, by variation; with `variation` that one only.

    Raises:
        NotFound: the batch has no such plan, or the plan no such variation.
    """
    related = batch.runs.select_related("batch", "plan__sequence__episode__project")
    rows = related.filter(plan__sequence__code=sequence_id, plan__code=plan)
    runs = list(rows.order_by("variation"))
    if not runs:
        detail = say(
            "Batch {batch} has no plan {sequence_id}-{plan}.",
            batch=batch,
            sequence_id=sequence_id,
            plan=plan,
        )
        raise NotFound(detail, code="unknown_plan", attr="plan")
    chosen = [run for run in runs if variation in (None, run.variation)]
    if not chosen:
        detail = say(
            "{sequence_id}-{plan} has the variations 1 to {n} in batch {batch}.",
            sequence_id=sequence_id,
            plan=plan,
            n=len(runs),
            batch=batch,
        )
        raise NotFound(detail, code="unknown_variation", attr="variation")
    return chosen


def retry(
    run: PlanRun,
    *,
    actor: User | None,
    params: Mapping[str, Any] | None = None,
    workflow_json: str | None = None,
) -> PlanRun:
    """Queue a failed or cancelled run again: see `retry_all`."""
    retry_all([run], actor=actor, params=params, workflow_json=workflow_json)
    run.refresh_from_db()
    return run


def retry_all(
    runs: Sequence[PlanRun],
    *,
    actor: User | None,
    params: Mapping[str, Any] | None = None,
    workflow_json: str | None = None,
) -> int:
    """Queue the failed or cancelled ones of a plan's runs again; return how many they are.

    A seed stays unless `params` gives one. `workflow_json` names another workflow that they are
    made with.

    Raises:
        Forbidden: who retries may not.
        Conflict: none is failed or cancelled.
        InvalidRequest: see `retry_overrides.read`.
    """
    permissions.require(actor, *permissions.TO_RETRY)
    batch = runs[0].batch
    overrides = retry_overrides.read(batch, runs, params, workflow_json)
    moved = batches.retry_runs(batch, [run.pk for run in runs], overrides, actor=actor)
    if not moved:
        plan_locks.refuse_kept_back(runs)
        state = _state(runs[0])
        raise Conflict(
            say(
                "The plan is {state}: only a failed or cancelled one can be retried. For "
                "another version, send a new request.",
                state=state,
            ),
            code=f"run_{state}",
        )
    return moved


def cancel(run: PlanRun, *, actor: User | None) -> CancelCounts:
    """Cancel an unfinished run: see `cancel_all`."""
    done = cancel_all([run], actor=actor)
    run.refresh_from_db()
    return done


def cancel_all(runs: Sequence[PlanRun], *, actor: User | None) -> CancelCounts:
    """Cancel the unfinished ones of a plan's runs, and say what that did.

    One that is cancelled already stays as it is.

    A running one gets a request that its driver obeys. One whose image is reserved already will be
    done: its log says that it is kept.

    Raises:
        Forbidden: who cancels may not.
        Conflict: each is done or in error.
    """
    ids = [run.pk for run in runs]
    permissions.require(actor, *permissions.TO_CANCEL)
    batch, unanswered = runs[0].batch, servers.unanswered()
    with transaction.atomic():
        done = transitions.cancel(batch, run_ids=ids, unanswered=unanswered, actor=actor)
        if done.was_unfinished:
            acts.record("cancel", batch, by=actor, after={"runs": len(ids)})
    if not done.was_unfinished:
        states = [_state(run) for run in runs]
        if all(state in ENDED for state in states):
            raise Conflict(ENDED[states[0]], code=f"run_{states[0]}")
    return done


def _state(run: PlanRun) -> RunState:
    """Return the state that a run is in now."""
    run.refresh_from_db()
    return RunState(run.state)


def upload(run: PlanRun, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish an artist's image as the plan's next version, and bring the run to done.

    Raises:
        Forbidden: who uploads may not.
        BadImage: the file is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: the run is running or cancelled, or version 9999 is taken.
        StorageError: the projects folder cannot be written; once the image is reserved, it is
            published as soon as it can be.
    """
    permissions.require(actor, *permissions.TO_UPLOAD)
    checked = image_staging.check(content, filename=filename)
    folder = version_numbers.folder_of(run.plan_id, publication.CONCEPT)
    image = volumes.run_in_folder(folder, lambda to: image_staging.put(checked, to))
    try:
        with transaction.atomic():
            version = publication.reserve_upload(run, image, actor=actor)
            acts.record("upload", version, by=actor)
    except Conflict:
        publication.discard(image)
        raise
    image_staging.keep_served(image)
    return publication.finish(version)
