"""Who may send how much: asked before a body of more than a few kilobytes is read.

Who it is comes before what it says: the large body of somebody who is not signed in is not read,
and the request is judged without it. So it gets the answer that it would have got anyway.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import Http404, HttpRequest
from django.urls import resolve
from django.utils.module_loading import import_string
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny

from generation.api import parsers
from generation.api.authentication import QuickTokenAuthentication
from madsea.web import request_bodies


@dataclass(frozen=True)
class Admission:
    """What a request may say: so many bytes; or none, and is answered without, or refused."""

    max_bytes: int
    is_known: bool
    is_open: bool


def admit(scope: dict[str, Any]) -> Admission:
    """Return what a request may say, by its head alone; asks the database who it is."""
    close_old_connections()
    request = ASGIRequest(
        scope | {"headers": request_bodies.without_body(scope["headers"])}, BytesIO()
    )
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    options = _options(request)
    is_open = AllowAny in options.get("permission_classes", ())
    if is_open or not _is_signed_in(request):
        return Admission(request_bodies.SMALL_BYTES, is_known=False, is_open=is_open)
    return Admission(parsers.max_bytes(options), is_known=True, is_open=False)


def _options(request: HttpRequest) -> dict[str, Any]:
    """Return what the view says of itself that an address leads to."""
    try:
        function = resolve(request.path_info).func
    except Http404:
        return {}
    view = getattr(function, "cls", None)
    names = "permission_classes", "parser_classes", "max_body_bytes"
    known = {name: getattr(view, name) for name in names if hasattr(view, name)}
    return known | getattr(function, "initkwargs", {})


def _is_signed_in(request: HttpRequest) -> bool:
    try:
        if QuickTokenAuthentication().authenticate(request):  # type: ignore[arg-type]
            return True
    except AuthenticationFailed:
        return False
    return get_user(request).is_authenticated
