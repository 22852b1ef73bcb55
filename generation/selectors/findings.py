"""What the checks find in measured pictures, by the bounds that their styles have now.

Findings are not kept: a bound that is changed holds for all pictures at once, new and old.
"""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TypedDict

from django.db.models import Q

from generation.models import Measure, Style, Version
from generation.picture_checks import CHECKS, Check, bounds

#: In place of a check's name: whichever.
ANY = "any"
#: What is read with versions, so that their findings ask for nothing more.
RELATED = (
    "measure__like_version",
    "measure__like_plan",
    "batch__style",
    "plan__style",
)


class Finding(TypedDict):
    """One thing that is wrong with a picture, maybe: a check, what was measured, and its bound.

    `like` is the id of the version that it is like, for the checks that compare pictures.
    """

    check: str
    value: float
    bound: float
    detail: str
    like: int | None


def findings_of(version: Version) -> list[Finding] | None:
    """Return what is found in a version; None: it is not measured, or not yet."""
    measure: Measure | None = getattr(version, "measure", None)
    if measure is None:
        return None
    style = version.style
    held = style.bounds if style else bounds({})
    findings = []
    for name, bound in held.items():
        check = CHECKS[name]
        value = getattr(measure, check.measure)
        if check.finds(value, bound):
            findings.append(_finding(check, value, bound, measure))
    return findings


def _finding(check: Check, value: float, bound: float, measure: Measure) -> Finding:
    like: Version | None = getattr(measure, check.name, None)
    return {
        "check": check.name,
        "value": round(value, 4),
        "bound": bound,
        "detail": str(check.told(value, str(like or ""))),
        "like": like.pk if like else None,
    }


def findings_of_versions(ids: Iterable[int]) -> dict[int, list[Finding]]:
    """Return what is found in each of these versions that is measured, in one query."""
    rows = Version.objects.filter(pk__in=ids, measure__isnull=False).select_related(*RELATED)
    return {version.pk: findings_of(version) or [] for version in rows}


def finding_condition(name: str) -> Q:
    """Return which versions have a finding: of one check, or `ANY`."""
    checks = CHECKS.values() if name == ANY else [CHECKS[name]]
    styles = list(Style.objects.all())
    return reduce(or_, (_of_check(check, styles) for check in checks))


def _of_check(check: Check, styles: list[Style]) -> Q:
    """Return which versions a check finds, by the bound of each one's style."""
    by_bound: dict[float | None, list[int]] = {check.bound: []}
    for style in styles:
        by_bound.setdefault(style.bounds.get(check.name), []).append(style.pk)
    condition = Q(pk__in=[])
    for bound, ids in by_bound.items():
        if bound is not None:
            wrong = Q(**{f"measure__{check.measure}__{check.lookup}": bound})
            condition |= wrong & _of_styles(ids, with_none=bound == check.bound)
    return condition


def _of_styles(ids: list[int], *, with_none: bool) -> Q:
    """Return which versions are of these styles: see `Version.style`."""
    of_plans = Q(batch=None, plan__style__in=ids)
    if with_none:
        of_plans |= Q(batch=None, plan__style=None)
    return Q(batch__style__in=ids) | of_plans
