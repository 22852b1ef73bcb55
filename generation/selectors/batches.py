"""Batches: found by the id that clients know, listed, filtered by their derived state."""

import re
from collections.abc import Callable, Iterable
from typing import Protocol, TypedDict, cast

from django.conf import settings
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from generation.errors import NotFound
from generation.models import Batch, PlanRun
from generation.selectors.logs import LogLine
from generation.selectors.results import Result
from generation.states import FINISHED, BatchState, RunState
from wording import say

_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_UNFINISHED = Q(n_total__gt=F("n_done") + F("n_error") + F("n_cancelled"))
_CANCELLED = Q(cancel_requested_at__isnull=False) | Q(n_error=0, n_done=0)

#: The same rule as `states.batch_state`, as conditions of a query.
IN_STATE = {
    BatchState.STARTED: _UNFINISHED & Q(has_started=False),
    BatchState.RUNNING: _UNFINISHED & Q(has_started=True),
    BatchState.CANCELLED: ~_UNFINISHED & _CANCELLED,
    BatchState.ERROR: ~_UNFINISHED & ~_CANCELLED & Q(n_error__gt=0),
    BatchState.DONE: ~_UNFINISHED & ~_CANCELLED & Q(n_error=0),
}


class _Measured(Protocol):
    running_pct: int


class CreatedDocument(TypedDict):
    """The specification's answer to a request; these five keys and no other."""

    status: str
    batch_id: str
    logs: list[LogLine]
    progress: int
    results: list[Result]


def batch(public_id: str) -> Batch:
    """Return the batch that clients know by this id.

    Raises:
        NotFound: there is none.
    """
    return one(Batch.objects.all(), public_id)


def one(rows: QuerySet[Batch], public_id: str) -> Batch:
    """Return the batch of this id among `rows`.

    Raises:
        NotFound: there is none.
    """
    return find_existing(public_id, lambda known: rows.filter(public_id=known).first())


def find_existing(public_id: str, find: Callable[[str], Batch | None]) -> Batch:
    """Return what `find` has for this id, which is asked for nothing that cannot be one.

    Raises:
        NotFound: there is no such batch.
    """
    batch_row = find(public_id) if _PUBLIC_ID.fullmatch(public_id) else None
    if batch_row is None:
        detail = say("There is no batch {public_id!r:.60}.", public_id=public_id)
        raise NotFound(detail, code="unknown_batch", attr="batch_id")
    return batch_row


def creation_answer(batch: Batch) -> CreatedDocument:
    """Return the answer to the request that made this batch.

    Source: the specification, "Réponse JSON".
    """
    return {
        "status": BatchState.STARTED.value,
        "batch_id": batch.public_id,
        "logs": [],
        "progress": 0,
        "results": [],
    }


def with_running_pct() -> QuerySet[Batch]:
    """Return all batches, each with `running_pct`: the sum of its running plans' progress."""
    running = PlanRun.objects.filter(batch=OuterRef("pk"), state=RunState.RUNNING).order_by()
    total = running.values("batch").annotate(total=Sum("progress_pct")).values("total")
    return Batch.objects.annotate(
        running_pct=Coalesce(Subquery(total, output_field=IntegerField()), 0)
    )


def listed() -> QuerySet[Batch]:
    """Return all `with_running_pct` batches, newest first, with what a list of them shows."""
    related = ("episode__project", "style", "workflow", "requested_by")
    return with_running_pct().select_related(*related).defer("workflow__graph").order_by("-id")


def progress(batch: Batch) -> int:
    """Return the floor of the mean progress of a `with_running_pct` batch; 100 means finished."""
    if not batch.n_total:
        return 100
    finished = sum(batch.counts[state] for state in FINISHED)
    running_pct = min(cast("_Measured", batch).running_pct, 99 * batch.n_running)
    return (100 * finished + running_pct) // batch.n_total


def own_workflows(batch: Batch) -> list[tuple[str, int]]:
    """Return the workflows that retries have named instead of the batch's, with how many runs."""
    named = batch.runs.filter(own_workflow__isnull=False).order_by("own_workflow__name")
    counted = named.values_list("own_workflow__name").annotate(Count("pk"))
    return [(str(name), n_runs) for name, n_runs in counted]


def to_cancel(batches: Iterable[Batch]) -> dict[int, frozenset[int]]:
    """Return the ids of the runs that a cancel of each batch would stop, by the batch's id."""
    return _by_batch(PlanRun.objects.stoppable().filter(batch__in=[row.pk for row in batches]))


def to_retry(batches: Iterable[Batch]) -> dict[int, frozenset[int]]:
    """Return the ids of the runs that a retry of each batch would queue, by the batch's id."""
    return _by_batch(PlanRun.objects.retried_with(list(batches)))


def _by_batch(runs: QuerySet[PlanRun]) -> dict[int, frozenset[int]]:
    by_batch: dict[int, set[int]] = {}
    for batch_id, pk in runs.order_by().values_list("batch_id", "pk"):
        by_batch.setdefault(batch_id, set()).add(pk)
    return {batch_id: frozenset(ids) for batch_id, ids in by_batch.items()}


def max_tries(batch: Batch) -> int:
    """Return how often each plan of a batch may fail before it is in error."""
    return batch.max_tries or int(settings.MADSEA_TRIES)


def counts(batch: Batch) -> dict[str, int]:
    """Return how many plans there are in all, and in each state."""
    each = {state.value: n for state, n in batch.counts.items()}
    return {"total": batch.n_total, **each}
