"""Log entries as clients read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import OuterRef, Q, QuerySet, Subquery

from generation.events import sentence
from generation.models import LogEntry, PlanRun
from generation.selectors.prepared_queries import Listed

#: A batch of at most so many plans shows all of its log in its status.
SHOWN_WHOLE_PLANS_MAX = 20

_FIELDS = (
    "at",
    "level",
    "event",
    "run__plan__sequence__code",
    "run__plan__code",
    "data",
)


class LogLine(TypedDict):
    """One thing that happened; sequence_id and plan are null where it concerns the whole batch."""

    time: str
    level: str
    event: str
    sequence_id: str | None
    plan: str | None
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
    return [_line(*row) for row in entries.values_list(*_FIELDS)]


def after(batch_id: int, revision: int) -> list[LogLine]:
    """Return what was logged of a batch after a revision, as clients read it."""
    return [_line(*row) for row in _AFTER.rows(batch_id, revision)]


_AFTER = Listed(
    lambda batch_id, revision: (
        of_batch(batch_id).filter(revision__gt=revision).values_list(*_FIELDS)
    )
)


def line(entry: LogEntry) -> LogLine:
    """Return one entry as clients read it; its run, plan and sequence should be fetched with it."""
    plan = entry.run.plan if entry.run else None
    sequence_id, code = (plan.sequence.code, plan.code) if plan else (None, None)
    return _line(entry.at, entry.level, entry.event, sequence_id, code, entry.data)


def _line(
    at: datetime,
    level: str,
    event: str,
    sequence_id: str | None,
    plan: str | None,
    details: Mapping[str, Any],
) -> LogLine:
    return {
        "time": moment(at),
        "level": level,
        "event": event,
        "sequence_id": sequence_id,
        "plan": plan,
        "message": sentence(event, details),
    }


def moment(at: datetime) -> str:
    """Return a time as clients read it: UTC, ISO 8601, with a `Z`."""
    return at.isoformat().replace("+00:00", "Z")
