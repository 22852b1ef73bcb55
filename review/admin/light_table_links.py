"""The ways to the light table: from whatever belongs to an episode, and from what waits there."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from generation.admin import generate, html
from generation.admin.base import WAYS
from generation.admin.detail_pages import Table
from generation.models import Batch, Episode, Plan, Sequence
from review.selectors import light_table
from review.selectors.light_table import Show

TEMPLATE = "admin/review/waiting.html"
NAME = "review_review_tables"


def url(episode: Episode, *, sequence: str = "", plan_id: int = 0, show: str = "") -> str:
    """Return the address of an episode's light table, or of one of its sequences."""
    address = reverse("review-table", args=[episode.project.code, episode.code])
    query = {"sequence": sequence, "show": show}
    chosen = urlencode({name: value for name, value in query.items() if value})
    return f"{address}{'?' if chosen else ''}{chosen}{f'#p{plan_id}' if plan_id else ''}"


@WAYS.add
def way_to_light_table(row: Any) -> SafeString:
    """Return the way from a row to the light table of its episode or sequence, if it has one."""
    match row:
        case Episode():
            address = url(row)
        case Sequence():
            address = url(row.episode, sequence=row.code)
        case Plan():
            address = url(row.sequence.episode, sequence=row.sequence.code, plan_id=row.pk)
        case Batch():
            address = url(row.episode)
        case _:
            return SafeString("")
    return generate.button(address, _("Light table"), is_main=False)


def urls(admin: Any) -> list[URLPattern]:
    """Return the address of the page of what waits, below that of decisions."""
    view = admin.admin_site.admin_view(require_safe(partial(_view, admin)))
    return [path("tables/", view, name=NAME)]


def _view(admin: Any, request: HttpRequest) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("To review"),
        "table": _waiting(),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _waiting() -> Table:
    headers = (_("Episode"), _("Project"), _("Plans to review"), _("Newest picture"))
    rows = [
        (
            html.link(_address(episode), episode.episode),
            episode.project,
            str(episode.n_plans),
            html.ago(episode.newest),
        )
        for episode in light_table.episodes_to_review()
    ]
    return Table(_("Episodes with pictures to review"), headers, rows, empty=_("Nothing waits."))


def _address(each: light_table.Waiting) -> str:
    place = reverse("review-table", args=[each.project, each.episode])
    return f"{place}?{urlencode({'show': Show.TO_REVIEW.value})}"
