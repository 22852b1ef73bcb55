"""Links for guests: who may see what until when; revoked here, made by the API."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from generation.admin import html
from generation.admin.actions import Act, Question
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page
from generation.services import permissions
from review.models import ReviewLink
from review.selectors import links as found_links
from review.services import links


def _revoke(row: ReviewLink, user: User) -> object:
    return links.revoke(row.pk, by=user)


@admin.register(ReviewLink)
class ReviewLinkAdmin(RecordAdmin):
    acts = (
        Act(
            "revoke",
            "Revoke",
            "revoked",
            "link_off",
            _revoke,
            lambda row: row.state == "open",
            Question("Its page and its pictures end at once, for everybody who has it."),
        ),
    )
    list_display = ("name", "of", "leads", "names", "until", "used", "maker")
    list_display_links = ("name",)
    search_fields = ("label",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return found_links.listed()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and permissions.may(request.user, links.SHARE)

    @admin.display(description="link", ordering="label")
    def name(self, row: ReviewLink) -> str:
        return str(row)

    @admin.display(description="of")
    def of(self, row: ReviewLink) -> str:
        return f"{row.episode} {row.sequence.code if row.sequence else ''}".strip()

    @admin.display(description="state")
    def leads(self, row: ReviewLink) -> str:
        return row.state

    @admin.display(description="guests")
    def names(self, row: ReviewLink) -> str:
        return ", ".join(row.guests)

    @admin.display(description="until", ordering="expires_at")
    def until(self, row: ReviewLink) -> SafeString:
        return html.clock(row.expires_at)

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, row: ReviewLink) -> SafeString:
        return html.clock(row.last_used_at)

    @admin.display(description="made by")
    def maker(self, row: ReviewLink) -> str:
        return row.made_by.get_username() if row.made_by else "the console"

    def page(self, request: HttpRequest, row: ReviewLink) -> Page:
        return Page(
            name=str(row),
            strip=html.strip(card.version for card in found_links.cards(row)),
            facts=[
                ("Of", self.of(row)),
                ("State", row.state),
                ("Guests", self.names(row) or html.NOTHING),
                ("What they say", "decides" if row.may_decide else "is advice"),
                ("Files", "may be taken away" if row.may_download else "are not given"),
                ("Password", "yes" if row.password else "none"),
                ("Until", self.until(row)),
                ("Last used", self.used(row)),
                ("Made by", self.maker(row)),
                ("Made", html.clock(row.made_at)),
            ],
        )
