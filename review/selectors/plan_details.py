"""One plan of the light table, looked at closely: its versions, its panel, what was said of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from generation.errors import NotFound
from generation.models import Episode, Plan, PlanRun, Version
from generation.selectors import findings
from review.models import Review
from review.selectors.reviews import open_advice

#: What was said of a plan is told as far back.
REVIEWS_MAX = 100


@dataclass(frozen=True)
class Details:
    """A plan with its reviewed versions, the newest first; `shown` is the one that is looked at.

    `shown` and `panel` are None where it has none; `advice` is what was advised of `shown`, while
    nobody has decided.
    """

    plan: Plan
    versions: Sequence[Version]
    shown: Version | None
    panel: Version | None
    last_run: PlanRun | None
    reviews: Sequence[Review]
    advice: Review | None


def details(of: Episode, plan_id: int, version_id: int | None = None) -> Details:
    """Return a plan of an episode with what is known of it, looked at in one of its versions.

    Without a version it is the one that stands for the plan.

    Raises:
        NotFound: the episode has no such plan, or the plan no such version.
    """
    related = Plan.objects.select_related("sequence__episode__project", "style")
    plan = related.filter(pk=plan_id, sequence__episode=of).first()
    if plan is None:
        raise NotFound(f"There is no plan {plan_id} in {of}.", code="unknown_plan")
    versions = list(_versions(plan))
    shown = _shown(plan, versions, version_id)
    runs = PlanRun.objects.filter(plan=plan).select_related("batch").order_by("-pk")
    return Details(
        plan=plan,
        versions=versions,
        shown=shown,
        panel=Version.objects.panels().filter(plan=plan).first(),
        last_run=runs.first(),
        reviews=list(_reviews(plan)),
        advice=open_advice([shown.pk]).get(shown.pk) if shown else None,
    )


def _versions(plan: Plan) -> "list[Version]":
    related = ("batch__requested_by", "run", "created_by", "attempt__panel", *findings.RELATED)
    rows = Version.objects.reviewed().filter(plan=plan).select_related(*related)
    return list(rows.beside_panels().defer("attempt__graph").order_by("-number", "-pk"))


def _shown(plan: Plan, versions: Sequence[Version], version_id: int | None) -> Version | None:
    if version_id is None:
        standing = Version.objects.deciding().filter(plan=plan).values_list("pk", flat=True)
        version_id = standing.first() or (versions[0].pk if versions else None)
    versions_of_id = [version for version in versions if version.pk == version_id]
    if version_id is not None and not versions_of_id:
        raise NotFound(f"There is no file {version_id} of this plan.", code="unknown_version")
    return versions_of_id[0] if versions_of_id else None


def _reviews(plan: Plan) -> "list[Review]":
    rows = Review.objects.filter(version__plan=plan).select_related("by", "version", "undone_by")
    return list(rows.order_by("-pk")[:REVIEWS_MAX])
