"""Answers what no view has answered: what was refused unread, and trouble that passes.

It stands inside CORS, so that a frontend in a browser can read these answers too, and outside of
everything that asks the database.
"""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse

from madsea.web import error_handlers, refusals, transient_errors
from madsea.web.refusals import RefusedUnread
from wording import say

logger = logging.getLogger(__name__)

#: Of an address, as of a form: Django would say so too, but each time that somebody looks.
FIELDS_MAX = 1000
_MANY_FIELDS = RefusedUnread(
    HTTPStatus.BAD_REQUEST,
    "too_many_fields",
    say("The address has more than {fields_max:,} parameters.", fields_max=FIELDS_MAX),
)

#: Where what stopped a request outside of its view is left for the middleware.
_TROUBLE = "_madsea_trouble"


class AnswerTrouble:
    """Turns trouble into an answer that says what it is and when to try again, DEBUG or not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        unread: RefusedUnread | None = getattr(request, "scope", {}).get(refusals.KEY)
        if unread is not None:
            return error_handlers.refuse(request, unread)
        if request.META.get("QUERY_STRING", "").count("&") >= FIELDS_MAX:
            return error_handlers.refuse(request, _MANY_FIELDS)
        response = self._get_response(request)
        trouble: RefusedUnread | None = getattr(request, _TROUBLE, None)
        return error_handlers.refuse(request, trouble) if trouble else response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer trouble that a view has met, and what Django's bounds refused there."""
        if isinstance(error, SuspiciousOperation):
            return error_handlers.bad_request(request, error)
        trouble = transient_errors.trouble_to_tell(error)
        if trouble is None:
            return None
        logger.warning("%s %s: %s", request.method, request.path, error)
        return error_handlers.refuse(request, trouble)


def note_trouble(request: HttpRequest | None = None, **_: Any) -> None:
    """Keep trouble that another middleware has met: Django has made a 500 of it."""
    trouble = transient_errors.trouble_to_tell(sys.exc_info()[1])
    if request is not None and trouble is not None:
        setattr(request, _TROUBLE, trouble)


got_request_exception.connect(note_trouble, dispatch_uid="madsea.trouble")
