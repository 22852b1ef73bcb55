"""Plan runs: what is being rendered, what failed and why, and what to do about it."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import (
    confirmation,
    drops,
    filters,
    generate,
    html,
    queue_page,
    retry_with_workflow,
    search,
    tables,
)
from generation.admin.actions import CANCELLED, Act, Question
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import DropPlace, Page, PagePicture
from generation.admin.expected_end_column import ExpectedEndColumn
from generation.errors import Conflict
from generation.models import LogEntry, PlanRun
from generation.selectors import admin_overviews, batches, expected_ends, wait_reasons
from generation.selectors.expected_ends import Expected, Forecast
from generation.services import plan_runs
from generation.state_words import in_words
from generation.states import UNFINISHED, RunState
from wording import say

ATTEMPTS_SHOWN = 20


def retry_run(run: PlanRun, user: User) -> object:
    return plan_runs.retry(run, actor=user)


def cancel_run(run: PlanRun, user: User) -> object:
    done = plan_runs.cancel(run, actor=user)
    if done.is_nothing:
        raise Conflict(say("It is cancelled already, or a cancel was requested before."))
    return done


@admin.register(PlanRun)
class PlanRunAdmin(ExpectedEndColumn, RecordAdmin):
    acts = (
        Act(
            "retry",
            say("Retry"),
            say("queued again"),
            "replay",
            retry_run,
            lambda run: run.can_be_retried,
            Question(confirmation.RETRY, of_one=False),
            is_main=True,
        ),
        Act(
            "cancel",
            say("Cancel"),
            CANCELLED,
            "cancel",
            cancel_run,
            lambda run: run.can_be_stopped,
            Question(confirmation.CANCEL),
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
        "expected_end",
        "finished",
    )
    list_filter = (
        *filters.place_filters("plan__sequence__"),
        ("state", filters.titled_filter(filters.ChoicesFilter, say("status"))),
        filters.AttentionFilter,
        ("current_attempt__server", filters.RelatedFilter),
        ("batch__style", filters.RelatedFilter),
        ("created_at", filters.titled_filter(filters.DatesFilter, say("date of the request"))),
    )
    search_fields = ("plan__code",)
    search_help_text = _("E202_SQ0010-0010, SQ0010, 0010, a batch's id, or words of an error")

    def links(self, run: PlanRun) -> SafeString:
        return generate.again_link(run)

    def get_urls(self) -> list[URLPattern]:
        own = [*queue_page.urls(self), *drops.run_urls(self), *retry_with_workflow.urls(self)]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.runs()

    def is_unfinished(self, row: PlanRun) -> bool:
        return row.state in UNFINISHED

    def end_of(self, row: PlanRun, told: Forecast) -> Expected | None:
        return told.of_run(row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_runs(search_term)), False

    def name_of(self, run: PlanRun) -> str:
        return html.run_name(run)

    def described(self, run: PlanRun) -> str:
        return say(
            "{name_of} (batch {batch}, {style})",
            name_of=self.name_of(run),
            batch=run.batch,
            style=run.batch.style,
        )

    @admin.display(description=_("plan"))
    def name(self, run: PlanRun) -> str:
        return html.run_name(run)

    @admin.display(description=_("batch"), ordering="batch")
    def batch_link(self, run: PlanRun) -> SafeString:
        return html.batch_link(run.batch)

    @admin.display(description=_("status"), ordering="state")
    def status(self, run: PlanRun) -> SafeString:
        key, unfinished = f"status-{run.pk}", run.state in UNFINISHED
        return html.live_piece(key, html.label(run.state), unfinished=unfinished)

    @admin.display(description=_("progress"), ordering="progress_pct")
    def progress(self, run: PlanRun) -> SafeString:
        return html.live_piece(f"progress-{run.pk}", html.run_bar(run))

    @admin.display(description=_("attempt"), ordering="n_attempts")
    def attempt(self, run: PlanRun) -> SafeString:
        return html.live_piece(f"attempt-{run.pk}", html.escaped(run.n_attempts or "–"))

    @admin.display(description=_("server"), ordering="current_attempt__server__name")
    def server(self, run: PlanRun) -> SafeString:
        return html.live_piece(f"server-{run.pk}", tables.server_of(run))

    @admin.display(description=_("why"))
    def why(self, run: PlanRun) -> SafeString:
        return html.live_piece(f"why-{run.pk}", html.shortened(html.run_reason(run)))

    @admin.display(description=_("finished"), ordering="finished_at")
    def finished(self, run: PlanRun) -> SafeString:
        return html.live_piece(f"finished-{run.pk}", html.ago(run.finished_at))

    def page(self, request: HttpRequest, run: PlanRun) -> Page:
        may_change = self.has_change_permission(request, run)
        log = admin_overviews.log().filter(run=run)[: tables.LINES]
        more = html.link(html.list_url(LogEntry, run__id__exact=run.pk), say("The whole log"))
        return Page(
            name=html.run_name(run),
            status=html.run_line(run),
            alert=tables.alert(run),
            pictures=_pictures(run),
            facts=_facts(run, may_change=may_change),
            tables=[
                tables.attempts(admin_overviews.attempts(run)[:ATTEMPTS_SHOWN]),
                tables.values(say("Beside its batch's values"), _own(run), run.sources),
                tables.log(log, more=more),
            ],
            unfinished=run.state in UNFINISHED,
            episode_id=run.batch.episode_id,
            forms=retry_with_workflow.forms(run) if may_change else [],
            drops=self._drops(request, run),
        )

    def _drops(self, request: HttpRequest, run: PlanRun) -> list[DropPlace]:
        waits = run.state == RunState.WAITING and drops.may_give(request)
        return [drops.image_of(run)] if waits else []


def _own(run: PlanRun) -> dict[str, Any]:
    return {**run.params, **({"seed": run.seed} if "seed" in run.sources else {})}


def _facts(run: PlanRun, *, may_change: bool) -> list[tuple[str, SafeString | str]]:
    batch = run.batch
    return [
        (say("Plan"), html.link_to(run.plan, html.plan_name(run.plan))),
        (say("Batch"), html.batch_link(batch)),
        *_variation(run),
        (say("Style"), str(batch.style)),
        (say("Mode"), in_words(batch.mode)),
        (say("Workflow"), retry_with_workflow.field(run, may_change=may_change)),
        (say("Server"), tables.server_of(run)),
        (say("Attempts"), str(run.n_attempts)),
        (
            say("Tries"),
            say(
                "{n_tries} of {max_tries}", n_tries=run.n_tries, max_tries=batches.max_tries(batch)
            ),
        ),
        (say("Seed"), html.code(run.seed) or "–"),
        (say("Requested"), html.timestamp(run.created_at)),
        (say("Started"), html.timestamp(run.started_at)),
        (say("Finished"), html.timestamp(run.finished_at)),
        (say("File"), html.link_to(run.result)),
        *(
            [(say("Why"), _why(run)), (say("Expected end"), _end(run))]
            if run.state in UNFINISHED
            else []
        ),
    ]


def _variation(run: PlanRun) -> list[tuple[str, SafeString | str]]:
    several = run.batch.variations > 1
    return (
        [
            (
                say("Variation"),
                say(
                    "{variation} of {variations}",
                    variation=run.variation,
                    variations=run.batch.variations,
                ),
            )
        ]
        if several
        else []
    )


def _why(run: PlanRun) -> SafeString:
    """Why it is where it is; in full, what each server lacks."""
    why = html.run_reason(run, wait_reasons.outlook(html.queued_group(run)))
    if run.state != RunState.QUEUED:
        return html.escaped(why)
    return format_html("{} {}", why, html.link(queue_page.url(run.batch), say("See the queue")))


def _end(run: PlanRun) -> SafeString:
    return html.expected_end(expected_ends.forecast().of_run(run))


def _pictures(run: PlanRun) -> list[PagePicture]:
    shown = [(say("Panel"), admin_overviews.panel_of(run)), (say("Result"), run.result)]
    return [
        PagePicture(caption, html.thumbnail(version, html.PICTURE_PX), html.link_to(version))
        for caption, version in shown
        if version
    ]
