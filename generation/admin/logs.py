"""The log: everything that happened to batches and plans."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import filters, html, search
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page
from generation.events import sentence
from generation.models import LogEntry
from generation.selectors import admin_overviews
from wording import say


@admin.register(LogEntry)
class LogEntryAdmin(RecordAdmin):
    list_display = ("when", "level_label", "batch_link", "run_link", "what", "by")
    list_display_links = None
    show_full_result_count = False
    list_filter = (("level", filters.ChoicesFilter), ("at", filters.DatesFilter))
    search_fields = ("event",)
    search_help_text = _("E202_SQ0010-0010, SQ0010, a batch's id, a project, or words of the entry")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin_overviews.log()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_log(search_term)), False

    @admin.display(description=_("when"), ordering="id")
    def when(self, entry: LogEntry) -> SafeString:
        return html.timestamp(entry.at)

    @admin.display(description=_("level"), ordering="level")
    def level_label(self, entry: LogEntry) -> SafeString:
        return html.label(entry.level)

    @admin.display(description=_("batch"))
    def batch_link(self, entry: LogEntry) -> SafeString:
        return html.link_to(entry.batch)

    @admin.display(description=_("plan"))
    def run_link(self, entry: LogEntry) -> SafeString:
        run = entry.run
        return html.link_to(run, html.run_name(run)) if run else html.NOTHING

    @admin.display(description=_("what"))
    def what(self, entry: LogEntry) -> str:
        return sentence(entry.event, entry.data)

    @admin.display(description=_("by"), ordering="actor__username")
    def by(self, entry: LogEntry) -> str:
        return str(entry.actor or "–")

    def page(self, request: HttpRequest, entry: LogEntry) -> Page:
        return Page(
            name=sentence(entry.event, entry.data),
            status=html.label(entry.level),
            facts=[
                (say("When"), html.timestamp(entry.at)),
                (say("Batch"), self.batch_link(entry)),
                (say("Plan"), self.run_link(entry)),
                (say("By"), self.by(entry)),
                *((html.code(name), str(value)) for name, value in entry.data.items()),
            ],
        )
