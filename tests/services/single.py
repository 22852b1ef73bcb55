"""One run at a time: made, found by its attempt, and what its log says."""

from typing import Any

from generation.models import Attempt, LogEntry, PlanRun
from generation.states import RunState
from tests import factories


def run_of(attempt: Attempt) -> PlanRun:
    """Return an attempt's run as it is now."""
    return PlanRun.objects.select_related("batch").get(pk=attempt.run_id)


def events(run: PlanRun) -> list[str]:
    """Return what the log says of a run, oldest first."""
    return list(LogEntry.objects.filter(run=run).order_by("pk").values_list("event", flat=True))


def one_run(state: RunState, **fields: Any) -> PlanRun:
    """Return the only run of a batch, in a state."""
    made = factories.batch([state], **fields)
    return made.runs.select_related("batch").get()
