"""Links for guests: who may see what until when; made and revoked."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from generation.admin import html
from generation.admin.actions import Act, Question
from generation.admin.base import RecordAdmin
from generation.admin.detail_pages import Page
from generation.services import permissions
from review.admin import link_form
from review.models import ReviewLink
from review.selectors import links as found_links
from review.services import links
from wording import say

STATES = {"open": say("open"), "expired": say("expired"), "revoked": say("revoked")}


def _revoke(row: ReviewLink, user: User) -> object:
    return links.revoke(row.pk, by=user)


@admin.register(ReviewLink)
class ReviewLinkAdmin(RecordAdmin):
    acts = (
        Act(
            "revoke",
            say("Revoke"),
            say("revoked"),
            "link_off",
            _revoke,
            lambda row: row.state == "open",
            Question(say("Its page and its pictures end at once, for everybody who has it.")),
        ),
    )
    list_display = ("name", "of", "leads", "names", "until", "used", "maker")
    list_display_links = ("name",)
    search_fields = ("label",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return found_links.listed()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and permissions.may(request.user, links.SHARE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = self.admin_site.each_context(request) | {"opts": self.opts, "subtitle": None}
        return link_form.view(request, context)

    @admin.display(description=_("link"), ordering="label")
    def name(self, row: ReviewLink) -> str:
        return str(row)

    @admin.display(description=_("of"))
    def of(self, row: ReviewLink) -> str:
        return f"{row.episode} {row.sequence.code if row.sequence else ''}".strip()

    @admin.display(description=_("state"))
    def leads(self, row: ReviewLink) -> str:
        return STATES[row.state]

    @admin.display(description=_("guests"))
    def names(self, row: ReviewLink) -> str:
        return ", ".join(row.guests)

    @admin.display(description=_("until"), ordering="expires_at")
    def until(self, row: ReviewLink) -> SafeString:
        return html.timestamp(row.expires_at)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, row: ReviewLink) -> SafeString:
        return html.timestamp(row.last_used_at)

    @admin.display(description=_("made by"))
    def maker(self, row: ReviewLink) -> str:
        return row.made_by.get_username() if row.made_by else say("the console")

    def page(self, request: HttpRequest, row: ReviewLink) -> Page:
        return Page(
            name=str(row),
            strip=html.picture_strip(card.version for card in found_links.cards(row)),
            facts=[
                (say("Of"), self.of(row)),
                (say("State"), self.leads(row)),
                (say("Guests"), self.names(row) or html.NOTHING),
                (say("What they say"), say("decides") if row.may_decide else say("is advice")),
                (
                    say("Files"),
                    say("may be taken away") if row.may_download else say("are not given"),
                ),
                (say("Password"), say("yes") if row.password else say("none")),
                (say("Until"), self.until(row)),
                (say("Last used"), self.used(row)),
                (say("Made by"), self.maker(row)),
                (say("Made"), html.timestamp(row.made_at)),
            ],
        )
