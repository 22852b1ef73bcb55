"""Which plans or batches somebody means who names them by what they have in common."""

from dataclasses import dataclass, fields
from datetime import date

from django.db.models import Q, QuerySet

from generation.models import Batch, PlanRun
from generation.selectors import batches
from generation.states import UNFINISHED, RunState


@dataclass(frozen=True)
class Choice:
    """What plans have in common; None leaves it open. `since` and `until` are days, inclusive."""

    batch: str | None = None
    project: str | None = None
    episode: str | None = None
    sequence: str | None = None
    style: str | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it leaves everything open: it means everything there is."""
        return all(getattr(self, each.name) is None for each in fields(self))


def runs(choice: Choice, states: list[RunState]) -> QuerySet[PlanRun]:
    """Return the runs in one of these states that a choice means; days are those of their end.

    Raises:
        NotFound: the batch that it names does not exist.
    """
    found = PlanRun.objects.filter(_batches(choice, "batch__"), state__in=states)
    if choice.sequence is not None:
        found = found.filter(plan__sequence__code=choice.sequence)
    found = found.filter(_days(choice, "finished_at"))
    related = found.select_related("batch", "plan__sequence__episode__project")
    return related.order_by("batch_id", "position")


def unfinished_batches(choice: Choice) -> QuerySet[Batch]:
    """Return the unfinished batches that a choice means; days are those of their requests.

    Raises:
        NotFound: the batch that it names does not exist.
    """
    found = Batch.objects.filter(_batches(choice, ""), _days(choice, "created_at"))
    if choice.sequence is not None:
        found = found.filter(runs__plan__sequence__code=choice.sequence)
    unfinished = found.filter(runs__state__in=UNFINISHED).distinct()
    return unfinished.select_related("episode__project", "style").order_by("pk")


def _batches(choice: Choice, to_batch: str) -> Q:
    named = {
        "public_id": batches.batch(choice.batch).public_id if choice.batch is not None else None,
        "episode__project__code": choice.project,
        "episode__code": choice.episode,
        "style__code": choice.style,
    }
    return Q(**{f"{to_batch}{field}": value for field, value in named.items() if value is not None})


def _days(choice: Choice, field: str) -> Q:
    days = {f"{field}__date__gte": choice.since, f"{field}__date__lte": choice.until}
    return Q(**{lookup: day for lookup, day in days.items() if day is not None})
