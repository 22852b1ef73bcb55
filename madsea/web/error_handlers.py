"""What is answered when nothing else is: HTML to people in the admin, JSON to everybody else."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import resolve

from generation.admin import error_pages
from generation.api import errors
from generation.errors import Problem
from madsea.web.refusals import RefusedUnread
from wording import say

PAGES = "/admin/"


def _is_page(request: HttpRequest) -> bool:
    return request.path_info.startswith(PAGES)


class Pages:
    """Middleware: what a view of the admin refuses is a page, with DEBUG too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; a button's address that was opened says so instead of nothing."""
        response = self._get_response(request)
        if response.status_code == 405 and _is_page(request) and not response.content:
            # The same answer, as what it allows and that it was logged belong to it.
            page = error_pages.error_page(request, 405, back=_page_of(request))
            response.content, response["Content-Type"] = page.content, page["Content-Type"]
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a refusal of a view; leave every other error to Django."""
        if not _is_page(request):
            return None
        if isinstance(error, PermissionDenied):
            return error_pages.error_page(request, 403)
        if isinstance(error, Http404):
            return _with_slash(request) or error_pages.error_page(request, 404)
        return None


def _page_of(request: HttpRequest) -> str:
    """Return the address of the page that a button's address belongs to, else nothing."""
    row, _, _ = request.path_info.rstrip("/").rpartition("/")
    name = resolve(f"{row}/change/").url_name or ""
    return f"{request.path.rstrip('/').rpartition('/')[0]}/change/" if name else ""


def _with_slash(request: HttpRequest) -> HttpResponse | None:
    """Lead to the page that was meant where only the slash at the end is lacking."""
    is_meant = request.method in ("GET", "HEAD") and not request.path_info.endswith("/")
    if not is_meant or not resolve(f"{request.path_info}/").url_name:
        return None
    _, mark, query = request.get_full_path().partition("?")
    return HttpResponseRedirect(f"{request.path}/{mark}{query}")


def refuse(request: HttpRequest, refused: RefusedUnread) -> HttpResponse:
    """Answer what is refused before, beside or instead of its view."""
    if _is_page(request):
        response = error_pages.error_page(request, refused.status, _told(refused))
    else:
        response = errors.problems_answer(
            refused.status, [Problem("", refused.code, refused.detail)]
        )
    # Whoever would say so stands further in.
    response["Content-Length"] = str(len(response.content))
    if refused.wait_s is not None:
        response["Retry-After"] = str(refused.wait_s)
    return response


def _told(refused: RefusedUnread) -> error_pages.ErrorPage:
    if refused.wait_s is None:
        advice = say("Go back and try it in another way.")
    else:
        advice = say("Wait {wait_s} s, then go back and try again.", wait_s=refused.wait_s)
    return error_pages.ErrorPage(refused.status.phrase, refused.detail, advice, alone=True)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, such as a wrong Host header."""
    if _is_page(request):
        return error_pages.error_page(request, 400)
    return errors.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not allowed."""
    if _is_page(request):
        return error_pages.error_page(request, 403)
    return errors.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    if _is_page(request):
        return error_pages.error_page(request, 403, error_pages.STALE_FORM)
    return errors.permission_denied(request, PermissionDenied(reason))


def unknown_address(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    if _is_page(request):
        return error_pages.error_page(request, 404)
    return errors.unknown_address(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when Madsea itself failed."""
    return (
        error_pages.error_page(request, 500) if _is_page(request) else errors.server_error(request)
    )
