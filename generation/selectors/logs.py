"""Log entries as clients read them."""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from django.db.models import OuterRef, Q, QuerySet, Subquery

from generation.events import sentence
from generation.models import LogEntry, PlanRun
from generation.selectors.prepared_queries import PreparedTuples

#: The most plans of a batch whose status shows all of its log.
SHOWN_WHOLE_PLANS_MAX = 20

_FIELDS = (
    "at",
    "level",
    "event",
    "run__plan__sequence__code",
    "run__plan__code",
    "run__variation",
    "batch__variations",
    "data",
)


class LogLine(TypedDict):
    """One thing that happened; sequence_id and plan are null where it concerns the whole batch.

    `variation` is there in batches of several variations.
    """

    time: str
    level: str
    event: str
    sequence_id: str | None
    plan: str | None
    variation: NotRequired[int | None]
    message: str


def of_batch(batch_id: int) -> QuerySet[LogEntry]:
    """Return all log entries of a batch, oldest first."""
    # Revisions grow under the batch's lock, so this is the order of the ids, and has an index.
    return LogEntry.objects.filter(batch_id=batch_id).order_by("revision", "id")


def latest(batch_id: int) -> QuerySet[LogEntry]:
    """Return the last entry of each plan, and those of the batch itself, oldest first."""
    newest = LogEntry.objects.filter(run=OuterRef("pk")).order_by("-id").values("id")[:1]
    of_each_run = PlanRun.objects.filter(batch_id=batch_id).order_by().values(last=Subquery(newest))
    return of_batch(batch_id).filter(Q(run=None) | Q(pk__in=of_each_run))


def lines(entries: QuerySet[LogEntry]) -> list[LogLine]:
    """Return the entries as clients read them, in one query."""
    return [_line(row) for row in entries.values_list(*_FIELDS)]


def after(batch_id: int, revision: int) -> list[LogLine]:
    """Return what was logged of a batch after a revision, as clients read it."""
    return [_line(row) for row in _AFTER.rows(batch_id, revision)]


_AFTER = PreparedTuples(
    lambda batch_id, revision: (
        of_batch(batch_id).filter(revision__gt=revision).values_list(*_FIELDS)
    )
)


def line(entry: LogEntry) -> LogLine:
    """Return one entry as clients read it; its run, plan and sequence should be fetched with it."""
    plan = entry.run.plan if entry.run else None
    names = (plan.sequence.code, plan.code) if plan else (None, None)
    variation = entry.run.variation if entry.run else None
    told = (entry.at, entry.level, entry.event, *names, variation, entry.batch.variations)
    return _line((*told, entry.data))


def _line(row: tuple[Any, ...]) -> LogLine:
    at, level, event, sequence_id, plan, variation, variations, details = row
    told: LogLine = {
        "time": moment(at),
        "level": level,
        "event": event,
        "sequence_id": sequence_id,
        "plan": plan,
        "message": str(sentence(event, details)),
    }
    if variations > 1:
        told["variation"] = variation
    return told


def moment(at: datetime) -> str:
    """Return a time as clients read it: UTC, ISO 8601, with a `Z`."""
    return at.isoformat().replace("+00:00", "Z")
