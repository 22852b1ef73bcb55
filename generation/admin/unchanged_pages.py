"""Pages that refresh themselves: one that has not changed is not made again."""

import hashlib
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language

from generation.selectors.page_fingerprint import page_fingerprint

#: What `live.js` sends when it asks for a page that is shown already.
HEADER = "X-Madsea-Live"
#: What no row tells of (how long ago something was) is shown anew so often.
EVERY_S = 10

GetResponse = Callable[[HttpRequest], HttpResponse]


class UnchangedPages:
    """Answers a refresh with 304 while nothing that pages show has changed since the last."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if HEADER not in request.headers or not request.user.is_authenticated:
            return self._get_response(request)
        # Read before the page: a change in between is seen by the next refresh.
        tag = _tag(request)
        if unchanged := get_conditional_response(request, etag=tag):
            return unchanged
        response = self._get_response(request)
        if response.status_code == 200:
            response["ETag"] = tag
        return response


def _tag(request: HttpRequest) -> str:
    moment = int(time.time() // EVERY_S)
    shown = (request.user.pk, get_language(), request.get_full_path(), moment, page_fingerprint())
    return f'"{hashlib.sha256(repr(shown).encode()).hexdigest()[:32]}"'
