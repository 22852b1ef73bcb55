"""What a link shows to guests, who have no account: on a phone first, one picture after the other.

Looking decides nothing. Only what the link was made for is found here; for all else, for links that
are unknown, expired or revoked, there is one page. Sessions are neither read nor made.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET, require_POST, require_safe

from generation.api import files
from generation.errors import (
    Busy,
    Conflict,
    Forbidden,
    InvalidRequest,
    MadseaError,
    NotFound,
    Refusal,
    TooSoon,
)
from generation.states import ReviewState
from madsea.web import client_addresses
from review.api import exports
from review.models import ReviewLink
from review.models.review import GUEST_MAX
from review.pages import guest_cookies, presentation
from review.pages.guest_cookies import GuestEntry
from review.selectors import links
from review.selectors.links import Card
from review.services import guests, picture_zips
from review.services.decisions import AskedDecision
from review.services.guests import Guest
from review.states import Decision
from wording import say

View = Callable[..., HttpResponse]
#: The widths that guests see; and how long their browsers keep a picture, after a revocation too.
WIDTHS_PX = (640, 1280)
PICTURE_MAX_AGE_S = 300
#: A form of this size passes for whoever is not signed in.
COMMENT_MAX = 1_000
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_STATUS: dict[type[MadseaError], HTTPStatus] = {
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Refusal: HTTPStatus.BAD_REQUEST,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    TooSoon: HTTPStatus.TOO_MANY_REQUESTS,
}


def _private(view: View) -> View:
    """Nobody keeps it, finds it or frames it, and no other site is told where it was."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        response = view(request, *args, **named)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response["X-Robots-Tag"] = "noindex, nofollow"
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        return response

    return answered


@_private
@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address at once, for a cookie; show nothing, decide nothing."""
    try:
        link = guests.enter(token, place=client_addresses.network(request))
    except TooSoon as error:
        response = _refused(request, error)
    else:
        response = _closed(request) if link is None else _let_in(request, link)
    # The address of this answer is a secret; those of the pages are none, and forms need theirs.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _let_in(request: HttpRequest, link: ReviewLink) -> HttpResponse:
    response = _to_cards(link)
    guest_cookies.write(response, link, guest_cookies.read(request, link) or GuestEntry())
    return response


def _to_cards(link: ReviewLink, version_id: int | None = None) -> HttpResponseRedirect:
    place = f"#v{version_id}" if version_id else ""
    return HttpResponseRedirect(f"{reverse('guest-cards', args=[link.pk])}{place}")


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "review/guest_closed.html", status=HTTPStatus.NOT_FOUND)


def _refused(request: HttpRequest, error: MadseaError) -> HttpResponse:
    response = render(request, "review/guest_closed.html", {"error": error}, status=_status(error))
    if isinstance(error, TooSoon):
        response["Retry-After"] = str(error.wait_s)
    return response


def _status(error: MadseaError) -> HTTPStatus:
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


# Past the door -----------------------------------------------------------------------------------


def _of_link(view: View) -> View:
    """Only for whoever came in by a link that is good; its view gets the link and the entry."""

    @_private
    @wraps(view)
    def checked(request: HttpRequest, link_id: int, **named: Any) -> HttpResponse:
        link = links.valid_link(link_id)
        entry = guest_cookies.read(request, link) if link else None
        if link is None or entry is None:
            return _closed(request)
        try:
            return view(request, link, entry, **named)
        except (Refusal, NotFound, Forbidden, Conflict, TooSoon, Busy) as error:
            return _refused(request, error)

    return checked


def _of_unlocked(view: View) -> View:
    """Only past the password."""

    @wraps(view)
    def checked(
        request: HttpRequest, link: ReviewLink, entry: GuestEntry, **named: Any
    ) -> HttpResponse:
        return view(request, link, entry, **named) if entry.is_unlocked else _closed(request)

    return cast(View, checked)


@require_safe
@_of_link
def cards(request: HttpRequest, link: ReviewLink, entry: GuestEntry) -> HttpResponse:
    """Ask for the password and for a name, each once; then show the pictures."""
    if not entry.is_unlocked:
        return _ask(request, link, "password")
    if not entry.name:
        return _ask(request, link, "name")
    return _shown(request, Guest(link, entry.name))


def _ask(request: HttpRequest, link: ReviewLink, what: str, problem: str = "") -> HttpResponse:
    context = {"link": link, "what": what, "problem": problem, "name_max": GUEST_MAX}
    status = HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK
    return render(request, "review/guest_door.html", context, status=status)


@require_POST
@_of_link
def password(request: HttpRequest, link: ReviewLink, entry: GuestEntry) -> HttpResponse:
    """Take the password of a link that has one."""
    place = client_addresses.network(request)
    given = request.POST.get("password", "")
    if not entry.is_unlocked and not guests.unlock(link, given, place=place):
        return _ask(request, link, "password", say("That is not the password of this link."))
    response = _to_cards(link)
    guest_cookies.write(response, link, GuestEntry(True, entry.name))
    return response


@require_POST
@_of_link
@_of_unlocked
def name(request: HttpRequest, link: ReviewLink, entry: GuestEntry) -> HttpResponse:
    """Take the name under which a guest judges."""
    try:
        guest = guests.introduce(link, request.POST.get("name", ""))
    except Refusal as error:
        return _ask(request, link, "name", error.detail)
    response = _to_cards(link)
    guest_cookies.write(response, link, GuestEntry(entry.is_unlocked, guest.name))
    return response


@require_POST
@_of_link
@_of_unlocked
def judge(request: HttpRequest, link: ReviewLink, entry: GuestEntry) -> HttpResponse:
    """Take what a guest says of one picture; answer its card to a script, else the page."""
    if not entry.name:
        return _closed(request)
    guest, asked, problem = Guest(link, entry.name), _asked(request), ""
    status = HTTPStatus.OK
    try:
        guests.judge(guest, asked)
    except (InvalidRequest, Conflict) as error:
        problem, status = error.detail, _status(error)
    if "HTTP_X_CARD" in request.META:
        context = _context(guest, [links.card(link, asked.version_id)], problem)
        return render(request, "review/guest_cards.html", context, status=status)
    if problem:
        return _shown(request, guest, problem=problem, status=status)
    return _to_cards(link, asked.version_id)


def _asked(request: HttpRequest) -> AskedDecision:
    """Return what a guest's form says.

    Raises:
        Refusal: it was not made by this page.
    """
    form = request.POST
    comment = form.get("comment", "").strip()
    try:
        decision, seen = Decision(form["decision"]), ReviewState(form["seen"])
        version_id = int(form["version"])
    except (KeyError, ValueError):
        raise Refusal(say("This form is not whole: reload the page.")) from None
    if not 0 < version_id < 10**18 or len(comment) > COMMENT_MAX:
        raise Refusal(say("This form is not whole: reload the page."))
    return AskedDecision(version_id, decision, seen, comment)


def _shown(
    request: HttpRequest, guest: Guest, *, problem: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    context = _context(guest, links.cards(guest.link), problem)
    return render(request, "review/guest.html", context, status=status)


def _context(guest: Guest, shown: list[Card], problem: str) -> dict[str, Any]:
    return {
        "guest": guest,
        "link": guest.link,
        "cards": [presentation.guest_card(guest.link, card) for card in shown],
        "problem": problem,
        "comment_max": COMMENT_MAX,
    }


@require_safe
@_of_link
@_of_unlocked
def picture(
    request: HttpRequest, link: ReviewLink, _entry: GuestEntry, version_id: int, width_px: int
) -> HttpResponse:
    """A small picture of what the link shows, or of its panel."""
    if width_px not in WIDTHS_PX:
        raise NotFound
    version = links.shown_version(link, version_id)
    return files.answer(request, version, width_px, max_age_s=PICTURE_MAX_AGE_S)


@require_safe
@_of_link
@_of_unlocked
def file(
    request: HttpRequest, link: ReviewLink, _entry: GuestEntry, version_id: int, filename: str
) -> HttpResponse:
    """The whole file, where the link lets it be taken away."""
    version = links.card(link, version_id).version
    if not link.may_download or str(version) != filename:
        raise NotFound
    response = files.answer(request, version, None, max_age_s=PICTURE_MAX_AGE_S)
    response["Content-Disposition"] = f'attachment; filename="{version}"'
    return response


@require_GET
@_of_link
@_of_unlocked
def zip_file(_request: HttpRequest, link: ReviewLink, _entry: GuestEntry) -> Any:
    """All that the link shows as one zip, where it lets files be taken away."""
    if not link.may_download:
        raise NotFound
    packed = picture_zips.pack([card.version for card in links.cards(link)])
    return exports.zip_answer(packed, f"{link.episode.code}.zip")
