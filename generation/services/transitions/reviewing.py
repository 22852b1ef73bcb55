"""What is decided on versions: their review states, moved under the locks of their plans."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db.models import QuerySet

from generation.models import Plan, Version
from generation.models.version import REVIEWED_TASKS, VersionQuerySet
from generation.selectors.prepared_queries import PreparedTuples
from generation.services import episode_changes
from generation.services.transitions import unit_of_work
from generation.services.transitions.unit_of_work import Actor, UnitOfWork
from generation.states import ReviewState

#: A version's state before and after.
Move = tuple[ReviewState, ReviewState]


class UnderReview:
    """The reviewed versions of some plans, locked; what is decided of them is written at the end.

    `versions` are all that were published when they were asked for, by id, as they are now.
    """

    def __init__(self, versions: Mapping[int, Version], changes: Mapping[int, UnitOfWork]) -> None:
        self.versions = versions
        self._before = {pk: ReviewState(each.review_state) for pk, each in versions.items()}
        self._changes = changes
        self._shown: set[int] = set()

    def of_plan(self, plan_id: int) -> list[Version]:
        """Return those of one plan, the oldest first."""
        mine = (each for each in self.versions.values() if each.plan_id == plan_id)
        return sorted(mine, key=lambda version: version.number)

    def move(self, version: Version, target: ReviewState) -> None:
        """Move one to another state; written with all others."""
        version.review_state = target

    def touch(self, version: Version) -> None:
        """Have whoever follows a version or its batch hear of it, though its state stays."""
        self._shown.add(version.pk)

    def write(self) -> None:
        """Write what was moved: what is approved last, since a plan has one such version."""
        moved: dict[tuple[Move, int | None], list[int]] = {}
        for pk, version in self.versions.items():
            move = self._before[pk], ReviewState(version.review_state)
            if move[0] is not move[1]:
                moved.setdefault((move, version.batch_id), []).append(pk)
        in_order = sorted(moved.items(), key=lambda each: each[0][0][1] is ReviewState.APPROVED)
        for ((before, after), batch_id), ids in in_order:
            rows = Version.objects.filter(pk__in=ids)
            revision = _revision(self._changes, batch_id)
            unit_of_work.judge(rows, before, after, revision=revision)
            self._shown.update(ids)
        _show((self.versions[pk] for pk in self._shown), self._changes)


def _revision(changes: Mapping[int, UnitOfWork], batch_id: int | None) -> int:
    return 0 if batch_id is None else changes[batch_id].revision


def _show(versions: Iterable[Version], changes: Mapping[int, UnitOfWork]) -> None:
    """Tell of versions with their batches, and by themselves of those that have none."""
    alone: set[int] = set()
    for version in versions:
        if version.batch_id is None:
            alone.add(version.pk)
        else:
            changes[version.batch_id].show(version.plan_id, [version.pk])
    if alone:
        episode_changes.record_versions(alone)


@contextmanager
def review(version_ids: Collection[int], *, actor: Actor = None) -> Iterator[UnderReview]:
    """Lock the plans of versions, to decide on them; everything is committed, or nothing.

    Of each plan all reviewed versions are there, as one decision supersedes others. One that is
    published meanwhile is not: it is decided on by whoever sees it.
    """
    asked = Version.objects.reviewed().filter(pk__in=version_ids)
    plan_ids = set(asked.values_list("plan_id", flat=True))
    of_plans = Version.objects.reviewed().filter(plan__in=plan_ids).order_by()
    known = dict(of_plans.values_list("pk", "batch_id"))
    with unit_of_work.changes({pk for pk in known.values() if pk}, actor=actor) as changes:
        plans = Plan.objects.filter(pk__in=plan_ids).select_for_update(no_key=True)
        list(plans.order_by("pk").values_list("pk"))
        under_review = UnderReview(_locked(known), changes)
        yield under_review
        under_review.write()


def _locked(ids: Collection[int]) -> dict[int, Version]:
    related = Version.objects.select_related("plan__sequence__episode", "batch")
    rows = related.filter(pk__in=ids).order_by("pk")
    return {version.pk: version for version in rows.select_for_update(of=("self",), no_key=True)}


def _retakes(plan_id: int) -> QuerySet[Version, tuple[int, int | None]]:
    return Version.objects.retakes().filter(plan=plan_id).order_by("pk").values_list("pk", "batch")


#: Asked for every picture.
_RETAKES = PreparedTuples(_retakes)


def retakes_before(pictures: Sequence[Version]) -> dict[int, int | None]:
    """Return the retakes that pictures of one plan answer when they are published.

    They are told by their ids, each with the id of its batch, None where it has none.
    """
    first = pictures[0]
    return dict(_RETAKES.rows(first.plan_id)) if first.task in REVIEWED_TASKS else {}


def supersede(
    plan_id: int, retakes: Mapping[int, int | None], changes: Mapping[int, UnitOfWork]
) -> None:
    """Let a plan's retakes be superseded, as something newer is published.

    Their batches are locked.
    """
    for pk, batch_id in retakes.items():
        one: VersionQuerySet = Version.objects.filter(pk=pk)
        revision = _revision(changes, batch_id)
        if unit_of_work.judge(one, ReviewState.RETAKE, ReviewState.SUPERSEDED, revision=revision):
            _show([Version(pk=pk, plan_id=plan_id, batch_id=batch_id)], changes)
