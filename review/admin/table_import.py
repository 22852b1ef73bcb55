"""Decisions that come back as a table: looked at first, then taken."""

from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from generation.admin import html
from generation.admin.detail_pages import Table
from generation.errors import MadseaError, first_problems
from generation.services import permissions
from review.selectors.state_words import DECISIONS
from review.services import decisions, review_tables
from review.services.decisions import Reviewer
from review.services.review_tables import TableReading
from wording import say, say_n

TEMPLATE = "admin/review/read_table.html"
NAME = "review_review_read_table"


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page, below that of decisions."""
    wrap = require_http_methods(["GET", "HEAD", "POST"])
    return [path("table/", admin.admin_site.admin_view(wrap(partial(_view, admin))), name=NAME)]


def _view(admin: Any, request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    if not admin.has_view_permission(request) or not permissions.may(user, decisions.DECIDE):
        raise PermissionDenied
    shown: dict[str, Any] = {}
    if request.method == "POST":
        try:
            if "content" in request.POST:
                return _take(request, user)
            shown = _look(request, user)
        except MadseaError as error:
            shown = {"problem": error.detail}
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": say("Decisions from a table"),
        **shown,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _look(request: HttpRequest, user: User) -> dict[str, Any]:
    file: Any = request.FILES.get("file")
    content = file.read(review_tables.MAX_BYTES + 1) if file else b""
    reading = review_tables.read(content, by=Reviewer(user))
    return {
        "found": reading,
        "name": file.name if file else "",
        # It has been read: it is text in UTF-8.
        "content": content.decode("utf-8-sig"),
        "summary": reading_in_words(reading),
        "tables": [table for table in (_problems(reading), _rows(reading)) if table],
    }


def _take(request: HttpRequest, user: User) -> HttpResponse:
    content = request.POST["content"].encode()
    taken = review_tables.take(content, by=Reviewer(user))
    text = say_n("{n} decision taken.", "{n} decisions taken.", len(taken.to_take))
    messages.success(request, text)
    return HttpResponseRedirect(reverse("admin:review_review_changelist"))


def reading_in_words(found: TableReading) -> str:
    """Return in a sentence what was read of a table."""
    return say(
        "{n} rows: {taken} decide something, {done} say what is decided already, {unchanged} say"
        " nothing new; not understood or not possible: {wrong}.",
        n=found.n_rows,
        taken=len(found.to_take),
        done=found.n_done,
        unchanged=found.n_unchanged,
        wrong=len(found.problems),
    )


def _problems(found: TableReading) -> Table | None:
    rows = [(problem.detail,) for problem in first_problems(found.problems)]
    title = say("What is wrong: nothing of the table is taken until it is mended")
    return Table(title, (say("Where, and what"),), rows) if rows else None


def _rows(found: TableReading) -> Table:
    rows = [
        (
            str(row.line),
            row.filename,
            str(DECISIONS[row.asked.decision]),
            row.asked.comment or html.NOTHING,
            say("already so") if row.is_done else say("is taken"),
        )
        for row in found.rows
    ]
    headers = (say("Line"), say("Version"), say("Decision"), say("Remark"), say("What follows"))
    return Table(say("What was understood"), headers, rows, empty=say("Nothing new."))
