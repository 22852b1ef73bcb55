"""Locked plans: a version of them is approved, and nothing new is made unless somebody insists."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from generation.errors import Conflict
from generation.models import PlanRun
from generation.selectors import production
from generation.services.request_params import PlanKey
from generation.services.request_validation import BatchRequest

CODE = "plan_locked"
#: So many plans are named in a sentence.
NAMED_MAX = 20


def without_locked(request: BatchRequest) -> tuple[BatchRequest, list[PlanKey]]:
    """Return a request without its locked plans, and these; all of it where it is forced.

    Raises:
        Conflict: all of its plans are locked.
    """
    locked = production.locked_plans(request.project_id, request.episode)
    apart = [key for key in request.keys if key in locked]
    if not apart or request.force:
        return request, apart
    if len(apart) == len(request.keys):
        raise Conflict(all_locked(apart), code=CODE)
    kept = {
        code: [plan for plan in plans if (code, plan) not in locked]
        for code, plans in request.sequences.items()
    }
    return (
        replace(
            request,
            sequences={code: of for code, of in kept.items() if of},
            own={key: own for key, own in request.own.items() if key not in locked},
        ),
        apart,
    )


def refuse_locked(runs: Sequence[PlanRun]) -> None:
    """Refuse a retry that took none of some runs, where that is as plans of them are locked.

    Raises:
        Conflict: they are.
    """
    ids = [run.pk for run in runs]
    of_locked = PlanRun.objects.retryable().of_locked_plans().filter(pk__in=ids).order_by("pk")
    keys = list(of_locked.values_list("plan__sequence__code", "plan__code"))
    if keys:
        plans = plans_in_words(list(dict.fromkeys(keys)))
        detail = f"{plans}: approved, and so locked. For another version"
        raise Conflict(f"{detail}, reopen it, or send a new request with force.", code=CODE)


def all_locked(plans: Collection[PlanKey]) -> str:
    """Return the sentence that refuses what is all approved."""
    which, verb = (plans_in_words(list(plans)), "are" if len(plans) > 1 else "is")
    detail = f"{which} {verb} approved, and so locked: nothing new is made."
    return f"{detail} Reopen what is to change, or ask with force and a reason."


def plans_in_words(plans: Sequence[PlanKey]) -> str:
    """Return plans as a sentence names them, the first twenty of many."""
    names = ", ".join(f"{sequence_id}-{plan}" for sequence_id, plan in plans[:NAMED_MAX])
    more = len(plans) - NAMED_MAX
    return f"{names} and {more:,} more" if more > 0 else names
