"""The tables that several pages show: runs, attempts, versions, the log."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from generation.admin import html
from generation.admin.detail_pages import Alert, Cell, Table
from generation.events import sentence
from generation.models import Attempt, Batch, LogEntry, Plan, PlanRun, Server, Version
from generation.parameter_sources import Sources
from generation.selectors import admin_overviews
from generation.state_words import in_words, source_in_words
from generation.states import ReviewState, RunState
from wording import say

LINES = 50


def runs(title: str, found: Iterable[PlanRun], *, more: Cell = "", empty: str = "") -> Table:
    headers = (
        say("Plan"),
        say("Batch"),
        say("Status"),
        say("Progress"),
        say("Attempt"),
        say("Server"),
        say("Why"),
        say("Finished"),
    )
    rows = [(html.link_to(run, html.run_name(run)), *_run_cells(run)) for run in found]
    return Table(title, headers, rows, more=more, empty=empty or say("No runs yet."))


def _run_cells(run: PlanRun) -> tuple[Cell, ...]:
    return (
        html.batch_link(run.batch),
        html.label(run.state),
        html.run_bar(run),
        str(run.n_attempts or "–"),
        server_of(run),
        html.shortened(html.run_reason(run)),
        html.ago(run.finished_at),
    )


def without(table: Table, header: str) -> Table:
    """A table without the column that would say the same in every row of its page."""
    at = list(table.headers).index(header)
    return replace(
        table,
        headers=[*table.headers[:at], *table.headers[at + 1 :]],
        rows=[(*row[:at], *row[at + 1 :]) for row in table.rows],
    )


def server_of(run: PlanRun) -> SafeString:
    attempt = run.current_attempt
    return html.link_to(attempt.server) if attempt else html.NOTHING


def plans(title: str, found: list[Plan], *, more: Cell = "") -> Table:
    latest = admin_overviews.latest_of(found)
    rows = [
        (html.link_to(plan, html.plan_name(plan)), *plan_cells(latest[plan.pk])) for plan in found
    ]
    headers = (say("Plan"), say("Panel"), say("Latest image"), say("Status"), say("Progress"))
    return Table(title, headers, rows, more=more, empty=say("No plans yet."))


def plan_cells(latest: admin_overviews.LatestOfPlan) -> tuple[SafeString, ...]:
    run = latest.run
    return (
        html.thumbnail(latest.panel),
        html.thumbnail(latest.image),
        html.label(run.state) if run else html.NOTHING,
        html.run_bar(run) if run else html.NOTHING,
    )


def alert(run: PlanRun) -> Alert | None:
    if run.state != RunState.ERROR:
        return None
    attempt = run.current_attempt
    where = say(" on {server}", server=attempt.server) if attempt else ""
    return Alert(
        say("It failed{where}", where=where), run.error_message, run.error_remedy, run.error_code
    )


def batches(title: str, found: Iterable[Batch], *, more: Cell = "", empty: str = "") -> Table:
    headers = (
        say("Batch"),
        say("Episode"),
        say("Style"),
        say("Status"),
        say("Progress"),
        say("Plans"),
        say("Requested by"),
        say("Age"),
    )
    return Table(
        title,
        headers,
        [batch_row(batch) for batch in found],
        more=more,
        empty=empty or say("No batches yet."),
    )


def batch_row(batch: Batch) -> tuple[Cell, ...]:
    return (
        html.batch_link(batch),
        html.episode(batch.episode),
        str(batch.style),
        html.batch_label(batch),
        html.batch_bar(batch),
        html.counts(batch),
        str(batch.requested_by or "–"),
        html.ago(batch.created_at),
    )


def attempts(found: Iterable[Attempt]) -> Table:
    headers = (
        say("Attempt"),
        say("Server"),
        say("Outcome"),
        say("Prompt id"),
        say("Seed"),
        say("Started"),
        say("Finished"),
        say("Detail"),
    )
    rows = [
        (
            str(attempt.number),
            html.link_to(attempt.server),
            html.label(attempt.outcome),
            html.code(attempt.id_on_server),
            html.code(attempt.seed),
            html.timestamp(attempt.started_at or attempt.acknowledged_at or attempt.created_at),
            html.timestamp(attempt.finished_at),
            html.whole_text(attempt.outcome_detail),
        )
        for attempt in found
    ]
    return Table(say("Attempts"), headers, rows, empty=say("It was on no server yet."))


def versions(title: str, found: Iterable[Version], *, more: Cell = "") -> Table:
    headers = (
        say("Image"),
        say("File"),
        say("Review"),
        say("Size"),
        say("Made by"),
        say("Published"),
    )
    rows = [
        (
            html.thumbnail(version),
            html.link_to(version),
            review(version),
            f"{version.width_px} × {version.height_px}",
            made_by(version),
            html.ago(version.published_at),
        )
        for version in found
    ]
    return Table(title, headers, rows, more=more, empty=say("No file yet."))


#: The words of the engine whose colours the states of a review have.
_LIKE = {
    ReviewState.TO_REVIEW: RunState.WAITING,
    ReviewState.APPROVED: RunState.DONE,
    ReviewState.RETAKE: RunState.ERROR,
    ReviewState.SUPERSEDED: RunState.CANCELLED,
}


def review(version: Version) -> SafeString:
    """What the review of a version has come to; nothing where nobody decides on it."""
    if not version.review_state:
        return html.NOTHING
    like = _LIKE[ReviewState(version.review_state)]
    return html.label(like, in_words(version.review_state))


def made_by(version: Version) -> str:
    who = say(" by {created_by}", created_by=version.created_by) if version.created_by else ""
    return f"{version.get_origin_display()}{who}"


def log(found: Iterable[LogEntry], *, more: Cell = "", with_plan: bool = False) -> Table:
    headers = (
        say("When"),
        say("Level"),
        *([say("Plan")] if with_plan else []),
        say("What"),
        say("By"),
    )
    rows = [
        (
            html.timestamp(entry.at),
            html.label(entry.level),
            *([_plan_of(entry)] if with_plan else []),
            sentence(entry.event, entry.data),
            str(entry.actor or "–"),
        )
        for entry in found
    ]
    return Table(say("Log"), headers, rows, more=more, empty=say("Nothing happened yet."))


def _plan_of(entry: LogEntry) -> SafeString:
    run = entry.run
    return html.link_to(run, html.run_name(run)) if run else html.NOTHING


def servers(found: Iterable[Server]) -> Table:
    headers = (
        say("Server"),
        say("Status"),
        say("Doing now"),
        "ComfyUI",
        say("Driver"),
        say("Last seen"),
    )
    rows = [
        (
            html.link_to(server),
            html.server_labels(server),
            doing(server),
            server.version or "–",
            driver(server),
            html.ago(server.last_seen_at),
        )
        for server in found
    ]
    return Table(say("Servers"), headers, rows, empty=say("No server is registered."))


def doing(server: Any) -> SafeString:
    rows = (
        (html.link_to(attempt.run, html.run_name(attempt.run)), attempt.run.progress_pct)
        for attempt in server.open_attempts
    )
    listed = format_html_join(", ", "{} {} %", rows)
    return listed or html.NOTHING


def driver(server: Any) -> str:
    """Who drives a server (from `admin_overviews.servers`)."""
    return (server.lease_owner or say("somebody")) if server.is_driven else say("nobody")


def values(title: str, params: Mapping[str, Any], sources: Sources) -> Table:
    """The values of a batch or of one of its plans, each with where it came from."""
    rows = [
        (html.code(name), json.dumps(value, ensure_ascii=False), _whose(sources.get(name)))
        for name, value in params.items()
    ]
    return Table(title, (say("Parameter"), say("Value"), say("From")), rows, empty=say("None."))


def _whose(source: str | None) -> str:
    return source_in_words(source) if source else "–"
