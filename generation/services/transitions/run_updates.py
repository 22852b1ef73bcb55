"""What the transitions do to single runs: one found by its id, or cancelled if it was asked for."""

from typing import Any

from django.db.models import QuerySet

from generation.models import PlanRun
from generation.models.plan_run import PlanRunQuerySet
from generation.services.transitions.unit_of_work import UnitOfWork
from generation.states import RunState

#: What a run says of itself once nothing is wrong with it (any more).
CLEAN: dict[str, Any] = {
    "error_code": "",
    "error_message": "",
    "error_remedy": "",
    "cancel_requested_at": None,
    "progress_pct": 0,
}


def one(run_id: int) -> PlanRunQuerySet:
    """Return the query of one run."""
    return PlanRun.objects.filter(pk=run_id)


def cancel_if_requested(now: UnitOfWork, run: QuerySet[PlanRun]) -> bool:
    """Cancel a run that cannot go on, if that was asked for; tell whether it was."""
    asked = list(run.filter(cancel_requested_at__isnull=False).values_list("pk", flat=True))
    now.move(run.filter(pk__in=asked), RunState.CANCELLED, **CLEAN)
    for run_id in asked:
        now.log("cancelled", run_id)
    return bool(asked)
