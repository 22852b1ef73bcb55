"""Batches: who asked for what, how far it is, and what needs attention."""

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
    batch_controls,
    confirmation,
    filters,
    html,
    queue_page,
    retry_with_workflow,
    search,
    tables,
)
from generation.admin.actions import CANCELLED, PLANS, Act, Question, counted
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Form, Page
from generation.admin.expected_end_column import ExpectedEndColumn
from generation.errors import Conflict
from generation.models import Batch, LogEntry, PlanRun
from generation.selectors import admin_overviews, expected_ends
from generation.selectors import batches as reads
from generation.selectors.expected_ends import Expected, Forecast
from generation.services import batches
from generation.state_words import in_words
from wording import say


def _retry(batch: Batch, user: User) -> object:
    return batches.retry(batch, actor=user)


def _cancel(batch: Batch, user: User) -> object:
    done = batches.cancel(batch, actor=user)
    if done.is_nothing:
        raise Conflict(say("Nothing is left in it to cancel."))
    return done


#: How many pictures a batch's page shows, the newest first.
STRIP_MAX = 48


@admin.register(Batch)
class BatchAdmin(ExpectedEndColumn, RecordAdmin):
    acts = (
        Act(
            "retry",
            say("Retry"),
            say("queued again"),
            "replay",
            _retry,
            lambda batch: batch.can_be_retried,
            Question(confirmation.RETRY, reads.to_retry, PLANS, of_one=False),
            is_main=True,
        ),
        Act(
            "cancel",
            say("Cancel"),
            CANCELLED,
            "cancel",
            _cancel,
            lambda batch: batch.can_be_cancelled,
            Question(confirmation.CANCEL, reads.to_cancel, PLANS),
        ),
        *batch_controls.ACTS,
    )
    list_display = (
        "called",
        "episode_link",
        "style",
        "status",
        "progress",
        "plans",
        "expected_end",
        "priority",
        "requester",
        "age",
    )
    list_filter = (
        *filters.episode_filters("episode__"),
        filters.BatchStateFilter,
        ("style", filters.RelatedFilter),
        ("mode", filters.ChoicesFilter),
        ("requested_by", filters.RelatedFilter),
        ("created_at", filters.titled_filter(filters.DatesFilter, say("date of the request"))),
    )
    search_fields = ("public_id",)
    search_help_text = _("a batch's id or name, E202, SQ0010-0010, a project, a style or a user")

    def described(self, batch: Batch) -> str:
        episode = batch.episode
        named = say("“{name}”, ", name=batch.name) if batch.name else ""
        return f"{batch} ({named}{episode.project}, {episode}, {batch.style})"

    def get_urls(self) -> list[URLPattern]:
        return [*batch_controls.urls(self), *retry_with_workflow.urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.batches()

    def is_unfinished(self, row: Batch) -> bool:
        return row.is_unfinished

    def end_of(self, row: Batch, told: Forecast) -> Expected | None:
        return told.of_batch(row)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_batches(search_term)), False

    @admin.display(description=_("batch"), ordering="id")
    def called(self, batch: Batch) -> SafeString | str:
        if not batch.name:
            return batch.public_id
        return format_html("{}<br><small>{}</small>", batch.name, batch.public_id)

    @admin.display(description=_("episode"), ordering="episode__code")
    def episode_link(self, batch: Batch) -> SafeString:
        return html.episode(batch.episode)

    @admin.display(description=_("status"))
    def status(self, batch: Batch) -> SafeString:
        key = f"status-{batch.pk}"
        return html.live_piece(key, html.batch_label(batch), unfinished=batch.is_unfinished)

    @admin.display(description=_("progress"))
    def progress(self, batch: Batch) -> SafeString:
        return html.live_piece(f"progress-{batch.pk}", html.batch_bar(batch))

    @admin.display(description=_("plans"), ordering="n_total")
    def plans(self, batch: Batch) -> SafeString:
        return html.live_piece(f"plans-{batch.pk}", html.counts(batch))

    @admin.display(description=_("by"), ordering="requested_by__username")
    def requester(self, batch: Batch) -> str:
        return str(batch.requested_by or "–")

    @admin.display(description=_("age"), ordering="created_at")
    def age(self, batch: Batch) -> SafeString:
        return html.ago(batch.created_at)

    def page(self, request: HttpRequest, batch: Batch) -> Page:
        may_change = self.has_change_permission(request, batch)
        runs = admin_overviews.runs_by_attention(batch, tables.LINES)
        all_runs = html.list_url(PlanRun, batch__id__exact=batch.pk)
        more = html.link(all_runs, say("All {n_total} plans", n_total=batch.n_total))
        log = admin_overviews.log().filter(batch=batch)[: tables.LINES]
        whole_log = html.list_url(LogEntry, batch__id__exact=batch.pk)
        return Page(
            name=batch.name or say("Batch {batch}", batch=batch.public_id),
            status=html.batch_line(batch),
            strip=html.picture_strip(admin_overviews.pictures_of(batch, STRIP_MAX)),
            facts=_facts(batch, may_change=may_change),
            tables=[
                tables.without(tables.runs(say("Plans"), runs, more=more), say("Batch")),
                tables.values(say("Values"), batch.params, batch.sources),
                tables.log(log, more=html.link(whole_log, say("The whole log")), with_plan=True),
            ],
            unfinished=batch.is_unfinished,
            episode_id=batch.episode_id,
            forms=_forms(batch) if may_change else [],
        )


def _forms(batch: Batch) -> list[Form]:
    return [*batch_controls.forms(batch), *retry_with_workflow.forms(batch)]


def _facts(batch: Batch, *, may_change: bool) -> list[tuple[str, SafeString | str]]:
    return [
        (say("Name"), batch_controls.name_field(batch, may_change=may_change)),
        (say("Batch"), html.code(batch.public_id)),
        (say("Project"), html.link_to(batch.episode.project)),
        (say("Episode"), html.link_to(batch.episode)),
        (say("Style"), html.link_to(batch.style)),
        (say("Workflow"), retry_with_workflow.field(batch, may_change=may_change)),
        (say("Mode"), in_words(batch.mode)),
        *(
            [(say("Variations of each plan"), str(batch.variations))]
            if batch.variations > 1
            else []
        ),
        *([(say("Reason"), batch.reason)] if batch.reason else []),
        (
            say("Priority"),
            batch_controls.number_field(
                batch_controls.PRIORITY, batch.priority, may_change=may_change
            ),
        ),
        (
            say("Tries per plan"),
            batch_controls.number_field(
                batch_controls.TRIES, reads.max_tries(batch), may_change=may_change
            ),
        ),
        *_queue(batch),
        *_end(batch),
        (say("Requested by"), str(batch.requested_by or "–")),
        (say("Requested"), html.timestamp(batch.created_at)),
        (say("Finished"), html.timestamp(batch.finished_at)),
        (say("Paused"), html.timestamp(batch.paused_at)),
        (say("Cancel requested"), html.timestamp(batch.cancel_requested_at)),
    ]


def _queue(batch: Batch) -> list[tuple[str, SafeString | str]]:
    if not batch.n_queued:
        return []
    return [(say("In the queue"), html.link(queue_page.url(batch), counted(batch.n_queued, PLANS)))]


def _end(batch: Batch) -> list[tuple[str, SafeString | str]]:
    if not batch.is_unfinished:
        return []
    return [(say("Expected end"), html.expected_end(expected_ends.forecast().of_batch(batch)))]
