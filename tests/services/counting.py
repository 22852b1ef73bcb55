"""Whether a batch's counters say what its rows say."""

from django.db.models import Count

from generation.models import Batch
from generation.states import RunState


def counters(batch: Batch) -> dict[RunState, int]:
    """Return what the batch's own counters say, without the zeros."""
    batch.refresh_from_db()
    return {state: n for state, n in batch.counts.items() if n}


def counted(batch: Batch) -> dict[RunState, int]:
    """Return how many of the batch's rows are in each state."""
    rows = batch.runs.order_by().values_list("state").annotate(n=Count("pk"))
    return {RunState(state): n for state, n in rows}
