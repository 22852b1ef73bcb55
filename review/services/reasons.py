"""The words in which a project asks for retakes: read, and set."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from generation.comfyui.untrusted_json import is_storable
from generation.errors import InvalidRequest, NotFound, Problem
from generation.models import Project
from generation.services import acts, permissions
from generation.services.permissions import Needed
from review.models import RetakeReasons
from review.models.retake_reasons import REASON_MAX, REASONS_MAX
from review.services.decisions import DECIDE
from wording import say

TO_SET = Needed(DECIDE, say("set the reasons for retakes"))


def project(code: str) -> Project:
    """Return a project.

    Raises:
        NotFound: there is none.
    """
    found = Project.objects.filter(code=code).first()
    if found is None:
        raise NotFound(say("There is no project {code}.", code=code), code="unknown_project")
    return found


def write(of: Project, reasons: Sequence[str], *, by: User | None) -> RetakeReasons:
    """Set a project's reasons; none at all is allowed.

    Raises:
        Forbidden: who sets them may not decide about pictures.
        InvalidRequest: too many, too long, empty, twice, or no text.
    """
    permissions.require(by, *TO_SET)
    wanted = [" ".join(each.split()) for each in reasons]
    found = problems(wanted)
    if found:
        raise InvalidRequest(found)
    with transaction.atomic():
        RetakeReasons.objects.get_or_create(project=of)
        row = RetakeReasons.objects.select_for_update(of=("self",)).get(project=of)
        before = list(row.reasons)
        if before != wanted:
            row.reasons = wanted
            row.save(update_fields=["reasons"])
            acts.record(
                "set reasons", of, by=by, before={"reasons": before}, after={"reasons": wanted}
            )
    return row


def problems(reasons: Sequence[str]) -> list[Problem]:
    """Return what is wrong with reasons, each at its place."""
    if len(reasons) > REASONS_MAX:
        detail = say("At most {n} reasons: each has a digit.", n=REASONS_MAX)
        return [Problem("reasons", "too_many", detail)]
    found = []
    for index, each in enumerate(reasons):
        wrong = _wrong(each, reasons[:index])
        if wrong:
            found.append(Problem(f"reasons.{index}", "bad_reason", wrong))
    return found


def _wrong(reason: str, before: Sequence[str]) -> str:
    if not reason or len(reason) > REASON_MAX:
        return say("A reason has 1 to {n} characters.", n=REASON_MAX)
    if not is_storable(reason):
        return say("It holds characters that are no text.")
    return say("“{reason}” stands there already.", reason=reason) if reason in before else ""
