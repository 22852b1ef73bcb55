"""Versions whose file cannot get its name: held up while that passes, else given up."""

from django.db.models import Exists, OuterRef

from generation.errors import PlanFailure
from generation.models import Attempt, Plan, Version
from generation.models.batch import PlanRunQuerySet
from generation.models.version import VersionQuerySet
from generation.services.transitions import unit_of_work
from generation.services.transitions.attempt_ends import CLEAN, cancel_requested, one
from generation.services.transitions.failing import put_in_error
from generation.services.transitions.unit_of_work import Change
from generation.states import AttemptOutcome, RunState, WaitReason


def locked_plan(plan_id: int) -> Plan:
    """Return a plan, locked, with the tree above it."""
    related = Plan.objects.select_related("sequence__episode__project")
    return related.select_for_update(of=("self",), no_key=True).get(pk=plan_id)


def unreserve(reserved: VersionQuerySet, version: Version) -> bool:
    """Give the number of a version back, if it is still among the `reserved`.

    Where a later one is taken already, it stays open for the plan's next image.
    """
    plan = locked_plan(version.plan_id)
    mine = reserved.reserved().filter(pk=version.pk)
    if not plan.versions.filter(task=version.task, number__gt=version.number).exists():
        return bool(mine.delete()[0])
    return bool(unit_of_work.leave_open(mine))


def hold_up(version: Version, detail: str) -> None:
    """Record why a reserved version's file could not get its name; one to be cancelled is now."""
    mine = Version.objects.reserved().filter(pk=version.pk)
    if version.run_id is None or version.batch_id is None:
        mine.update(held_up=detail)
        return
    with unit_of_work.change(version.batch_id) as now:
        now.lock(attempt_id=version.attempt_id, run_id=version.run_id)
        run = one(version.run_id)
        if not run.filter(cancel_requested_at__isnull=False).exists():
            mine.update(held_up=detail)
        elif unreserve(mine, version):
            _cancel(now, version)


def resume(version: Version) -> bool:
    """Take a held-up version on again; False when it was taken back meanwhile.

    From here on a cancel comes too late, until it is held up again.
    """
    return bool(Version.objects.held_up().filter(pk=version.pk).update(held_up=""))


def give_up(version: Version, why: PlanFailure) -> bool:
    """Give a reserved version's number back, whose file can never get its name.

    A rendered plan is in error; one that an artist uploaded for waits again as before.
    """
    mine = Version.objects.filter(pk=version.pk)
    if version.run_id is None or version.batch_id is None:
        return unreserve(mine, version)
    with unit_of_work.change(version.batch_id) as now:
        now.lock(attempt_id=version.attempt_id, run_id=version.run_id)
        if not unreserve(mine, version):
            return False
        run = one(version.run_id)
        now.edit(run.filter(wait_reason=WaitReason.UPLOAD), wait_reason=WaitReason.TURN)
        said = {"code": why.code, "message": why.message, "remedy": why.remedy}
        now.log("failed", version.run_id, **said)
        if version.attempt_id:
            attempt = Attempt.objects.filter(pk=version.attempt_id)
            now.end(attempt, AttemptOutcome.ERROR, why.message, failure_code=why.code)
            if not cancel_requested(now, run):
                put_in_error(now, run, why)
    return True


def held_up_version() -> Exists:
    """Return whether a run (the query's row) has a version that is held up."""
    return Exists(Version.objects.held_up().filter(run=OuterRef("pk")))


def cancel_held_up(now: Change, runs: PlanRunQuerySet) -> None:
    """Cancel those of a batch's runs whose rendered image cannot be stored; no image is kept.

    Their attempts are locked already.
    """
    held = runs.unfinished().filter(held_up_version())
    ids = list(held.values_list("pk", flat=True))
    locked = now.batch.runs.filter(pk__in=ids).select_for_update(no_key=True)
    list(locked.order_by("pk").values_list("pk"))
    found = list(Version.objects.held_up().filter(run__in=ids).order_by("plan_id", "pk"))
    plans = Plan.objects.filter(pk__in={version.plan_id for version in found})
    list(plans.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    for version in found:
        if unreserve(Version.objects.held_up(), version):
            _cancel(now, version)
        else:
            now.log("kept", version.run_id)


def _cancel(now: Change, version: Version) -> None:
    run_id = version.run_id or 0
    now.end(Attempt.objects.filter(pk=version.attempt_id or 0), AttemptOutcome.CANCELLED)
    now.move(one(run_id), RunState.CANCELLED, **CLEAN, wait_reason=WaitReason.TURN)
    now.log("cancelled", run_id)
