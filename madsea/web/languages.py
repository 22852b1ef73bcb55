"""In which language a request is answered: pages as the person chose, the API as it was asked."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)

#: Without Accept-Language, programs are told what they were always told.
OF_PROGRAMS = "en"
#: The addresses of programs; all others are pages.
_PROGRAMS = ("/api", "/files")
#: Pictures and files are the same in every language.
_WORDS = ("text/html", "application/json")


class LanguageMiddleware:
    """Answers in French or English.

    Pages: as the person chose (a cookie), else as the browser asks, else `LANGUAGE_CODE`. The API:
    as Accept-Language says, else in English; the cookie of a page that was open once is nothing
    that a program has said.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; every cache on the way is told that another language is another answer."""
        is_program = request.path_info.startswith(_PROGRAMS)
        language = _accepted(request) if is_program else _chosen(request)
        with translation.override(language):
            response = self._get_response(request)
        if response.status_code == 304 or response.get("Content-Type", "").startswith(_WORDS):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(
                response, ["Accept-Language"] if is_program else ["Accept-Language", "Cookie"]
            )
        return response


def _chosen(request: HttpRequest) -> str:
    return translation.get_language_from_request(request)


def _accepted(request: HttpRequest) -> str:
    for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return OF_PROGRAMS
