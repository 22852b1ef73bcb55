"""Reading bodies: JSON with its mistakes told apart, and uploads, both of a bounded size."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from generation.api.errors import BodyTooLarge
from generation.errors import Refusal
from wording import say

#: What a form has beside its file.
FORM_OVERHEAD_BYTES = 2**20
#: Deeper than anything that is asked for, and far from where recursion ends.
DEPTH_MAX = 32
#: Values in one body: a request for 10,000 plans has far fewer; each takes some 200 bytes.
VALUES_MAX = 500_000
_TOO_DEEP = say(
    "The JSON is nested too deeply: at most {depth_max} levels are read.", depth_max=DEPTH_MAX
)


def max_bytes(options: Mapping[str, Any]) -> int:
    """Return how large a body may be for a view with these options."""
    own = options.get("max_body_bytes")
    if own:
        return int(own)
    if BoundedMultiPartParser in options.get("parser_classes", ()):
        return int(settings.MADSEA_IMAGE_MAX_BYTES) + FORM_OVERHEAD_BYTES
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class StrictJSONParser(BaseParser):
    """Reads UTF-8 JSON, with a byte order mark or without.

    NaN and Infinity pass as numbers, for a later check to name their place.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - as all parsers are called
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the decoded body.

        Raises:
            ParseError: it is no JSON, is nested too deeply, names a key twice, or holds text that
                cannot be stored.
            TooLarge: it is larger than its view takes, or holds too many values.
        """
        view = (parser_context or {}).get("view")
        limit = max_bytes({"max_body_bytes": getattr(view, "max_body_bytes", None)})
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(say("A request may have {limit:,} bytes.", limit=limit))
        if sum(body.count(mark) for mark in (b",", b"[", b"{")) > VALUES_MAX:
            raise BodyTooLarge(
                say("A request may hold {values_max:,} values.", values_max=VALUES_MAX)
            )
        return _decoded(body)


def _decoded(body: bytes) -> Any:
    try:
        payload = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object)
        _refuse_unstorable(payload)
    except RecursionError:
        raise ParseError(_TOO_DEEP) from None
    except ValueError as error:
        raise ParseError(say("The body is not JSON: {error}", error=error)) from None
    return payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError(
            say(
                "the key {first_twice!r:.64} stands twice in an object.",
                first_twice=_first_twice(pairs),
            )
        )
    return document


def _first_twice(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("Every key stands once.")


def _refuse_unstorable(value: Any, depth: int = 0) -> None:
    if isinstance(value, str):
        if "\0" in value or not _is_unicode(value):
            raise ValueError(say("a text holds a NUL or half a surrogate pair."))
    elif isinstance(value, list):
        _refuse_any(value, depth + 1)
    elif isinstance(value, dict):
        _refuse_any(value, depth + 1)
        _refuse_any(value.values(), depth + 1)


def _refuse_any(values: Iterable[Any], depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(_TOO_DEEP)
    for value in values:
        _refuse_unstorable(value, depth)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


class BoundedMultiPartParser(MultiPartParser):
    """Reads forms with a file, and refuses at once what is too large by its own account."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the form.

        Raises:
            TooLarge: the body is larger than the largest file of its view and the form.
        """
        context = parser_context or {}
        request: Request = context["request"]
        own = getattr(context.get("view"), "max_body_bytes", None)
        limit = max_bytes({"parser_classes": [BoundedMultiPartParser], "max_body_bytes": own})
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > limit:
            raise BodyTooLarge(
                say("A file may have {limit:,} bytes.", limit=limit - FORM_OVERHEAD_BYTES)
            )
        return super().parse(stream, media_type, parser_context)


def content_of(file: IO[bytes]) -> bytes:
    """Return an uploaded file's bytes.

    Raises:
        Refusal: it is larger than an image may be.
    """
    limit = settings.MADSEA_IMAGE_MAX_BYTES
    content = file.read(limit + 1)
    if len(content) > limit:
        raise Refusal(
            say("A file may have {limit:,} bytes.", limit=limit), code="too_large", attr="file"
        )
    return content
