"""“Since yesterday evening”: what was made, failed and decided, and what waits for people."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from generation.admin import html
from generation.admin.detail_pages import Table
from generation.errors import Refusal
from review.selectors import summary
from review.selectors.summary import Place, SummaryDocument, Trouble
from review.services import summary_mails
from wording import say

TEMPLATE = "admin/review/summary.html"
NAME = "review_review_summary"
_KINDS = {"down": say("down"), "set_aside": say("set aside"), "blocked": say("blocked")}


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page, below that of decisions."""
    view = admin.admin_site.admin_view(require_safe(partial(_view, admin)))
    return [path("summary/", view, name=NAME)]


def _view(admin: Any, request: HttpRequest) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    problem = ""
    try:
        since = summary_mails.start_moment(request.GET.get("since", ""))
    except Refusal as error:
        since, problem = summary.default_since(), str(error.detail)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": say("Since yesterday evening"),
        "since": timezone.localtime(since),
        "problem": problem,
        "tables": _tables(summary.summary(since)),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _tables(told: SummaryDocument) -> list[Table]:
    return [
        _waiting(told),
        _failed(told),
        _servers(told["servers"]),
        _made(told),
        _decided(told),
        _retakes(told),
    ]


def _waiting(told: SummaryDocument) -> Table:
    waits = told["waiting"]
    kinds = (
        (say("to review"), waits["to_review"], "to_review"),
        (say("retakes to prepare"), waits["retakes"], "retakes"),
        (say("wait for artists"), waits["for_artists"], "none"),
        (say("wait for panels"), waits["for_panels"], "none"),
    )
    rows = [
        (_table_link(each, show), each["project_id"], words, str(each["n_plans"]))
        for words, places, show in kinds
        for each in places
    ]
    headers = (say("Episode"), say("Project"), say("What"), say("Plans"))
    return Table(say("What waits"), headers, rows, empty=say("Nothing waits."))


def _table_link(each: Place, show: str) -> SafeString:
    place = reverse("review-table", args=[each["project_id"], each["episode"]])
    return html.link(f"{place}?{urlencode({'show': show})}", each["episode"])


def _failed(told: SummaryDocument) -> Table:
    rows = [
        (
            str(failure["n_plans"]),
            failure["message"] or failure["code"],
            failure["remedy"] or html.NOTHING,
            _some(failure["plans"], failure["n_plans"]),
        )
        for failure in told["failed"]
    ]
    headers = (say("Plans"), say("Why"), say("What to do"), say("Such as"))
    return Table(say("Failed, and not asked for again"), headers, rows, empty=say("Nothing."))


def _some(names: Iterable[str], n: int) -> str:
    shown = list(names)
    return ", ".join([*shown, *(["…"] if n > len(shown) else [])])


def _made(told: SummaryDocument) -> Table:
    rows = [
        (
            made["episode"],
            made["project_id"],
            made["by"] or html.NOTHING,
            str(made["n_plans"]),
            str(made["n_pictures"]),
        )
        for made in told["made"]
    ]
    headers = (say("Episode"), say("Project"), say("By"), say("Plans"), say("Pictures"))
    return Table(say("Made"), headers, rows, empty=say("Nothing."))


def _decided(told: SummaryDocument) -> Table:
    rows = [
        (decision["by"] or say("the console"), str(decision["words"]), str(decision["n"]))
        for decision in summary_mails.decisions(told)
    ]
    headers = (say("By"), say("Decision"), say("How often"))
    return Table(say("Decided"), headers, rows, empty=say("Nothing."))


def _retakes(told: SummaryDocument) -> Table:
    rows = [
        (retake["filename"], retake["by"] or say("the console"), retake["comment"])
        for retake in told["retakes"]
    ]
    headers = (say("Version"), say("By"), say("What is to be better"))
    return Table(say("Retakes asked for"), headers, rows, empty=say("Nothing."))


def _servers(troubles: Iterable[Trouble]) -> Table:
    rows = [
        (
            trouble["server"],
            _KINDS[trouble["kind"]],
            html.ago(datetime.fromisoformat(trouble["since"]))
            if trouble["since"]
            else html.NOTHING,
            trouble["detail"] or html.NOTHING,
            trouble["remedy"] or html.NOTHING,
        )
        for trouble in troubles
    ]
    headers = (say("Server"), say("State"), say("Since"), say("Why"), say("What to do"))
    return Table(say("Servers"), headers, rows, empty=say("All servers are well."))
