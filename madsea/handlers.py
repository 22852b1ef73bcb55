"""What is answered when nothing else is: HTML to people in the admin, JSON to everybody else."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from generation.api import errors

PAGES = "/admin/"


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith(PAGES)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, such as a wrong Host header."""
    view = defaults.bad_request if _is_page(request) else errors.bad_request
    return view(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not allowed."""
    view = defaults.permission_denied if _is_page(request) else errors.permission_denied
    return view(request, exception)


def unknown_address(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    view = defaults.page_not_found if _is_page(request) else errors.unknown_address
    return view(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when Madsea itself failed."""
    return defaults.server_error(request) if _is_page(request) else errors.server_error(request)
