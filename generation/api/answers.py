"""Answers that are built without a serializer, and where on the web they point."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from generation import selectors
from generation.models import Batch


def origin(request: Request) -> str:
    """Return scheme and host that the client used."""
    return f"{request.scheme}://{request.get_host()}"


def actor(request: Request) -> User:
    """Return who asks; the permission classes let nobody else in."""
    return cast(User, request.user)


def status_url(request: Request, batch: Batch) -> str:
    """Return where the status of a batch is read."""
    return f"{origin(request)}{reverse('status')}?batch_id={batch.public_id}"


def status(request: Request, public_id: str, since: int | None = None) -> HttpResponse:
    """Answer the status document, or 304 after one query when the client has it already."""
    head = selectors.heading(public_id)
    seen = request.headers.get("If-None-Match", "") if request.method == "GET" else ""
    headers = {"ETag": head.tag, "Cache-Control": "private, no-cache"}
    if seen and head.is_current(seen):
        return not_modified(headers)
    document = selectors.document(head, since=since, seen=seen, origin=origin(request))
    return fast_json(document, headers)


def not_modified(headers: Mapping[str, str]) -> HttpResponse:
    """Answer 304, without a content type that a cache would take over for what it holds."""
    answer = HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=dict(headers))
    del answer["Content-Type"]
    return answer


def fast_json(document: Mapping[str, Any], headers: Mapping[str, str]) -> HttpResponse:
    """Answer a document made of plain values: 10,000 plans pass no serializer."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(body, content_type="application/json", headers=dict(headers))
