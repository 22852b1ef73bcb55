"""The home page: what runs, what needs attention, how the servers are."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html

from generation.admin import html, queue_page, tables
from generation.admin.base import events_url
from generation.admin.detail_pages import Table
from generation.models import Batch, PlanRun
from generation.selectors import admin_overviews, episode_changes
from generation.selectors.storage_troubles import troubles
from generation.states import RunState
from wording import say

SHOWN = 10


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by unfold: adds what `templates/admin/index.html` shows to its context."""
    sections = (
        ("generation.view_batch", _storage),
        ("generation.view_batch", _running),
        ("generation.view_planrun", _failed),
        ("generation.view_server", _servers),
        ("generation.view_batch", _finished),
    )
    # Read before the tables: a change in between is told to the page.
    heard = episode_changes.last_number()
    allowed = [build for permission, build in sections if request.user.has_perm(permission)]
    return {
        **context,
        "title": say("Overview"),
        "events": events_url(None, heard),
        "tables": [table for build in allowed if (table := build())],
    }


def _storage() -> Table | None:
    rows = [(each.scope or "all", html.timestamp(each.since), each.detail) for each in troubles()]
    title = say("Storage: plans wait until this is mended")
    return (
        Table(title, (say("Project"), say("Since"), say("What is wrong")), rows) if rows else None
    )


def _running() -> Table:
    found = admin_overviews.unfinished_batches(SHOWN + 1)
    more = format_html(
        "{} · {}",
        html.link(queue_page.url(), say("The queue")),
        html.link(html.list_url(Batch), say("All batches")),
    )
    title = _newest(say("Unfinished batches"), len(found))
    return tables.batches(title, found[:SHOWN], more=more, empty=say("Nothing is running."))


def _failed() -> Table:
    found = admin_overviews.failed_runs(SHOWN + 1)
    more = format_html(
        "{} · {}",
        html.link(html.list_url(PlanRun, attention="yes"), say("All of these")),
        html.link(
            html.list_url(PlanRun, state__exact=RunState.ERROR.value), say("All failed plans")
        ),
    )
    title = _newest(say("Failed plans that need attention"), len(found))
    empty = say("Nothing to do: every plan that failed has been asked for again.")
    return tables.runs(title, found[:SHOWN], more=more, empty=empty)


def _newest(title: str, n_found: int) -> str:
    """Say in a title that a table shows the newest alone, where there are more."""
    return (
        title if n_found <= SHOWN else say("{title}: the newest {shown}", title=title, shown=SHOWN)
    )


def _finished() -> Table:
    return tables.batches(
        say("Finished last"),
        admin_overviews.finished_batches(5),
        empty=say("No batch has finished yet."),
    )


def _servers() -> Table:
    return tables.servers(admin_overviews.servers().order_by("name"))
