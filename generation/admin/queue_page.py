"""The queue: every plan that waits for a server, in the order of its turn, and why it waits."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page as Part
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from generation.admin import html
from generation.admin.base import events_url
from generation.admin.detail_pages import Cell, Table
from generation.models import Batch, PlanRun
from generation.selectors import (
    admin_overviews,
    episode_changes,
    expected_ends,
    render_queue,
    wait_reasons,
)
from generation.selectors.expected_ends import Expected, Forecast
from generation.states import RunState
from wording import say

SHOWN = 100
TEMPLATE = "admin/generation/queue.html"
#: Longer queues are read anew by whoever looks at them, not every two seconds.
FOLLOWED_MAX = 1000
HEADERS = (
    say("Place in line"),
    say("Plan"),
    say("Project"),
    say("Batch"),
    say("Style"),
    say("Priority"),
    say("Why it waits"),
    say("Expected end"),
    say("Requested"),
)


def url(batch: Batch | None = None) -> str:
    """Return the address of the queue, or of one batch's part of it."""
    address = reverse("admin:generation_planrun_queue")
    return f"{address}?batch={batch.public_id}" if batch else address


def urls(admin: Any) -> list[URLPattern]:
    view = admin.admin_site.admin_view(require_safe(partial(_view, admin)))
    return [path("queue/", view, name="generation_planrun_queue")]


def _view(admin: Any, request: HttpRequest) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    batch = _batch(request.GET.get("batch", ""))
    # Read before the rows: a change in between is told to the page.
    heard = episode_changes.last_number()
    places = render_queue.queue(batch)
    told = expected_ends.forecast()
    part = Paginator(places, SHOWN).get_page(request.GET.get("page"))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": say("Queue"),
        "batch": batch,
        "summary": _summary(places),
        "end": html.expected_end(told.queue),
        "artists": _artists() if batch is None else SafeString(""),
        "table": Table(
            say("Plans in the order of their turn"), HEADERS, _rows(part, told), empty=_empty()
        ),
        "part": part,
        "address": url(batch),
        "events": events_url(batch.episode_id if batch else None, heard),
        "follows": len(places) <= FOLLOWED_MAX,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _batch(public_id: str) -> Batch | None:
    if not public_id:
        return None
    found = Batch.objects.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _summary(places: list[render_queue.Place]) -> str:
    n_ready = sum(1 for _, position in places if position is not None)
    n_held = len(places) - n_ready
    held = (
        say(" {n_held} cannot be taken yet: they stand at the end and say why.", n_held=n_held)
        if n_held
        else ""
    )
    return (
        say(
            "{n_ready} of {n} queued plans have a place.{held}",
            n_ready=n_ready,
            n=len(places),
            held=held,
        )
        if places
        else ""
    )


def _artists() -> SafeString:
    n_waiting = PlanRun.objects.filter(state=RunState.WAITING).count()
    listed = html.list_url(PlanRun, state__exact=RunState.WAITING.value)
    return (
        html.link(listed, say("{n_waiting} more wait for artists", n_waiting=n_waiting))
        if n_waiting
        else SafeString("")
    )


def _empty() -> str:
    return say("Nothing waits for a server.")


def _rows(part: "Part[render_queue.Place]", told: Forecast) -> list[tuple[Cell, ...]]:
    places = list(part.object_list)
    runs = admin_overviews.runs().in_bulk([pk for pk, _ in places])
    outlooks = wait_reasons.outlooks(html.queued_group(run) for run in runs.values())
    return [
        _row(
            runs[pk],
            position,
            html.run_reason(runs[pk], outlooks[html.queued_group(runs[pk])]),
            told.of_run(runs[pk]) if position is not None else None,
        )
        for pk, position in places
        if pk in runs
    ]


def _row(run: PlanRun, position: int | None, why: str, end: Expected | None) -> tuple[Cell, ...]:
    batch = run.batch
    return (
        "–" if position is None else str(position),
        html.link_to(run, html.run_name(run)),
        str(run.plan.sequence.episode.project),
        html.batch_link(batch),
        str(batch.style),
        str(batch.priority),
        say("Its turn has not come.") if position is not None else html.shortened(why, 120),
        html.expected_end(end),
        html.ago(run.created_at),
    )
