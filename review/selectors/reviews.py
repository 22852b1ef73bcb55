"""Decisions as clients read them, and which decision made a version what it is."""

from collections.abc import Collection
from typing import TypedDict

from django.db.models import QuerySet

from generation.models import Version
from review.models import Review
from review.states import ADVICE, UNMOVING, Decision


class PinDocument(TypedDict):
    """A place on the picture: 0 to 1 from its left edge, and from its upper edge."""

    x: float
    y: float


class ChangedDocument(TypedDict):
    """Another version of the plan that a decision has changed."""

    version: int
    was: str
    became: str


class ReviewDocument(TypedDict):
    """One decision; `seen` is the state that it was taken in, `became` the one since.

    `by` is a user's name, or the one that a `guest` gave; None on the console. `undoes`,
    `undone_by` and `follows` are ids of reviews.
    """

    id: int
    version: int
    filename: str
    plan_id: int
    sequence_id: str
    plan: str
    decision: str
    comment: str
    pin: PinDocument | None
    seen: str
    became: str
    changed: list[ChangedDocument]
    undoes: int | None
    undone_by: int | None
    follows: int | None
    by: str | None
    guest: bool
    door: str
    made_at: str


def listed() -> QuerySet[Review]:
    """Return all decisions, the newest first, with what their documents tell."""
    related = ("version__plan__sequence__episode", "by", "undone_by")
    return Review.objects.select_related(*related).order_by("-pk")


def document(review: Review) -> ReviewDocument:
    """Return a decision of `listed`."""
    version = review.version
    return {
        "id": review.pk,
        "version": version.pk,
        "filename": str(version),
        "plan_id": version.plan_id,
        "sequence_id": version.plan.sequence.code,
        "plan": version.plan.code,
        "decision": review.decision,
        "comment": review.comment,
        "pin": _pin(review),
        "seen": review.seen,
        "became": review.became,
        "changed": [_changed(each) for each in review.changed],
        "undoes": review.undoes_id,
        "undone_by": review.undone_by.pk if hasattr(review, "undone_by") else None,
        "follows": review.follows_id,
        "by": review.guest or (review.by.get_username() if review.by else None),
        "guest": bool(review.guest),
        "door": review.door,
        "made_at": review.made_at.isoformat(),
    }


def open_advice(version_ids: Collection[int]) -> dict[int, Review]:
    """Return the newest advice about each version to review that nobody has decided on since."""
    newest: dict[int, Review] = {}
    open_ = Version.objects.to_review().order_by().filter(pk__in=version_ids)
    standing = Review.objects.filter(version__in=open_.values("pk"), undone_by=None)
    rows = standing.exclude(decision__in=(Decision.COMMENT, Decision.UNDO)).select_related("by")
    for review in rows.order_by("pk"):
        newest[review.version_id] = review
    return {pk: review for pk, review in newest.items() if review.decision in ADVICE}


def _pin(review: Review) -> PinDocument | None:
    if review.pin_x is None or review.pin_y is None:
        return None
    return {"x": review.pin_x, "y": review.pin_y}


def _changed(each: dict[str, object]) -> ChangedDocument:
    return {
        "version": int(str(each["version"])),
        "was": str(each["was"]),
        "became": str(each["became"]),
    }


def last_changes(version_ids: Collection[int]) -> dict[int, Review]:
    """Return the decision that changed each of some versions last, where one has."""
    of_plans = Review.objects.filter(version__plan__versions__in=version_ids)
    deciding = of_plans.exclude(decision__in=UNMOVING).select_related("by", "version")
    last: dict[int, Review] = {}
    for review in deciding.order_by("pk").distinct():
        for pk in (review.version_id, *(each["version"] for each in review.changed)):
            last[pk] = review
    return {pk: last[pk] for pk in version_ids if pk in last}


def last_comments(version_ids: Collection[int]) -> dict[int, str]:
    """Return what was said last about each version about which something was said."""
    rows = Review.objects.filter(version__in=version_ids).exclude(comment="").order_by("pk")
    return dict(rows.values_list("version_id", "comment"))


def last_of(version_ids: Collection[int]) -> dict[int, Review]:
    """Return what was decided or said last about each version about which something was."""
    rows = Review.objects.filter(version__in=version_ids).select_related("by").order_by("pk")
    return {review.version_id: review for review in rows}
