"""Locked plans: a version of them is approved, and nothing new is made unless somebody insists."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from generation.errors import Conflict, Problem
from generation.models import PlanRun
from generation.selectors import production
from generation.services import plan_preflight
from generation.services.request_params import PlanKey
from generation.services.request_validation import BatchRequest
from generation.states import PlanStatus
from wording import in_turn, say, say_n

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


def refuse_kept_back(runs: Sequence[PlanRun]) -> None:
    """Refuse a retry that took none of some runs, where that is for the sake of their plans.

    Raises:
        Conflict: plans of them are approved, on hold or omitted.
    """
    kept = kept_back(runs)
    if kept:
        raise Conflict(in_turn([each.detail for each in kept]), code=kept[0].code)


def kept_back(runs: Sequence[PlanRun]) -> list[Problem]:
    """Return why a retry leaves some of these runs alone: their plans are locked or set apart."""
    retryable = PlanRun.objects.retryable().filter(pk__in=[run.pk for run in runs]).order_by("pk")
    locked = list(retryable.of_locked_plans().values_list(*_KEY))
    apart = retryable.of_set_apart_plans().values_list(*_KEY, "plan__production_status")
    problems = [
        plan_preflight.apart(sequence, plan, PlanStatus(status)) for sequence, plan, status in apart
    ]
    if locked:
        detail = say(
            "{plans}: approved, and so locked. For another version, reopen it, or send a new "
            "request with force.",
            plans=plans_in_words(list(dict.fromkeys(locked))),
        )
        problems.insert(0, Problem("", CODE, detail))
    return list(dict.fromkeys(problems))


_KEY = ("plan__sequence__code", "plan__code")


def all_locked(plans: Collection[PlanKey]) -> str:
    """Return the sentence that refuses what is all approved."""
    return say_n(
        "{plans} is approved, and so locked: nothing new is made. Reopen what is to change, or ask"
        " with force and a reason.",
        "{plans} are approved, and so locked: nothing new is made. Reopen what is to change, or ask"
        " with force and a reason.",
        len(plans),
        plans=plans_in_words(list(plans)),
    )


def plans_in_words(plans: Sequence[PlanKey]) -> str:
    """Return plans as a sentence names them, the first twenty of many."""
    names = ", ".join(f"{sequence_id}-{plan}" for sequence_id, plan in plans[:NAMED_MAX])
    more = len(plans) - NAMED_MAX
    return say("{listed} and {more} more", listed=names, more=more) if more > 0 else names
