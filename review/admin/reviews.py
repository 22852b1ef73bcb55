"""Decisions about versions: to be read, never changed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import filters, html, search
from generation.admin.act_words import act_in_words
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page, PagePicture
from generation.state_words import in_words
from review.admin import light_table_links, summaries, table_import
from review.models import Review
from review.selectors import reviews
from wording import in_turn, say


class _DecisionFilter(filters.ChoicesFilter):
    in_words = staticmethod(act_in_words)


@admin.register(Review)
class ReviewAdmin(RecordAdmin):
    list_display = ("picture", "name", "decided", "said", "author", "when")
    list_display_links = ("name",)
    list_filter = (
        *filters.place_filters("version__plan__sequence__"),
        ("decision", _DecisionFilter),
        ("made_at", filters.DatesFilter),
    )
    search_fields = ("comment",)
    search_help_text = _("E202_SQ0010-0010, SQ0010, 0010 or a file's name")

    def get_urls(self) -> list[URLPattern]:
        own = (light_table_links, summaries, table_import)
        return [*(url for page in own for url in page.urls(self)), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return reviews.listed()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return queryset.filter(search.in_plans(search_term, "version__plan__")), False

    def name_of(self, row: Review) -> str:
        return f"{act_in_words(row.decision)} · {row.version}"

    @admin.display(description=_("picture"))
    def picture(self, row: Review) -> SafeString:
        return html.thumbnail(row.version)

    @admin.display(description=_("version"), ordering="version")
    def name(self, row: Review) -> str:
        return str(row.version)

    @admin.display(description=_("decision"), ordering="decision")
    def decided(self, row: Review) -> str:
        decision = act_in_words(row.decision)
        return (
            say("{decision} (undone)", decision=decision) if hasattr(row, "undone_by") else decision
        )

    @admin.display(description=_("comment"))
    def said(self, row: Review) -> str:
        return row.comment

    @admin.display(description=_("by"))
    def author(self, row: Review) -> str:
        return row.author

    @admin.display(description=_("when"), ordering="id")
    def when(self, row: Review) -> SafeString:
        return html.timestamp(row.made_at)

    def page(self, request: HttpRequest, row: Review) -> Page:
        return Page(
            name=self.name_of(row),
            pictures=[
                PagePicture(
                    str(row.version),
                    html.thumbnail(row.version, html.PICTURE_PX),
                    html.link_to(row.version),
                )
            ],
            facts=[
                (say("Version"), html.link_to(row.version)),
                (say("Plan"), html.link_to(row.version.plan, html.plan_name(row.version.plan))),
                (say("Decision"), self.decided(row)),
                (say("Remark"), row.comment or html.NOTHING),
                (say("Seen as"), in_words(row.seen)),
                (say("Since then"), in_words(row.became)),
                (say("With it"), _others(row)),
                (say("By"), row.author),
                (say("Door"), act_in_words(row.door)),
                (say("When"), self.when(row)),
            ],
        )


def _others(row: Review) -> str:
    changes = [
        say(
            "version {version}: {was} → {became}",
            version=key["version"],
            was=in_words(key["was"]),
            became=in_words(key["became"]),
        )
        for key in row.changed
    ]
    return in_turn(changes, "; ") if changes else say("nothing else")
