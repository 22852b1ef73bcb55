"""Plan runs: what is being rendered, what failed and why, and what to do about it."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString

from generation.admin import asking, cells, filters, lines, search, turns
from generation.admin.acts import CANCELLED, Act, Question
from generation.admin.base import RecordAdmin
from generation.admin.page import Page, Picture
from generation.errors import Conflict
from generation.models import LogEntry, PlanRun
from generation.selectors import batches, overviews, situations
from generation.services import runs
from generation.states import UNFINISHED, RunState

ATTEMPTS_SHOWN = 20


def retry_run(run: PlanRun, user: User) -> object:
    return runs.retry(run, actor=user)


def cancel_run(run: PlanRun, user: User) -> object:
    done = runs.cancel(run, actor=user)
    if done.is_nothing:
        raise Conflict("It is cancelled already, or a cancel was requested before.")
    return done


def _can_retry(run: PlanRun) -> bool:
    return run.state in {RunState.ERROR, RunState.CANCELLED}


def _can_cancel(run: PlanRun) -> bool:
    return run.state in UNFINISHED and not run.cancel_requested_at


@admin.register(PlanRun)
class PlanRunAdmin(RecordAdmin):
    acts = (
        Act(
            "retry",
            "Retry",
            "queued again",
            "replay",
            retry_run,
            _can_retry,
            Question(asking.RETRY, of_one=False),
            is_main=True,
        ),
        Act(
            "cancel",
            "Cancel",
            CANCELLED,
            "cancel",
            cancel_run,
            _can_cancel,
            Question(asking.CANCEL),
        ),
    )
    ordering = ("-id",)
    list_display = (
        "name",
        "batch_link",
        "status",
        "progress",
        "attempt",
        "server",
        "why",
        "finished",
    )
    list_filter = (
        *filters.places("plan__sequence__"),
        ("state", filters.titled(filters.ChoicesFilter, "status")),
        filters.AttentionFilter,
        ("current_attempt__server", filters.RelatedFilter),
        ("batch__style", filters.RelatedFilter),
        ("created_at", filters.titled(filters.DatesFilter, "date of the request")),
    )
    search_fields = ("plan__code",)
    search_help_text = "E202_SQ0010-0010, SQ0010, 0010, a batch's id, or words of an error"

    def get_urls(self) -> list[URLPattern]:
        return [*turns.urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return overviews.runs()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_runs(search_term)), False

    def name_of(self, run: PlanRun) -> str:
        return cells.plan_name(run.plan)

    def described(self, run: PlanRun) -> str:
        return f"{self.name_of(run)} (batch {run.batch}, {run.batch.style})"

    @admin.display(description="plan")
    def name(self, run: PlanRun) -> str:
        return cells.plan_name(run.plan)

    @admin.display(description="batch", ordering="batch")
    def batch_link(self, run: PlanRun) -> SafeString:
        return cells.link_to(run.batch)

    @admin.display(description="status", ordering="state")
    def status(self, run: PlanRun) -> SafeString:
        key, unfinished = f"status-{run.pk}", run.state in UNFINISHED
        return cells.live(key, cells.label(run.state), unfinished=unfinished)

    @admin.display(description="progress", ordering="progress_pct")
    def progress(self, run: PlanRun) -> SafeString:
        return cells.live(f"progress-{run.pk}", cells.run_bar(run))

    @admin.display(description="attempt", ordering="n_attempts")
    def attempt(self, run: PlanRun) -> SafeString:
        return cells.live(f"attempt-{run.pk}", cells.text(run.n_attempts or "–"))

    @admin.display(description="server", ordering="current_attempt__server__name")
    def server(self, run: PlanRun) -> SafeString:
        return cells.live(f"server-{run.pk}", lines.server_of(run))

    @admin.display(description="why")
    def why(self, run: PlanRun) -> SafeString:
        return cells.live(f"why-{run.pk}", cells.shortened(cells.why(run)))

    @admin.display(description="finished", ordering="finished_at")
    def finished(self, run: PlanRun) -> SafeString:
        return cells.live(f"finished-{run.pk}", cells.ago(run.finished_at))

    def page(self, request: HttpRequest, run: PlanRun) -> Page:
        log = overviews.log().filter(run=run)[: lines.LINES]
        more = cells.link(cells.list_url(LogEntry, run__id__exact=run.pk), "The whole log")
        return Page(
            name=cells.plan_name(run.plan),
            status=cells.run_line(run),
            alert=lines.alert(run),
            pictures=_pictures(run),
            facts=_facts(run),
            tables=[
                lines.attempts(overviews.attempts(run)[:ATTEMPTS_SHOWN]),
                lines.log(log, more=more),
            ],
            documents=[("Overrides by retry", json.dumps(run.params, indent=2))]
            if run.params
            else [],
            unfinished=run.state in UNFINISHED,
        )


def _facts(run: PlanRun) -> list[tuple[str, SafeString | str]]:
    batch = run.batch
    return [
        ("Plan", cells.link_to(run.plan, cells.plan_name(run.plan))),
        ("Batch", cells.link_to(batch)),
        ("Style", str(batch.style)),
        ("Mode", batch.mode),
        ("Server", lines.server_of(run)),
        ("Attempts", str(run.n_attempts)),
        ("Tries", f"{run.n_tries} of {batches.max_tries(batch)}"),
        ("Seed", cells.code(run.seed) or "–"),
        ("Requested", cells.clock(run.created_at)),
        ("Started", cells.clock(run.started_at)),
        ("Finished", cells.clock(run.finished_at)),
        ("File", cells.link_to(run.result)),
        *([("Why", _why(run))] if run.state in UNFINISHED else []),
    ]


def _why(run: PlanRun) -> SafeString:
    """Why it is where it is; in full, what each server lacks."""
    why = cells.why(run, situations.outlook(cells.standing(run)))
    if run.state != RunState.QUEUED:
        return cells.text(why)
    return format_html("{} {}", why, cells.link(turns.url(run.batch), "See the queue"))


def _pictures(run: PlanRun) -> list[Picture]:
    shown = [("Panel", overviews.panel_of(run)), ("Result", run.result)]
    return [
        Picture(caption, cells.thumbnail(version, cells.PICTURE_PX), cells.link_to(version))
        for caption, version in shown
        if version
    ]
