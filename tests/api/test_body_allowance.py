"""Who it is comes before what it says: bodies are read for those who may send them."""

import errno
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from rest_framework.authtoken.models import Token

from generation.models import Batch
from madsea.web import request_bodies
from madsea.web.threaded_asgi_handler import REQUESTS_MAX, ThreadedHandler
from tests import factories
from tests.api.asgi import post
from tests.api.calls import EXAMPLE, URL

pytestmark = pytest.mark.django_db(transaction=True)

KIB, MIB, GIB = 2**10, 2**20, 2**30
FORM = "multipart/form-data; boundary=x"
#: As without a body, or too large for an address that is open to all.
REFUSED = {302, 401, 403, 404, 405, 413}
#: Everything that takes a body, and an address that leads nowhere.
DOORS = [
    "/api/panels",
    f"{URL}/upload",
    URL,
    f"{URL}/retry",
    f"{URL}/cancel",
    "/api/batches/0123456789abcdef",
    "/api/queue",
    "/api/docs",
    "/api/nowhere",
    "/files/1/a.png",
    "/admin/",
    "/admin/generation/server/add/",
    "/nowhere",
]


@pytest.fixture
def handler(settings: Any) -> Iterator[ThreadedHandler]:
    settings.ALLOWED_HOSTS = ["localhost"]
    made = ThreadedHandler(1)
    yield made
    # Or the database of the test could not be emptied.
    made._threads.submit(connections.close_all).result()
    made._threads.shutdown()


@pytest.fixture
def token(artist: User) -> str:
    return f"Token {Token.objects.create(user=artist).key}"


@pytest.mark.parametrize("path", DOORS)
def test_nothing_large_is_read_of_who_is_not_signed_in(handler: ThreadedHandler, path: str) -> None:
    asked = post(handler, path, [b"x" * MIB], length=GIB, content_type=FORM)

    assert asked.n_received == 0
    assert asked.status in REFUSED
    assert asked.headers["Connection"] == "close"


@pytest.mark.parametrize("path", DOORS)
def test_a_body_of_unknown_length_is_read_as_far_as_anybody_may_send(
    handler: ThreadedHandler, path: str
) -> None:
    asked = post(handler, path, [b"x" * KIB] * 1000, content_type=FORM)

    assert asked.n_received <= request_bodies.SMALL_BYTES + KIB
    assert asked.status in REFUSED
    assert asked.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "credentials", ["Token 0123", "Token", "Token a b", "Bearer x", "x" * 9000]
)
def test_a_wrong_token_lets_nothing_large_in(handler: ThreadedHandler, credentials: str) -> None:
    asked = post(handler, "/api/panels", length=GIB, content_type=FORM, authorization=credentials)

    assert (asked.status, asked.n_received) == (401, 0)
    assert asked.headers["WWW-Authenticate"] == "Token"


def test_the_token_of_a_disabled_user_lets_nothing_large_in(
    handler: ThreadedHandler, stranger: User
) -> None:
    key = Token.objects.create(user=stranger).key

    asked = post(handler, "/api/panels", length=GIB, authorization=f"Token {key}")

    assert (asked.status, asked.n_received) == (401, 0)


@pytest.mark.parametrize("length", [MIB, None])
def test_a_login_is_small(handler: ThreadedHandler, length: int | None) -> None:
    asked = post(handler, "/api/token", [b"x" * KIB] * 1024, length=length)

    assert (asked.status, asked.code) == (413, "too_large")
    assert asked.n_received <= request_bodies.SMALL_BYTES + KIB


def test_a_login_in_chunks_is_read(handler: ThreadedHandler, artist: User) -> None:
    whole = json.dumps({"username": "artist", "password": "artist-pw"}).encode()

    asked = post(handler, "/api/token", [whole[:10], whole[10:], b""])

    assert asked.status == 200


def test_a_batch_in_chunks_is_taken(handler: ThreadedHandler, token: str) -> None:
    parts = [json.dumps(EXAMPLE).encode(), b" " * 9 * KIB, b" "]

    asked = post(handler, URL, parts, authorization=token)

    assert asked.status == 201
    assert Batch.objects.count() == 1


def test_who_is_signed_in_may_send_an_image(handler: ThreadedHandler, token: str) -> None:
    batch = factories.batch()
    image = factories.png(600, 400) + os.urandom(20 * KIB)
    fields = {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": "0010"}
    head = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    of_file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = (head + of_file).encode() + image + b"\r\n--x--\r\n"

    asked = post(
        handler, f"{URL}/upload", [body], length=len(body), content_type=FORM, authorization=token
    )

    assert (asked.status, asked.n_received) == (201, len(body))


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/panels", 64 * MIB + MIB),
        (f"{URL}/upload", 64 * MIB + MIB),
        (URL, 16 * MIB),
        (f"{URL}/retry", MIB),
        (f"{URL}/cancel", 8 * KIB),
        ("/api/batches/0123456789abcdef", 8 * KIB),
    ],
)
def test_each_address_has_its_bound(
    handler: ThreadedHandler, token: str, path: str, limit: int
) -> None:
    asked = post(handler, path, length=limit + 1, authorization=token)

    assert (asked.status, asked.code, asked.n_received) == (413, "too_large", 0)
    assert f"{limit:,}" in json.loads(asked.content)["detail"]


def test_a_body_that_lies_about_its_length_is_cut_at_the_bound(
    handler: ThreadedHandler, token: str
) -> None:
    asked = post(handler, f"{URL}/retry", [b" " * 64 * KIB] * 100, authorization=token)

    assert (asked.status, asked.code) == (413, "too_large")
    assert asked.n_received <= MIB + 64 * KIB


def test_a_session_is_known_too(handler: ThreadedHandler, supervisor: User) -> None:
    browser = Client()
    browser.force_login(supervisor)
    cookie = f"sessionid={browser.cookies[django_settings.SESSION_COOKIE_NAME].value}"

    asked = post(handler, "/admin/generation/server/add/", [b"x" * 9 * KIB], cookie=cookie)

    assert asked.n_received == 9 * KIB


def test_a_body_that_drips_is_not_waited_for(
    handler: ThreadedHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "PATIENCE_S", 0.2)

    asked = post(handler, "/api/token", [b" "] * 1000, length=1000, pause_s=0.05)

    assert (asked.status, asked.code) == (408, "timeout")
    assert asked.headers["Connection"] == "close"
    assert asked.n_received < 100


def test_a_body_that_cannot_be_kept_says_so(
    handler: ThreadedHandler, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(request_bodies.RequestBody, "_keep", full)

    asked = post(handler, URL, [b"{}"], authorization=token)

    assert (asked.status, asked.code) == (503, "disk_full")
    assert int(asked.headers["Retry-After"]) > 0


def test_more_requests_than_can_be_held_are_told_to_come_again(handler: ThreadedHandler) -> None:
    handler._n_at_hand = REQUESTS_MAX

    asked = post(handler, "/api/token", [b"{}"], length=2)

    assert (asked.status, asked.code, asked.n_received) == (503, "busy", 0)
    assert int(asked.headers["Retry-After"]) > 0


def test_a_frontend_in_a_browser_can_read_what_was_refused_unread(
    handler: ThreadedHandler, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://frontend.studio"]

    asked = post(handler, "/api/token", length=MIB, origin="https://frontend.studio")

    assert asked.status == 413
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["access-control-allow-origin"] == "https://frontend.studio"


def test_a_page_is_refused_as_a_page(handler: ThreadedHandler) -> None:
    handler._n_at_hand = REQUESTS_MAX

    asked = post(handler, "/admin/login/", [b"{}"], length=2)

    assert asked.status == 503
    assert asked.headers["Content-Type"].startswith("text/html")
    assert b"Wait 1 s" in asked.content


@pytest.mark.parametrize("path", ["/api/token", "/admin/login/", URL])
def test_a_body_of_two_lengths_is_refused_and_the_connection_ends(
    handler: ThreadedHandler, path: str
) -> None:
    answer = post(handler, path, [b"{}"], length=2, **{"transfer-encoding": "chunked"})

    assert (answer.status, answer.headers["Connection"]) == (400, "close")
    assert answer.n_received == 0
