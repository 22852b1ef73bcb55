"""Answers that are built without a serializer, and where on the web they point."""

import json
from collections.abc import Hashable, Mapping
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from generation import selectors
from generation.api.response_cache import AnswerCache
from generation.models import Batch
from generation.services.idempotency import Created

#: Status documents, for the clients that follow the same batch.
DOCUMENTS = AnswerCache(max_bytes=16 * 2**20)


class KeptAnswer(HttpResponse):
    """JSON that others get too; `kept_as` is the same for the same bytes."""

    def __init__(self, body: bytes, kept_as: Hashable, headers: Mapping[str, str]) -> None:
        super().__init__(body, content_type="application/json", headers=dict(headers))
        self.kept_as = kept_as


def origin(request: Request) -> str:
    """Return scheme and host that the client used."""
    return f"{request.scheme}://{request.get_host()}"


def actor(request: Request) -> User:
    """Return who asks; the permission classes let nobody else in."""
    return cast(User, request.user)


def status_url(request: Request, batch: Batch) -> str:
    """Return where the status of a batch is read."""
    return f"{origin(request)}{reverse('status')}?batch_id={batch.public_id}"


def created(request: Request, made: Created) -> Response:
    """Answer 201 with a batch that was made, or by a request with the same key before."""
    headers = {"Location": status_url(request, made.batch)}
    if made.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(selectors.creation_answer(made.batch), HTTPStatus.CREATED, headers=headers)


def status(request: Request, public_id: str, since: int | None = None) -> HttpResponse:
    """Answer the status document, or 304 after one query when the client has it already.

    Clients that lag behind by the same get the same bytes. They are kept by the tag of the heading
    that was read for this very request, and depend on nothing that is not in their key.
    """
    head = selectors.heading(public_id)
    seen = request.headers.get("If-None-Match", "") if request.method == "GET" else ""
    headers = {"ETag": head.tag, "Cache-Control": "private, no-cache"}
    if seen and head.is_current(seen):
        return not_modified(headers)
    at = origin(request)
    key = (head.tag, since, head.has_moved(seen), at)
    body = DOCUMENTS.body(
        key, lambda: fast_json(selectors.document(head, since=since, seen=seen, origin=at))
    )
    return KeptAnswer(body, key, headers)


def not_modified(headers: Mapping[str, str]) -> HttpResponse:
    """Answer 304, without a content type that a cache would take over for what it holds."""
    answer = HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=dict(headers))
    del answer["Content-Type"]
    return answer


def fast_json(document: Mapping[str, Any]) -> bytes:
    """Return a document made of plain values as JSON: 10,000 plans pass no serializer."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
