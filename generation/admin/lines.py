"""The tables that several pages show: runs, attempts, versions, the log."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from generation.admin import cells
from generation.admin.page import Alert, Cell, Table
from generation.events import sentence
from generation.models import Attempt, Batch, LogEntry, Plan, PlanRun, Server, Version
from generation.selectors import overviews
from generation.states import RunState

LINES = 50


def runs(title: str, found: Iterable[PlanRun], *, more: Cell = "", empty: str = "") -> Table:
    headers = ("Plan", "Batch", "Status", "Progress", "Attempt", "Server", "Why", "Finished")
    rows = [(cells.link_to(run, cells.plan_name(run.plan)), *_run_cells(run)) for run in found]
    return Table(title, headers, rows, more=more, empty=empty or "No runs yet.")


def _run_cells(run: PlanRun) -> tuple[Cell, ...]:
    return (
        cells.link_to(run.batch),
        cells.label(run.state),
        cells.run_bar(run),
        str(run.n_attempts or "–"),
        server_of(run),
        cells.shortened(cells.why(run)),
        cells.ago(run.finished_at),
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
    return cells.link_to(attempt.server) if attempt else cells.NOTHING


def plans(title: str, found: list[Plan], *, more: Cell = "") -> Table:
    latest = overviews.latest_of(found)
    rows = [
        (cells.link_to(plan, cells.plan_name(plan)), *plan_cells(latest[plan.pk])) for plan in found
    ]
    headers = ("Plan", "Panel", "Latest image", "Status", "Progress")
    return Table(title, headers, rows, more=more, empty="No plans yet.")


def plan_cells(latest: overviews.LatestOfPlan) -> tuple[SafeString, ...]:
    run = latest.run
    return (
        cells.thumbnail(latest.panel),
        cells.thumbnail(latest.image),
        cells.label(run.state) if run else cells.NOTHING,
        cells.run_bar(run) if run else cells.NOTHING,
    )


def alert(run: PlanRun) -> Alert | None:
    if run.state != RunState.ERROR:
        return None
    attempt = run.current_attempt
    where = f" on {attempt.server}" if attempt else ""
    return Alert(f"It failed{where}", run.error_message, run.error_remedy, run.error_code)


def batches(title: str, found: Iterable[Batch], *, more: Cell = "", empty: str = "") -> Table:
    headers = ("Batch", "Episode", "Style", "Status", "Progress", "Plans", "Requested by", "Age")
    return Table(
        title,
        headers,
        [batch_row(batch) for batch in found],
        more=more,
        empty=empty or "No batches yet.",
    )


def batch_row(batch: Batch) -> tuple[Cell, ...]:
    return (
        cells.link_to(batch),
        cells.episode(batch.episode),
        str(batch.style),
        cells.batch_label(batch),
        cells.batch_bar(batch),
        cells.counts(batch),
        str(batch.requested_by or "–"),
        cells.ago(batch.created_at),
    )


def attempts(found: Iterable[Attempt]) -> Table:
    headers = ("Attempt", "Server", "Outcome", "Prompt id", "Seed", "Started", "Finished", "Detail")
    rows = [
        (
            str(attempt.number),
            cells.link_to(attempt.server),
            cells.label(attempt.outcome),
            cells.code(attempt.id_on_server),
            cells.code(attempt.seed),
            cells.clock(attempt.started_at or attempt.acknowledged_at or attempt.created_at),
            cells.clock(attempt.finished_at),
            cells.whole(attempt.outcome_detail),
        )
        for attempt in found
    ]
    return Table("Attempts", headers, rows, empty="It was on no server yet.")


def versions(title: str, found: Iterable[Version], *, more: Cell = "") -> Table:
    headers = ("Image", "File", "Size", "Made by", "Published")
    rows = [
        (
            cells.thumbnail(version),
            cells.link_to(version),
            f"{version.width_px} × {version.height_px}",
            made_by(version),
            cells.ago(version.published_at),
        )
        for version in found
    ]
    return Table(title, headers, rows, more=more, empty="No file yet.")


def made_by(version: Version) -> str:
    who = f" by {version.created_by}" if version.created_by else ""
    return f"{version.get_origin_display()}{who}"


def log(found: Iterable[LogEntry], *, more: Cell = "", with_plan: bool = False) -> Table:
    headers = ("When", "Level", *(["Plan"] if with_plan else []), "What", "By")
    rows = [
        (
            cells.clock(entry.at),
            cells.label(entry.level),
            *([_plan_of(entry)] if with_plan else []),
            sentence(entry.event, entry.data),
            str(entry.actor or "–"),
        )
        for entry in found
    ]
    return Table("Log", headers, rows, more=more, empty="Nothing happened yet.")


def _plan_of(entry: LogEntry) -> SafeString:
    run = entry.run
    return cells.link_to(run, cells.plan_name(run.plan)) if run else cells.NOTHING


def servers(found: Iterable[Server]) -> Table:
    headers = ("Server", "Status", "Doing now", "ComfyUI", "Driver", "Last seen")
    rows = [
        (
            cells.link_to(server),
            cells.server_labels(server),
            doing(server),
            server.version or "–",
            driver(server),
            cells.ago(server.last_seen_at),
        )
        for server in found
    ]
    return Table("Servers", headers, rows, empty="No server is registered.")


def doing(server: Any) -> SafeString:
    rows = (
        (cells.link_to(attempt.run, cells.plan_name(attempt.run.plan)), attempt.run.progress_pct)
        for attempt in server.open_attempts
    )
    listed = format_html_join(", ", "{} {} %", rows)
    return listed or cells.NOTHING


def driver(server: Server) -> str:
    if server.lease_expires_at is None or server.lease_expires_at < timezone.now():
        return "nobody"
    return server.lease_owner or "somebody"
