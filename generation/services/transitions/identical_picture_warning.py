"""A warning where two plans of a batch have one picture, though their seeds differ."""

from collections.abc import Iterable

from django.db.models import QuerySet, Subquery

from generation.models import Attempt, LogEntry, Version
from generation.selectors.prepared_queries import PreparedRows
from generation.services.transitions.unit_of_work import UnitOfWork

EVENT = "identical_pictures"


def warn(now: UnitOfWork, pictures: Iterable[Version]) -> None:
    """Log that pictures which are published now show what another plan's does, to the pixel.

    Once for each picture that several plans have, and only where each has a seed of its own: then
    the seed does not do what is told of it.
    """
    for picture in pictures:
        twin = _with_another_seed(now, picture) if picture.pixels_sha256 else None
        if twin is not None and not _is_told(now, picture):
            _tell(now, picture, twin)


def _with_another_seed(now: UnitOfWork, picture: Version) -> Version | None:
    own = picture.run_id or 0, picture.attempt_id or 0
    return _TWINS.first(now.batch.pk, *own, picture.pixels_sha256)


def _twins(batch_id: int, run_id: int, attempt_id: int, pixels_sha256: str) -> QuerySet[Version]:
    own_seed = Attempt.objects.filter(pk=attempt_id).exclude(seed="").values("seed")
    same = Version.objects.published().filter(
        batch=batch_id, pixels_sha256=pixels_sha256, origin=Version.Origin.RENDER
    )
    # If the picture has no seed, the subquery is null and no other seed differs from it.
    others = same.exclude(run=run_id).exclude(attempt__seed="")
    others = others.exclude(attempt__seed=Subquery(own_seed[:1])).order_by("pk")
    return others.select_related("plan__sequence")[:1]


_TWINS = PreparedRows(_twins)


def _is_told(now: UnitOfWork, picture: Version) -> bool:
    told = LogEntry.objects.filter(batch=now.batch, event=EVENT)
    return told.filter(data__pixels_sha256=picture.pixels_sha256).exists()


def _tell(now: UnitOfWork, picture: Version, twin: Version) -> None:
    ids = [twin.attempt_id or 0, picture.attempt_id or 0]
    seeds = dict(Attempt.objects.filter(pk__in=ids).values_list("pk", "seed"))
    first, second = (_plan_of(each) for each in (twin, picture))
    first_seed, second_seed = (seeds[attempt_id] for attempt_id in ids)
    now.log(
        EVENT,
        plan=first,
        seed=first_seed,
        other_plan=second,
        other_seed=second_seed,
        filenames=[str(twin), str(picture)],
        pixels_sha256=picture.pixels_sha256,
    )


def _plan_of(picture: Version) -> str:
    return f"{picture.plan.sequence.code}-{picture.plan.code}"
