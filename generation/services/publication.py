"""Publication: a number is reserved, the staged file gets its final name, readers see it.

Each step can be cut off; whoever comes next (driver, tick, upload, start) calls `finish` again.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Max, Min, Q, QuerySet
from django.db.models.functions import Now

from generation import storage
from generation.errors import Conflict, MadseaError
from generation.extensions import version_published
from generation.failures import failure
from generation.image_formats import DecodedImage
from generation.models import Attempt, Plan, PlanRun, Version
from generation.selectors import claimable
from generation.selectors.prepared_queries import Listed
from generation.services import transitions, volumes
from generation.services.transitions import unit_of_work
from generation.services.transitions.unit_of_work import Change
from generation.states import RunState, VersionState, WaitReason
from nomenclature import paths
from nomenclature.name import FileName
from nomenclature.rules import AI_CONCEPT, EXTRACTED_RAW

logger = logging.getLogger(__name__)

CONCEPT = AI_CONCEPT
PANEL = EXTRACTED_RAW
LAST_NUMBER = 9999
STALE_S = 30


class CancelledMeanwhile(MadseaError):
    """The plan was cancelled before its version was reserved."""

    code = "cancelled"


@dataclass(frozen=True)
class Image:
    """A whole, decoded image in staging."""

    staged: storage.Staged
    decoded: DecodedImage
    served: bytes | None = None  #: what is served of it; None: the file itself

    def served_sha256(self) -> str:
        """Return the SHA-256 of what is served of it."""
        return self.staged.sha256 if self.served is None else sha256(self.served).hexdigest()


def reserve_render(
    attempt: Attempt, lease_token: UUID, image: Image, *, render_s: float | None = None
) -> Version:
    """Take the next number for a rendered image: the point of no return of an attempt.

    `render_s` is how long the server worked at it, where it said so.

    Raises:
        Fenced: the attempt is no longer ours.
        CancelledMeanwhile: a cancel came first; nothing was taken.
        Conflict: version 9999 is taken.
    """
    # Without the batch's lock, for which all drivers of a batch would wait: nothing that a reader
    # sees changes. Whoever ends an attempt or asks for a cancel locks one of these rows first.
    with transaction.atomic():
        unit_of_work.write_held(attempt.pk, lease_token, render_s=render_s)
        run = _run_locked(attempt.run_id)
        if run.cancel_requested_at is not None:
            raise CancelledMeanwhile
        return _reserve(
            run.plan_id, CONCEPT, image, origin=Version.Origin.RENDER, run=run, attempt=attempt
        )


def reserve_upload(run: PlanRun, image: Image, *, actor: User | None) -> Version:
    """Take the next number for an artist's image of a plan.

    Raises:
        Conflict: the run is running or cancelled, or version 9999 is taken.
    """
    with unit_of_work.change(run.batch_id, actor=actor) as now:
        locked = _run_locked(run.pk)
        _refuse_upload(RunState(locked.state))
        _hold_back(now, locked)
        return _reserve(
            run.plan_id, CONCEPT, image, origin=Version.Origin.UPLOAD, run=run, created_by=actor
        )


def _refuse_upload(state: RunState) -> None:
    if state not in transitions.BY_HAND:
        raise Conflict(
            f"The plan is {state}: an image can be uploaded once it is queued, waiting, done or"
            " in error (cancel a running plan and retry it first).",
            code=f"run_{state}",
        )


def _hold_back(now: Change, run: PlanRun) -> None:
    # No driver may claim a plan whose image is being published.
    if run.state == RunState.QUEUED:
        now.edit(PlanRun.objects.filter(pk=run.pk), wait_reason=WaitReason.UPLOAD)


def reserve_import(plan: Plan, task: str, image: Image, *, actor: User | None) -> Version:
    """Take the next number for an imported image (a panel, or a concept made elsewhere).

    Raises:
        Conflict: version 9999 is taken.
    """
    with transaction.atomic():
        return _reserve(plan.pk, task, image, origin=Version.Origin.IMPORT, created_by=actor)


def _reserve(plan_id: int, task: str, image: Image, **fields: Any) -> Version:
    plan = transitions.locked_plan(plan_id)
    number = _take_number(plan, task)
    run = fields.get("run")
    return Version.objects.create(
        plan=plan,
        task=task,
        number=number,
        extension=image.decoded.format,
        path=_path(plan, task, number, image.decoded.format),
        staging_path=image.staged.path,
        sha256=image.staged.sha256,
        served_sha256=image.served_sha256(),
        n_bytes=image.staged.n_bytes,
        width_px=image.decoded.width_px,
        height_px=image.decoded.height_px,
        batch_id=run.batch_id if run else None,
        **fields,
    )


def _run_locked(run_id: int) -> PlanRun:
    return PlanRun.objects.select_for_update(no_key=True).get(pk=run_id)


def _take_number(plan: Plan, task: str) -> int:
    """Return the next number of a locked plan: one that was left open, or the last and one."""
    is_open = Q(state=VersionState.OPEN)
    of_task = plan.versions.filter(task=task)
    found = of_task.aggregate(last=Max("number"), open=Min("number", filter=is_open))
    if found["open"] is not None:
        of_task.filter(is_open, number=found["open"]).delete()
        return int(found["open"])
    last: int = found["last"] or 0
    if last >= LAST_NUMBER:
        raise Conflict(
            f"Plan {plan.code} has version {LAST_NUMBER} of {task}: there is no further number.",
            code="versions_exhausted",
        )
    return last + 1


def folder_of(plan_id: int, task: str) -> str:
    """Return the folder of a plan's files of a task, relative to the projects root."""
    ((plan, sequence, episode, project),) = _PLACES.rows(plan_id)
    name = FileName(episode, sequence, plan, task, 1, "png")
    return str(paths.path(project, name).parent)


def _places(plan_id: int) -> QuerySet[Plan, tuple[str, str, str, str]]:
    episode = "sequence__episode"
    codes = ("code", "sequence__code", f"{episode}__code", f"{episode}__project__code")
    return Plan.objects.filter(pk=plan_id).values_list(*codes)


#: Asked for every picture.
_PLACES = Listed(_places)


def _path(plan: Plan, task: str, number: int, extension: str) -> str:
    sequence = plan.sequence
    episode = sequence.episode
    name = FileName(episode.code, sequence.code, plan.code, task, number, extension)
    return str(paths.path(episode.project.code, name))


def finish(version: Version) -> Version:
    """Bring a reserved version to its final name and to its readers; doing it twice is harmless.

    Raises:
        StagedFileGone: its bytes are gone; the reservation was taken back.
        StorageError: the projects folder cannot be written; the reservation stays if that passes.
    """
    while version.state == VersionState.RESERVED:
        if version.held_up and not transitions.resume(version):
            return _as_it_is(version)
        version.held_up = ""
        try:
            _link(version)
        except storage.StagedFileGone:
            if _is_as_it_was(version):
                _take_back(version)
                raise
            continue
        except storage.NameTaken:
            _yield_the_name(version)
            version.refresh_from_db()
            continue
        except storage.StorageError as error:
            _not_stored(version, error)
            raise
        staging_path = version.staging_path
        _show(version)
        storage.discard(staging_path)
        version.refresh_from_db()
        version_published.send_robust(Version, version=version)
    return version


def _link(version: Version) -> None:
    volumes.at(
        version.path.rpartition("/")[0],
        lambda to: storage.link(version.staging_path, version.path, version.sha256, to.marks),
    )


def _as_it_is(version: Version) -> Version:
    with suppress(Version.DoesNotExist):
        version.refresh_from_db()
    return version


def _not_stored(version: Version, error: storage.StorageError) -> None:
    """Keep the reservation until the trouble has passed; give it up if it never will."""
    if not error.is_permanent:
        transitions.hold_up(version, error.detail)
        version.held_up = error.detail
    elif transitions.give_up(version, failure("not_storable", error.detail)):
        storage.discard(version.staging_path)


def _is_as_it_was(version: Version) -> bool:
    """Bring a version up to date; tell whether nobody has finished or renamed it meanwhile."""
    known = version.state, version.path
    version.refresh_from_db()
    return known == (version.state, version.path)


def _take_back(version: Version) -> None:
    """Give a number back whose bytes are gone, and let its plan be rendered again.

    Nobody has seen it. Where a later one is taken already, it stays open for the plan's next image.
    """
    if version.run_id is None or version.batch_id is None:
        with transaction.atomic():
            transitions.unreserve(Version.objects.all(), version)
        return
    with unit_of_work.change(version.batch_id) as now:
        now.lock(attempt_id=version.attempt_id, run_id=version.run_id)
        if transitions.unreserve(Version.objects.all(), version):
            transitions.lose_staged(now, version)


def _show(version: Version) -> None:
    if version.run_id is None:
        unit_of_work.publish(version)
        return
    event = "uploaded" if version.origin == Version.Origin.UPLOAD else "published"
    transitions.complete(version, event=event, details=_details(version))


def _details(version: Version) -> Mapping[str, Any]:
    return {"filename": str(version), "version": version.number, "sha256": version.sha256}


def _yield_the_name(version: Version) -> None:
    """Register the file that lies under our name as this number, and take the next one."""
    found = storage.look(version.path)
    if version.batch_id is None:
        with transaction.atomic():
            _take_next(version, found)
        return
    with unit_of_work.change(version.batch_id) as now:
        if _take_next(version, found):
            now.log("found_on_disk", version.run_id, filename=str(version))


def _take_next(version: Version, found: storage.Content) -> bool:
    plan = transitions.locked_plan(version.plan_id)
    held = Version.objects.select_for_update(no_key=True).get(pk=version.pk)
    if held.state != VersionState.RESERVED or held.path != version.path:
        return False
    number = _take_number(plan, held.task)
    moved_to = _path(plan, held.task, number, held.extension)
    Version.objects.filter(pk=held.pk).update(number=number, path=moved_to)
    _register_found(version, found)
    return True


def _register_found(version: Version, found: storage.Content) -> None:
    fields: dict[str, Any] = {
        "state": VersionState.PUBLISHED,
        "published_at": Now(),
        "origin": Version.Origin.FOUND,
        "sha256": found.sha256,
        "n_bytes": found.n_bytes,
        # Not decoded here: check_nomenclature says whether the file is an image at all.
        "width_px": 0,
        "height_px": 0,
    }
    same = ("plan_id", "task", "number", "extension", "path")
    Version.objects.create(**{name: getattr(version, name) for name in same}, **fields)


def finish_reserved(*, older_than_s: float = STALE_S) -> int:
    """Finish reservations that whoever made them has left behind; return how many.

    What cannot be written now is tried again the next time. A hundred at a time, whichever: those
    that cannot be written must not keep the others from their turn.
    """
    is_old = Q(created_at__lt=Now() - timedelta(seconds=older_than_s))
    troubles = claimable.troubles("plan__sequence__")
    left = Version.objects.reserved().filter(is_old, ~Exists(troubles))
    finished = 0
    for version in left.order_by("?")[:100]:
        try:
            finish(version)
        except (storage.StorageError, Conflict) as error:
            logger.warning("%s stays reserved: %s", version, error)
            continue
        finished += 1
    return finished


def clear_staging() -> int:
    """Remove staged files that whoever staged them has left without a version; return how many."""
    try:
        old = storage.left_over(settings.MADSEA_STAGING_S, volumes.expected())
    except storage.StorageError as error:
        logger.warning("staging is not cleared: %s", error)
        return 0
    if not old:
        return 0
    reserved = Version.objects.reserved()
    return storage.clear(old, kept=set(reserved.values_list("staging_path", flat=True)))


def discard(image: Image) -> None:
    """Remove a staged image that was not reserved."""
    storage.discard(image.staged.path)
