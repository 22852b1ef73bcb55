"""Large answers are compressed, unless they hold a secret or are compressed or endless by nature.

BREACH: an attacker who can make a browser send requests, put text into the answer and see its
compressed length can read secrets in it letter by letter. So neither tokens nor pages with a CSRF
token are compressed, and the length of all others is blurred.
"""

import secrets
from collections.abc import Callable, Hashable
from gzip import GzipFile
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from generation.api.response_cache import AnswerCache

#: Below it there is nothing to be won.
SMALL_BYTES = 1400
#: Twice as quick as what is usual, for a tenth more bytes.
LEVEL = 3
BLUR_BYTES = 100
#: By path and not by kind: the one has its own compression, the other is a secret.
AS_THEY_ARE = ("/files/", "/api/token")
_KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")
_OPENAPI = "application/vnd.oai.openapi"
#: Compressed bodies: of status documents that many follow, and of static files.
_KEPT = AnswerCache(max_bytes=16 * 2**20)


class Compress:
    """Middleware: the outermost that sees a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Answer, compressed where the client takes it."""
        is_static = _is_static(request)
        if is_static and "HTTP_IF_NONE_MATCH" in request.META:
            # WhiteNoise compares letter by letter, and compressed answers have weak tags.
            request.META["HTTP_IF_NONE_MATCH"] = request.META["HTTP_IF_NONE_MATCH"].removeprefix(
                "W/"
            )
        response: Any = self._get_response(request)
        if response.status_code == 304 and not _is_as_it_is(request):
            patch_vary_headers(response, ["Accept-Encoding"])
        elif _may_be_compressed(request, response, is_static=is_static):
            patch_vary_headers(response, ["Accept-Encoding"])
            if takes_gzip(request.headers.get("Accept-Encoding", "")):
                return _compressed(request, response)
        return response


def _is_static(request: HttpRequest) -> bool:
    return request.path.startswith(settings.STATIC_URL)


def _is_as_it_is(request: HttpRequest) -> bool:
    return request.path_info.startswith(AS_THEY_ARE)


def _may_be_compressed(request: HttpRequest, response: Any, *, is_static: bool) -> bool:
    kind = response.get("Content-Type", "")
    if not kind.startswith((*_KINDS, _OPENAPI)) or kind.startswith("text/event-stream"):
        return False
    if response.has_header("Content-Encoding") or response.status_code in {204, 206}:
        return False
    # Django notes there that a page was given the token, and keeps the note when it was sent.
    holds_token = "CSRF_COOKIE_NEEDS_UPDATE" in request.META
    if holds_token or _is_as_it_is(request) or (response.streaming and not is_static):
        return False
    return int(response.get("Content-Length") or len(response.content)) >= SMALL_BYTES


def takes_gzip(accepted: str) -> bool:
    """Tell whether a client that accepts these encodings takes gzip, by name or as any other."""
    weights = dict(_weighted(part) for part in accepted.lower().split(","))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    _, is_given, weight = parameter.replace(" ", "").partition("q=")
    try:
        return name.strip(), float(weight) if is_given else 1.0
    except ValueError:
        return name.strip(), 0.0


def _compressed(request: HttpRequest, response: Any) -> HttpResponse:
    key = getattr(response, "kept_as", None) or _key_of_static(request, response)
    packed = (
        _KEPT.body(key, lambda: gzipped(_content(response))) if key else gzipped(response.content)
    )
    answer = _whole(response) if response.streaming else response
    answer.content = packed
    answer["Content-Encoding"] = "gzip"
    answer["Content-Length"] = str(len(packed))
    tag = answer.get("ETag", "")
    if tag.startswith('"'):
        answer["ETag"] = f"W/{tag}"
    return answer


def _key_of_static(request: HttpRequest, response: Any) -> Hashable:
    if not response.streaming:
        return None
    return request.path_info, response.get("ETag"), response.get("Last-Modified")


def _content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def _whole(streamed: Any) -> HttpResponse:
    """Return an answer with the same head whose body is at hand."""
    streamed.close()
    answer = HttpResponse(status=streamed.status_code, headers=dict(streamed.items()))
    answer.cookies = streamed.cookies
    return answer


def gzipped(content: bytes) -> bytes:
    """Return it compressed, of a length that tells less than it would."""
    buffer = BytesIO()
    blur = "-" * secrets.randbelow(BLUR_BYTES)
    with GzipFile(blur, "wb", LEVEL, buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
