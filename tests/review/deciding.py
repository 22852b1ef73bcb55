"""Short ways to decide, for tests."""

from typing import Any

from generation.models import Plan, Version
from generation.states import ReviewState
from review.models import Review
from review.services import decisions
from review.services.decisions import AskedDecision, Reviewer
from review.states import Decision, Door
from tests import factories

NOBODY = Reviewer()


def asked(version: Version, decision: Decision, comment: str = "", **fields: Any) -> AskedDecision:
    """Return a decision about a version as it is now."""
    now = Version.objects.values_list("review_state", flat=True).get(pk=version.pk)
    wanted = {"seen": ReviewState(now)} | fields
    return AskedDecision(version.pk, decision, comment=comment, **wanted)


def decide(
    version: Version,
    decision: Decision,
    comment: str = "",
    *,
    by: Reviewer = NOBODY,
    **fields: Any,
) -> Review:
    """Take one decision about a version as it is now."""
    one = asked(version, decision, comment, **fields)
    [made] = decisions.decide([one], by=by, door=Door.API)
    return made


def approve(version: Version, *, by: Reviewer = NOBODY) -> Review:
    """Approve a version as it is now."""
    return decide(version, Decision.APPROVE, by=by)


def retake(version: Version, comment: str = "Darker.", *, by: Reviewer = NOBODY) -> Review:
    """Ask for a version to be made again."""
    return decide(version, Decision.RETAKE, comment, by=by)


def state(version: Version) -> str:
    """Return what the review of a version has come to."""
    return Version.objects.values_list("review_state", flat=True).get(pk=version.pk)


def concepts(plan: Plan, n_versions: int) -> list[Version]:
    """Return so many new concepts of a plan, which no batch asked for."""
    origin = Version.Origin.IMPORT
    return [factories.version(plan, origin=origin) for _ in range(n_versions)]
