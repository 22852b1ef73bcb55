"""The web process: so many requests at once, the others wait their turn."""

import asyncio
import threading
from collections.abc import Iterator
from threading import Lock
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from madsea.web.threaded_asgi_handler import ThreadedHandler

N_THREADS = 3
_lock = Lock()
#: Whoever is busy is so until all threads are.
_crowd = threading.Barrier(N_THREADS, timeout=60)
_now: list[int] = []
_threads: set[str] = set()


def busy(request: HttpRequest) -> HttpResponse:
    with _lock:
        _now.append(_now[-1] + 1)
        _threads.add(threading.current_thread().name)
    _crowd.wait()
    with _lock:
        _now.append(_now[-1] - 1)
    return HttpResponse(request.body)


def parts(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    return StreamingHttpResponse(pieces())


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("This is meant.")


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body)


urlpatterns = [path("busy", busy), path("echo", echo), path("parts", parts), path("broken", broken)]


@pytest.fixture
def handler(settings: Any) -> ThreadedHandler:
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.MIDDLEWARE = []
    _now[:] = [0]
    _threads.clear()
    return ThreadedHandler(N_THREADS)


async def ask(handler: ThreadedHandler, address: str, body: bytes = b"") -> list[dict[str, Any]]:
    """Return the messages of an answer."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await handler(scope, receive, send)
    return sent


def body_of(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def test_no_more_requests_run_at_once_than_there_are_threads(handler: ThreadedHandler) -> None:
    async def crowd() -> list[list[dict[str, Any]]]:
        return await asyncio.gather(*(ask(handler, "/busy", b"%d" % n) for n in range(12)))

    answers = asyncio.run(crowd())

    assert [body_of(answer) for answer in answers] == [b"%d" % n for n in range(12)]
    assert max(_now) == len(_threads) == N_THREADS


def test_a_stream_is_sent_part_by_part(handler: ThreadedHandler) -> None:
    messages = asyncio.run(ask(handler, "/parts"))

    assert [message.get("body") for message in messages[1:]] == [b"one ", b"two", None]


def test_a_view_that_fails_is_a_500_and_costs_no_thread(handler: ThreadedHandler) -> None:
    statuses = [asyncio.run(ask(handler, "/broken"))[0]["status"] for _ in range(N_THREADS + 1)]

    assert statuses == [500] * (N_THREADS + 1)
    assert body_of(asyncio.run(ask(handler, "/echo", b"still here"))) == b"still here"


def test_a_client_that_leaves_before_it_has_said_all_is_not_answered(
    handler: ThreadedHandler,
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    asyncio.run(handler({"type": "http"}, receive, sent.append))

    assert sent == []


def test_only_http_is_answered(handler: ThreadedHandler) -> None:
    with pytest.raises(ValueError, match="Only HTTP"):
        asyncio.run(handler({"type": "websocket"}, None, None))
