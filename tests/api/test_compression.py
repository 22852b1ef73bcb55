"""Large answers are compressed, and what holds a secret is not."""

import gzip
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from generation.models import Batch
from madsea.web import compression
from madsea.web.compression import Compress

LARGE = b"plan " * 1000


def answered(response: Any, path: str = "/api/batches", encoding: str = "gzip") -> Any:
    request = RequestFactory().get(path, headers={"Accept-Encoding": encoding})
    return Compress(lambda _: response)(request)


def of_kind(kind: str, content: bytes = LARGE, **headers: str) -> HttpResponse:
    return HttpResponse(content, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/vnd.oai.openapi",
        "text/html; charset=utf-8",
        "text/css",
        "image/svg+xml",
    ],
)
def test_text_is_compressed_and_varies(kind: str) -> None:
    answer = answered(of_kind(kind))

    assert gzip.decompress(answer.content) == LARGE
    assert (answer["Content-Encoding"], answer["Vary"]) == ("gzip", "Accept-Encoding")
    assert answer["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/files/1:a:b/a.svg", of_kind("image/svg+xml")),
        ("/api/token", of_kind("application/json")),
        ("/api/token/", of_kind("application/json")),
        ("/api/batches", of_kind("image/png")),
        ("/api/batches", of_kind("text/event-stream")),
        ("/api/batches", of_kind("application/json", b"{}")),
        ("/api/batches", StreamingHttpResponse([LARGE], content_type="application/json")),
    ],
)
def test_what_is_secret_endless_or_small_is_not(path: str, response: Any) -> None:
    answer = answered(response, path)

    assert "Content-Encoding" not in answer


def test_a_page_with_a_csrf_token_is_not() -> None:
    def page(request: HttpRequest) -> HttpResponse:
        return of_kind("text/html", LARGE + get_token(request).encode())

    request = RequestFactory().get("/admin/", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in Compress(page)(request)


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("gzip;q=much", False),
        ("xgzip", False),
    ],
)
def test_a_client_says_what_it_takes(accepted: str, is_taken: bool) -> None:
    assert compression.takes_gzip(accepted) == is_taken
    assert answered(of_kind("text/css"), encoding=accepted)["Vary"] == "Accept-Encoding"


def test_what_is_compressed_already_stays() -> None:
    answer = answered(of_kind("application/json", **{"Content-Encoding": "br"}))

    assert answer.content == LARGE


def test_a_strong_tag_becomes_a_weak_one() -> None:
    answer = answered(of_kind("application/json", ETag='"abc"'))

    assert answer["ETag"] == 'W/"abc"'


def test_the_length_tells_less_than_the_bytes_do() -> None:
    lengths = {len(compression.gzipped(LARGE)) for _ in range(20)}

    assert len(lengths) > 1


def test_a_status_is_compressed_once_for_all_who_ask(
    api: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "SMALL_BYTES", 10)
    path = f"/api/generate_ai_concept/status?batch_id={batch.public_id}"
    asked = {"headers": {"Accept-Encoding": "gzip"}}

    first, second = api.get(path, **asked), api.get(path, **asked)
    seen = api.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]})

    # Compressed anew, its length would be blurred anew.
    assert first["Content-Encoding"] == "gzip"
    assert first.content == second.content
    assert (seen.status_code, seen["Vary"]) == (304, first["Vary"])


@pytest.mark.django_db
def test_static_files_are_compressed_and_known_again(client: Client) -> None:
    path = "/static/generation/admin.css"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed: Any = client.get(path, headers={"Accept-Encoding": "gzip"})
    known = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]})

    assert gzip.decompress(packed.content) == b"".join(plain.streaming_content)  # type: ignore[attr-defined]
    assert packed["Vary"] == plain["Vary"] == "Accept-Encoding"
    assert known.status_code == 304
