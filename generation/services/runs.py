"""The use cases of one plan's run: find it, retry it, cancel it, upload its image."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from generation.errors import Conflict, NotFound
from generation.models import Batch, PlanRun, Version
from generation.services import batches, incoming_images, publication, servers, transitions, volumes
from generation.services.transitions import Cancelled
from generation.states import RunState

#: Why a cancel comes too late.
ENDED = {
    RunState.DONE: "The plan is done already. Its image is kept.",
    RunState.ERROR: "The plan has failed already. There is nothing to cancel.",
}


def find(batch: Batch, sequence_id: str, plan: str) -> PlanRun:
    """Return the run of a plan in a batch.

    Raises:
        NotFound: the batch has no such plan.
    """
    related = batch.runs.select_related("batch", "plan__sequence__episode__project")
    run = related.filter(plan__sequence__code=sequence_id, plan__code=plan).first()
    if run is None:
        detail = f"Batch {batch} has no plan {sequence_id}-{plan}."
        raise NotFound(detail, code="unknown_plan", attr="plan")
    return run


def retry(run: PlanRun, *, actor: User | None, params: Mapping[str, Any] | None = None) -> PlanRun:
    """Queue a failed or cancelled plan again; its seed stays unless `params` gives one.

    Raises:
        Conflict: it is neither failed nor cancelled.
        InvalidRequest: `params` do not fit the batch's frozen workflow.
    """
    batches.check_overrides(run.batch, params or {}, kept=[run.params])
    moved = batches.retry_runs(run.batch, [run.pk], actor=actor, params=params)
    run.refresh_from_db()
    if not moved:
        raise Conflict(
            f"The plan is {run.state}: only a failed or cancelled one can be retried. For another"
            " version, send a new request.",
            code=f"run_{run.state}",
        )
    return run


def cancel(run: PlanRun, *, actor: User | None) -> Cancelled:
    """Cancel a plan that is unfinished, and say what that did.

    One that is cancelled already stays as it is.

    A running one gets a request that its driver obeys. One whose image is reserved already will be
    done: its log says that it is kept.

    Raises:
        Conflict: it is done or in error.
    """
    done = transitions.cancel(
        run.batch, run_ids=[run.pk], unanswered=servers.unanswered(), actor=actor
    )
    run.refresh_from_db()
    if not done.was_unfinished and run.state in ENDED:
        raise Conflict(ENDED[RunState(run.state)], code=f"run_{run.state}")
    return done


def upload(run: PlanRun, content: bytes, *, filename: str, actor: User | None) -> Version:
    """Publish an artist's image as the plan's next version, and bring the run to done.

    Raises:
        BadImage: the file is no usable image, or of another format than its name says.
        Busy: too much is being decoded just now.
        Conflict: the run is running or cancelled, or version 9999 is taken.
        StorageError: the projects folder cannot be written; once the image is reserved, it is
            published as soon as it can be.
    """
    checked = incoming_images.check(content, filename=filename)
    folder = publication.folder_of(run.plan_id, publication.CONCEPT)
    image = volumes.at(folder, lambda to: incoming_images.put(checked, to))
    try:
        version = publication.reserve_upload(run, image, actor=actor)
    except Conflict:
        publication.discard(image)
        raise
    incoming_images.keep_served(image)
    return publication.finish(version)
