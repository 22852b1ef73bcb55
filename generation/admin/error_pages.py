"""Pages instead of bare answers: what happened, what follows, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from unfold.settings import get_config

from generation.admin import navigation
from wording import say

INSIDE, ALONE = "admin/generation/refusal.html", "admin/generation/refusal_alone.html"


@dataclass(frozen=True)
class ErrorPage:
    """What a page says; one that stands `alone` asks the database nothing."""

    title: str
    happened: str
    advice: str
    alone: bool = False


UNREADABLE = ErrorPage(
    say("This request cannot be read"),
    say("Its address or what was sent with it is not what Madsea expects. Nothing was done."),
    say(
        "Go back, reload the page and try again. If it happens again, tell a "
        "technical director the address above: the name of this machine may be "
        "missing in ALLOWED_HOSTS."
    ),
    alone=True,
)
STALE_FORM = ErrorPage(
    say("The page was open for too long"),
    say(
        "Somebody signed in or out in this browser since it was opened, or cookies "
        "are switched off. Nothing was done."
    ),
    say("Go back, reload the page, and do it again."),
    alone=True,
)
FORBIDDEN = ErrorPage(
    say("You may not do this"),
    say("Your account has no permission for it. Nothing was done."),
    say("Ask whoever manages the users for the permission, or sign in as somebody else."),
)
NOWHERE = ErrorPage(
    say("There is nothing at this address"),
    say("It was mistyped, or what it led to is gone."),
    say("Find it by the lists at the side."),
)
BUTTON = ErrorPage(
    say("This address belongs to a button"),
    say(
        "It does something only when the button is pressed. It was opened like a "
        "page, as after signing in again: nothing was done."
    ),
    say("Go to the page and press the button again."),
)
BROKEN = ErrorPage(
    say("Madsea made a mistake"),
    say(
        "This page could not be made. What you asked for may have been done or "
        "not; what is being rendered goes on. The mistake stands in the log of the "
        "web process."
    ),
    say(
        "Look whether it was done before you do it again. If it happens again, "
        "tell a technical director the address and the time."
    ),
    alone=True,
)
OF_STATUS: Mapping[int, ErrorPage] = {
    400: UNREADABLE,
    403: FORBIDDEN,
    404: NOWHERE,
    405: BUTTON,
    500: BROKEN,
}


def error_page(
    request: HttpRequest, status: int, refusal: ErrorPage | None = None, back: str = ""
) -> HttpResponse:
    """Answer with the page of a status, or with another refusal's under that status.

    `back` is where its button leads, by default to the overview.
    """
    refused = refusal or OF_STATUS[status]
    is_alone = refused.alone or not _is_staff(request)
    context = _plain() if is_alone else admin.site.each_context(request)
    context |= {
        "title": refused.title,
        "refusal": refused,
        "status": status,
        "back": back or reverse("admin:index"),
        "back_to": say("To its page") if back else "",
    }
    html = render_to_string(ALONE if is_alone else INSIDE, context, None if is_alone else request)
    return HttpResponse(html, status=status)


def _is_staff(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff)


def _plain() -> dict[str, Any]:
    """Return the dress of a page, without anything that is looked up for a user."""
    known: Any = settings.UNFOLD
    return {
        "site_title": known["SITE_TITLE"],
        "site_header": known["SITE_HEADER"],
        "colors": get_config()["COLORS"],
        "styles": [navigation.stylesheet(HttpRequest())],
        "site_favicons": [{"rel": "icon", "href": navigation.icon(HttpRequest())}],
    }
