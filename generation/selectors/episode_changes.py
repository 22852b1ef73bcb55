"""What an episode's listeners are told: the changes after a number, and how things are now."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypedDict

from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce

from generation.models import Batch, EpisodeChange, Sequencer
from generation.selectors import batches
from generation.selectors.prepared_queries import PreparedTuples

#: So many are read at once; whoever has missed more reads everything anew.
READ_MAX = 10_000


class BatchLine(TypedDict):
    """A batch as it is now; what of it has changed, its status says since a revision."""

    batch_id: str
    revision: int
    status: str
    progress: int
    counts: dict[str, int]


class ChangesDocument(TypedDict):
    """What has changed of an episode: its batches, and the ids of plans and versions."""

    batches: list[BatchLine]
    plans: list[int]
    versions: list[int]


@dataclass(frozen=True)
class Change:
    """One numbered change of an episode."""

    number: int
    episode_id: int
    batch_id: int | None = None
    plan_ids: tuple[int, ...] = ()
    version_ids: tuple[int, ...] = ()
    is_everything: bool = False  #: more than it names


@dataclass(frozen=True)
class Changes:
    """Changes of one or of all episodes, up to a number.

    `is_whole` is False where some are missing: they were thrown away, or are too many.
    """

    last_number: int
    rows: Sequence[Change] = ()
    is_whole: bool = True


@dataclass(frozen=True)
class Window:
    """The newest changes: all between two numbers, of which the first is left out."""

    first_number: int
    last_number: int
    rows: Sequence[Change]

    def after(self, number: int | None, *, episode_id: int | None = None) -> Changes:
        """Return the changes after a number, of one or of all episodes.

        They are not whole where nothing was heard before (None), where the window begins later, or
        where the number is none of this database.
        """
        if number is None or not self.first_number <= number <= self.last_number:
            return Changes(self.last_number, is_whole=False)
        later = self.rows[bisect_right(self.rows, number, key=attrgetter("number")) :]
        mine = [row for row in later if episode_id in (None, row.episode_id)]
        return Changes(self.last_number, mine)


@dataclass
class BatchLines:
    """The batches that changes name, as they were just after these were read."""

    by_id: dict[int, BatchLine] = field(default_factory=dict)

    def document(self, rows: Iterable[Change]) -> ChangesDocument:
        """Return what changes of one episode tell, taken together."""
        seen = list(rows)
        ids = sorted({row.batch_id for row in seen if row.batch_id is not None})
        return {
            "batches": [self.by_id[pk] for pk in ids if pk in self.by_id],
            "plans": sorted({pk for row in seen for pk in row.plan_ids}),
            "versions": sorted({pk for row in seen for pk in row.version_ids}),
        }


def _after(number: int, last_number: int) -> QuerySet[EpisodeChange, Any]:
    rows = EpisodeChange.objects.filter(number__gt=number, number__lte=last_number)
    return rows.order_by("number").values_list(*_FIELDS)


_FIELDS = ("number", "episode_id", "batch_id", "touched")
_AFTER = PreparedTuples(_after)
_NEW = EpisodeChange.objects.filter(number=None).order_by().values("number").annotate(n=Count("pk"))
_VISIBLE = PreparedTuples(
    lambda pk: (
        Sequencer.objects.filter(pk=pk)
        .annotate(n_new=Coalesce(Subquery(_NEW.values("n")), 0))
        .values_list("last_number", "n_new")
    )
)
_LAST = PreparedTuples(
    lambda pk: Sequencer.objects.filter(pk=pk).values_list("last_number", "pruned_to")
)


def last_number() -> int:
    """Return the last number that was given."""
    return _sequencer()[0]


def n_visible() -> int:
    """Return how many changes have ever become visible: more with each, numbered or not."""
    rows = _VISIBLE.rows(1)
    return rows[0][0] + rows[0][1] if rows else EpisodeChange.objects.count()


def window(numbers: Iterable[int | None]) -> Window:
    """Read the changes after each of these numbers, as far as they are there and not too many."""
    last, _ = _sequencer()
    known = [
        number for number in numbers if number is not None and last - READ_MAX <= number <= last
    ]
    first = min(known, default=last)
    rows = list(map(_change, _AFTER.rows(first, last))) if first < last else []
    # After the rows: what is thrown away meanwhile is missing among them.
    _, pruned_to = _sequencer()
    return Window(max(first, pruned_to), last, rows)


def _sequencer() -> tuple[int, int]:
    return next(((last, pruned) for last, pruned in _LAST.rows(1)), (0, 0))


def _change(row: tuple[Any, ...]) -> Change:
    number, episode_id, batch_id, touched = row
    plans, versions = touched.get("plans", ()), touched.get("versions", ())
    is_everything = "everything" in touched
    return Change(number, episode_id, batch_id, tuple(plans), tuple(versions), is_everything)


def lines(batch_ids: Collection[int]) -> BatchLines:
    """Return batches as they are now, each by its row's id, in one query."""
    if not batch_ids:
        return BatchLines()
    rows = batches.with_running_pct().filter(pk__in=batch_ids).order_by()
    return BatchLines({batch.pk: _line(batch) for batch in rows})


def _line(batch: Batch) -> BatchLine:
    return {
        "batch_id": batch.public_id,
        "revision": batch.revision,
        "status": batch.status.value,
        "progress": batches.progress(batch),
        "counts": batches.counts(batch),
    }
