"""Publication: a number is reserved, the staged file gets its final name, readers see it.

Each step can be cut off; whoever comes next (driver, tick, upload, start) calls `finish` again.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Q
from django.db.models.functions import Now

from generation import storage
from generation.errors import Conflict, MadseaError
from generation.examined_images import DecodedImage
from generation.extension_points import version_published
from generation.failures import failure
from generation.models import Attempt, Plan, PlanRun, Version
from generation.models.version import first_review_state
from generation.selectors import claimable
from generation.selectors.prepared_queries import PreparedRows
from generation.services import episode_changes, prepared_writes, transitions, volumes
from generation.services.transitions import unit_of_work
from generation.services.transitions.unit_of_work import UnitOfWork
from generation.services.version_numbers import path_of, take_numbers
from generation.states import RunState, VersionState, WaitReason
from nomenclature.rules import AI_CONCEPT, EXTRACTED_RAW
from wording import say

logger = logging.getLogger(__name__)

CONCEPT = AI_CONCEPT
PANEL = EXTRACTED_RAW
STALE_S = 30


class CancelledMeanwhile(MadseaError):
    """The plan was cancelled before its version was reserved."""

    code = "cancelled"


@dataclass(frozen=True)
class Image:
    """A whole, decoded image in staging."""

    staged: storage.StagedFile
    decoded: DecodedImage
    served: bytes | None = None  #: what is served of it; None: the file itself
    known_served_sha256: str = ""  #: where the bytes that are served are not held any more

    def served_sha256(self) -> str:
        """Return the SHA-256 of what is served of it."""
        if self.known_served_sha256:
            return self.known_served_sha256
        return self.staged.sha256 if self.served is None else sha256(self.served).hexdigest()


def reserve_render(
    attempt: Attempt, lease_token: UUID, images: Sequence[Image], *, render_s: float | None = None
) -> list[Version]:
    """Take the next numbers for what a prompt has rendered: the point of no return of an attempt.

    `images` are all its pictures, in their order, at most `PICTURES_MAX`. `render_s` is how long
    the server worked at them, where it said so.

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
        origin = Version.Origin.RENDER
        return _reserve(run.plan_id, CONCEPT, images, origin=origin, run=run, attempt=attempt)


def reserve_upload(run: PlanRun, image: Image, *, actor: User | None) -> Version:
    """Take the next number for an artist's image of a plan.

    Raises:
        Conflict: the run is running or cancelled, or version 9999 is taken.
    """
    with unit_of_work.change(run.batch_id, actor=actor) as now:
        locked = _run_locked(run.pk)
        _refuse_upload(RunState(locked.state))
        _hold_back(now, locked)
        origin = Version.Origin.UPLOAD
        return _reserve(run.plan_id, CONCEPT, [image], origin=origin, run=run, created_by=actor)[0]


def _refuse_upload(state: RunState) -> None:
    if state not in transitions.BY_HAND:
        raise Conflict(
            say(
                "The plan is {state}: an image can be uploaded once it is queued, waiting, "
                "done or in error (cancel a running plan and retry it first).",
                state=state,
            ),
            code=f"run_{state}",
        )


def _hold_back(now: UnitOfWork, run: PlanRun) -> None:
    # No driver may claim a plan whose image is being published.
    if run.state == RunState.QUEUED:
        now.edit(PlanRun.objects.filter(pk=run.pk), wait_reason=WaitReason.UPLOAD)


def reserve_import(plan: Plan, task: str, image: Image, *, actor: User | None) -> Version:
    """Take the next number for an imported image (a panel, or a concept made elsewhere).

    Raises:
        Conflict: version 9999 is taken.
    """
    with transaction.atomic():
        origin = Version.Origin.IMPORT
        return _reserve(plan.pk, task, [image], origin=origin, created_by=actor)[0]


def _reserve(plan_id: int, task: str, images: Sequence[Image], **fields: Any) -> list[Version]:
    plan = transitions.plan_for_update(plan_id)
    numbers = take_numbers(plan, task, len(images))
    run = fields.get("run")
    fields |= {"plan": plan, "task": task, "batch_id": run.batch_id if run else None}
    return [
        _reserved(number, image, place, **fields)
        for place, (number, image) in enumerate(zip(numbers, images, strict=True), start=1)
    ]


def _reserved(number: int, image: Image, place: int, **fields: Any) -> Version:
    version = unsaved_version(number, image, image=place, **fields)
    prepared_writes.insert(version)
    return version


def unsaved_version(number: int, of: Image, **fields: Any) -> Version:
    """Return the version that reserves a number of a plan's task for a staged image; no row yet."""
    return Version(
        number=number,
        extension=of.decoded.format,
        path=path_of(fields["plan"], fields["task"], number, of.decoded.format),
        staging_path=of.staged.path,
        sha256=of.staged.sha256,
        served_sha256=of.served_sha256(),
        pixels_sha256=of.decoded.pixels_sha256,
        n_bytes=of.staged.n_bytes,
        width_px=of.decoded.width_px,
        height_px=of.decoded.height_px,
        review_state=first_review_state(fields["task"]),
        **fields,
    )


def _run_locked(run_id: int) -> PlanRun:
    run = _RUN.first(run_id)
    if run is None:
        raise PlanRun.DoesNotExist(say("There is no run {run_id}.", run_id=run_id))
    return run


_RUN = PreparedRows(
    lambda pk: PlanRun.objects.select_for_update(no_key=True).order_by().filter(pk=pk), by=int
)


def finish(version: Version) -> Version:
    """Bring a reserved version to its final name and to its readers; twice is harmless.

    With it all pictures of its attempt, which readers see together.

    Raises:
        StagedFileGone: the bytes of one are gone; the reservation was taken back.
        StorageError: the projects folder cannot be written; the reservation stays if that passes.
    """
    while pictures := _reserved_with(version):
        is_held_up = any(picture.held_up for picture in pictures)
        if is_held_up and not transitions.resume(pictures):
            continue
        if _name_all(pictures):
            is_shown = _show(pictures)
            _discard_all(pictures)
            if is_shown:
                _take_as_published(version, pictures)
                return version
            break
    with suppress(Version.DoesNotExist):
        version.refresh_from_db()
        version_published.send_robust(Version, version=version)
    return version


def _take_as_published(version: Version, pictures: Sequence[Version]) -> None:
    """Have a version say of itself what was read and written of it just now."""
    known = next(picture for picture in pictures if picture.pk == version.pk)
    version.number, version.path, version.held_up = known.number, known.path, ""
    version.state, version.staging_path = VersionState.PUBLISHED, ""
    # Set by the database: read when somebody asks for them.
    del version.published_at, version.revision
    version_published.send_robust(Version, version=version)


def _reserved_with(version: Version) -> list[Version]:
    """Return what is published together with a version and not published yet, in its order."""
    if version.attempt_id is None:
        return list(Version.objects.reserved().filter(pk=version.pk))
    return _OF_ATTEMPT.all(version.attempt_id)


_OF_ATTEMPT = PreparedRows(
    lambda attempt: Version.objects.reserved().filter(attempt=attempt).order_by("image"), by=int
)


def _name_all(pictures: Sequence[Version]) -> bool:
    """Give every picture its final name; False where they are to be read anew first."""
    for place, picture in enumerate(pictures):
        try:
            _link(picture)
        except storage.StagedFileGone:
            if not _is_as_it_was(picture):
                return False
            _take_back(pictures, picture, named=pictures[:place])
            raise
        except storage.NameTaken:
            _yield_the_name(pictures[place:])
            return False
        except storage.StorageError as error:
            _not_stored(pictures, error, named=pictures[:place])
            raise
    return True


def _link(version: Version) -> None:
    volumes.run_in_folder(
        version.path.rpartition("/")[0],
        lambda to: storage.link(version.staging_path, version.path, version.sha256, to.marks),
    )


def _not_stored(
    pictures: Sequence[Version], error: storage.StorageError, *, named: Sequence[Version]
) -> None:
    """Keep the reservation until the trouble has passed; give it up if it never will.

    Once one of them is named, a cancel comes too late: a name is used once.
    """
    if not error.is_permanent:
        if not named:
            transitions.hold_up(pictures, error.detail)
    elif transitions.give_up(pictures, failure("not_storable", error.detail), named=named):
        _discard_all(pictures)


def _discard_all(pictures: Sequence[Version]) -> None:
    for picture in pictures:
        storage.discard(picture.staging_path)


def _is_as_it_was(version: Version) -> bool:
    """Tell whether nobody has finished, renamed or taken back a version since it was read."""
    return Version.objects.reserved().filter(pk=version.pk, path=version.path).exists()


def _take_back(pictures: Sequence[Version], gone: Version, *, named: Sequence[Version]) -> None:
    """Give back the numbers of pictures, of which one's bytes are gone; its plan renders again.

    Nobody has seen them, but for those that are named already: these stay, as found on disk. Where
    a later number is taken already, one stays open for the plan's next image.
    """
    if gone.run_id is None or gone.batch_id is None:
        with transaction.atomic():
            transitions.unreserve(Version.objects.all(), pictures)
        return
    with unit_of_work.change(gone.batch_id) as now:
        now.lock(attempt_id=gone.attempt_id, run_id=gone.run_id)
        if not transitions.unreserve(Version.objects.all(), pictures, named=named):
            return
        transitions.tell_found(now, gone.run_id, named)
        transitions.requeue_lost_staged(now, gone)
    _discard_all(pictures)


def _show(pictures: Sequence[Version]) -> bool:
    """Make pictures visible; False when somebody else has."""
    first = pictures[0]
    if first.run_id is None:
        return transitions.publish_alone(first)
    event = "uploaded" if first.origin == Version.Origin.UPLOAD else "published"
    return transitions.complete(pictures, event=event)


def _yield_the_name(pictures: Sequence[Version]) -> None:
    """Register the file that lies under the first one's name as its number.

    The first takes the next number, and the others after it: they stay in their order.
    """
    first = pictures[0]
    content = storage.read_in_pieces(first.path)
    if first.batch_id is None:
        with transaction.atomic():
            _move_on(pictures, content)
        return
    with unit_of_work.change(first.batch_id) as now:
        if _move_on(pictures, content):
            now.log("found_on_disk", first.run_id, filename=str(first))


def _move_on(pictures: Sequence[Version], content: storage.Content) -> bool:
    first = pictures[0]
    plan = transitions.plan_for_update(first.plan_id)
    ids = [picture.pk for picture in pictures]
    rows = Version.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    held = {version.pk: version for version in rows}
    if any(not _is_unmoved(picture, held.get(picture.pk)) for picture in pictures):
        return False
    numbers = [picture.number for picture in pictures[1:]]
    numbers += take_numbers(plan, first.task, 1)
    # The last first: each takes the number that the one after it has left.
    for picture, number in reversed(list(zip(pictures, numbers, strict=True))):
        moved_to = path_of(plan, picture.task, number, picture.extension)
        Version.objects.filter(pk=picture.pk).update(number=number, path=moved_to)
    _register_found(first, content)
    return True


def _is_unmoved(read: Version, held: Version | None) -> bool:
    return held is not None and held.state == VersionState.RESERVED and held.path == read.path


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
        "review_state": first_review_state(version.task),
    }
    same = ("plan_id", "task", "number", "extension", "path")
    of_it = Version.objects.create(**{name: getattr(version, name) for name in same}, **fields)
    episode_changes.record_versions([of_it.pk])


def finish_reserved(*, older_than_s: float = STALE_S) -> int:
    """Finish reservations that whoever made them has left behind; return how many.

    What cannot be written now is tried again the next time. A hundred at a time, whichever: those
    that cannot be written must not keep the others from their turn.
    """
    is_old = Q(created_at__lt=Now() - timedelta(seconds=older_than_s))
    troubles = claimable.troubles("plan__sequence__")
    left = Version.objects.reserved().filter(is_old, ~Exists(troubles))
    finished = 0
    for version in left.filter(image=1).order_by("?")[:100]:
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
        old = storage.left_over(settings.MADSEA_STAGING_S, volumes.expected_marks())
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
