"""Retakes that are to be made, and which decision a new version answers."""

from collections.abc import Collection, Iterable

from django.db.models import F, OuterRef, QuerySet, Subquery

from generation.models import PlanRun, Version
from generation.states import ReviewState
from review.models import Retake, Review
from review.states import Decision


def to_make() -> QuerySet[Version]:
    """Return the versions that are to be made again, one of each plan, in production order.

    Those are the plans whose review has come to a retake, also while one is being rendered.
    """
    standing = Version.objects.deciding().filter(plan=OuterRef("plan")).values("pk")[:1]
    related = ("plan__sequence__episode__project", "batch__style", "batch__workflow")
    of_run = ("run__own_workflow", "attempt")
    rows = Version.objects.published().retakes().filter(pk=Subquery(standing))
    place = "plan__sequence"
    order = (f"{place}__episode__project__code", f"{place}__episode__code", f"{place}__code")
    return rows.select_related(*related, *of_run).order_by(*order, "plan__code")


def in_render(plan_ids: Collection[int]) -> frozenset[int]:
    """Return which of some plans have an unfinished run."""
    unfinished = PlanRun.objects.unfinished().filter(plan__in=plan_ids)
    return frozenset(unfinished.values_list("plan_id", flat=True))


def asking_decisions(version_ids: Collection[int]) -> dict[int, Review]:
    """Return the decision that asks for each version to be made again."""
    rows = Review.objects.undoable().filter(
        version__in=version_ids, decision=Decision.RETAKE, became=ReviewState.RETAKE
    )
    related = rows.select_related("by", "version__plan__sequence__episode", "undone_by")
    by_version: dict[int, Review] = {}
    for review in related:
        by_version.setdefault(review.version_id, review)
    return by_version


def last_of(review_ids: Collection[int]) -> dict[int, Retake]:
    """Return the last try at each decision, with its batch."""
    rows = Retake.objects.filter(review__in=review_ids).select_related("batch")
    return {retake.review_id: retake for retake in rows.order_by("number")}


def answered_decisions(versions: Iterable[Version]) -> dict[int, Review]:
    """Return the decision that each of some versions was made to answer, where there is one."""
    of_batches = {version.batch_id for version in versions if version.batch_id}
    rows = Review.objects.filter(retakes__batch__in=of_batches)
    related = rows.annotate(batch_id=F("retakes__batch")).select_related("by", "version")
    known = {(review.version.plan_id, getattr(review, "batch_id")): review for review in related}  # noqa: B009
    return {
        version.pk: known[version.plan_id, version.batch_id]
        for version in versions
        if (version.plan_id, version.batch_id) in known
    }
