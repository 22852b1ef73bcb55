"""Versions whose file cannot get its name: held up while that passes, else given up."""

from collections.abc import Collection, Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from generation.errors import PlanFailure
from generation.models import Attempt, Plan, Version
from generation.models.plan_run import PlanRunQuerySet
from generation.models.version import VersionQuerySet
from generation.selectors.prepared_queries import PreparedRows
from generation.services import episode_changes
from generation.services.transitions import unit_of_work
from generation.services.transitions.failing import put_in_error
from generation.services.transitions.run_updates import CLEAN, cancel_if_requested, one
from generation.services.transitions.unit_of_work import UnitOfWork
from generation.states import AttemptOutcome, RunState, WaitReason
from wording import say


def plan_for_update(plan_id: int) -> Plan:
    """Return a plan, locked, with the tree above it."""
    plan = _PLAN.first(plan_id)
    if plan is None:
        raise Plan.DoesNotExist(say("There is no plan {plan_id}.", plan_id=plan_id))
    return plan


def _plan(plan_id: int) -> QuerySet[Plan]:
    related = Plan.objects.select_related("sequence__episode__project")
    return related.select_for_update(of=("self",), no_key=True).order_by().filter(pk=plan_id)


_PLAN = PreparedRows(_plan, by=int)


def unreserve(
    reserved: VersionQuerySet, pictures: Sequence[Version], *, named: Collection[Version] = ()
) -> bool:
    """Give the numbers of an attempt's pictures back that are still among the `reserved`.

    Where a later one is taken already, a number stays open for the plan's next image. Those of
    them that are `named`, whose files lie under their names, keep both: as found on disk. False
    when none was reserved any more.
    """
    plan = plan_for_update(pictures[0].plan_id)
    ids = [picture.pk for picture in pictures]
    mine = list(reserved.reserved().filter(pk__in=ids).order_by("-number"))
    for picture in mine:
        row = Version.objects.filter(pk=picture.pk)
        if picture in named:
            unit_of_work.leave_as_found(row)
            episode_changes.record_versions([picture.pk])
        elif plan.versions.filter(task=picture.task, number__gt=picture.number).exists():
            unit_of_work.leave_open(row)
        else:
            row.delete()
    return bool(mine)


def hold_up(pictures: Sequence[Version], detail: str) -> None:
    """Record why reserved pictures could not get their names; those to be cancelled are now.

    They are those of one attempt, or one version that no prompt made.
    """
    first = pictures[0]
    mine = _these(pictures).reserved()
    if first.run_id is None or first.batch_id is None:
        mine.update(held_up=detail)
        return
    with unit_of_work.change(first.batch_id) as now:
        now.lock(attempt_id=first.attempt_id, run_id=first.run_id)
        run = one(first.run_id)
        if not run.filter(cancel_requested_at__isnull=False).exists():
            mine.update(held_up=detail)
        elif unreserve(mine, pictures):
            _cancel(now, first)


def resume(pictures: Sequence[Version]) -> bool:
    """Take held-up pictures on again; False when they were taken back meanwhile.

    From here on a cancel comes too late, until they are held up again.
    """
    return bool(_these(pictures).held_up().update(held_up=""))


def give_up(
    pictures: Sequence[Version], why: PlanFailure, *, named: Collection[Version] = ()
) -> bool:
    """Give the numbers of reserved pictures back, of which one can never get its name.

    A rendered plan is in error; one that an artist uploaded for waits again as before. `named`:
    see `unreserve`.
    """
    first = pictures[0]
    mine = _these(pictures)
    if first.run_id is None or first.batch_id is None:
        return unreserve(mine, pictures)
    with unit_of_work.change(first.batch_id) as now:
        now.lock(attempt_id=first.attempt_id, run_id=first.run_id)
        if not unreserve(mine, pictures, named=named):
            return False
        tell_found(now, first.run_id, named)
        run = one(first.run_id)
        now.edit(run.filter(wait_reason=WaitReason.UPLOAD), wait_reason=WaitReason.TURN)
        said = {"code": why.code, "message": why.message, "remedy": why.remedy}
        now.log("failed", first.run_id, **said)
        if first.attempt_id:
            attempt = Attempt.objects.filter(pk=first.attempt_id)
            now.end(attempt, AttemptOutcome.ERROR, why.message, failure_code=why.code)
            if not cancel_if_requested(now, run):
                put_in_error(now, run, why)
    return True


def tell_found(now: UnitOfWork, run_id: int | None, named: Iterable[Version]) -> None:
    """Log which files keep their numbers, though their plan's other pictures were lost."""
    for version in named:
        now.log("found_on_disk", run_id, filename=str(version))


def _these(pictures: Sequence[Version]) -> VersionQuerySet:
    return Version.objects.filter(pk__in=[picture.pk for picture in pictures])


def held_up_version() -> Exists:
    """Return whether a run (the query's row) has a version that is held up."""
    return Exists(Version.objects.held_up().filter(run=OuterRef("pk")))


def cancel_held_up(now: UnitOfWork, runs: PlanRunQuerySet) -> None:
    """Cancel those of a batch's runs whose rendered image cannot be stored; no image is kept.

    Their attempts are locked already.
    """
    held = runs.unfinished().filter(held_up_version())
    ids = list(held.values_list("pk", flat=True))
    locked = now.batch.runs.filter(pk__in=ids).select_for_update(no_key=True)
    list(locked.order_by("pk").values_list("pk"))
    versions = list(Version.objects.held_up().filter(run__in=ids).order_by("plan_id", "pk"))
    plans = Plan.objects.filter(pk__in={version.plan_id for version in versions})
    list(plans.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    for run_id in ids:
        pictures = [version for version in versions if version.run_id == run_id]
        if pictures and unreserve(Version.objects.held_up(), pictures):
            _cancel(now, pictures[0])
        else:
            now.log("kept", run_id)


def _cancel(now: UnitOfWork, picture: Version) -> None:
    run_id = picture.run_id or 0
    now.end(Attempt.objects.filter(pk=picture.attempt_id or 0), AttemptOutcome.CANCELLED)
    now.move(one(run_id), RunState.CANCELLED, **CLEAN, wait_reason=WaitReason.TURN)
    now.log("cancelled", run_id)
