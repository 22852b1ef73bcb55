"""How the web process answers: on a fixed number of threads, each with a database connection.

Django's own ASGI handler gives every request a thread, and with it a connection, and changes the
thread for each middleware. Here a request is read by the event loop, waits there for a thread, and
is answered on it in one go; the loop sends the answer. So a slow client holds no thread, and the
database never sees more connections than there are threads, and one for all who listen to events.

What a stranger may cost is bounded here: a body of more than a few kilobytes is read only for who
is signed in, none longer than it takes to send it, and logins, each of which takes a good part of a
second to check a password, hold one thread together.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.db import DatabaseError, InterfaceError
from django.http import FileResponse
from django.urls import set_script_prefix

from generation.api.streamed_answers import MadeBehind, UntilClientLeaves
from madsea.web import (
    body_allowance,
    client_addresses,
    logins,
    refusals,
    request_bodies,
    transient_errors,
)
from madsea.web.fair_queue import FairQueue
from madsea.web.refusals import RefusedUnread
from madsea.web.request_bodies import RequestBody
from wording import say

T = TypeVar("T")
Scope = dict[str, Any]

#: Requests at hand at once, whether they are read, wait or are answered.
REQUESTS_MAX = 1000
#: A login that would wait longer for its turn is told to come again.
LOGIN_WAIT_S = 2.0
#: Between two logins there is a rest, of no more than this.
LOGIN_REST_S = 0.5

_BUSY = RefusedUnread(
    HTTPStatus.SERVICE_UNAVAILABLE, "busy", say("Madsea has more requests than it can hold."), 1
)
_TOO_SLOW = RefusedUnread(
    HTTPStatus.REQUEST_TIMEOUT, "timeout", say("The body of the request has not come in time.")
)
_TWO_LENGTHS = RefusedUnread(
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    say("The request says twice how long its body is, by a length and by chunks."),
)
_MANY_LOGINS = RefusedUnread(
    HTTPStatus.TOO_MANY_REQUESTS,
    "throttled",
    say("Too many people sign in at this moment: try again in a few seconds."),
    2,
)


def _too_large(max_bytes: int) -> RefusedUnread:
    detail = say("A request to this address may have {max_bytes:,} bytes.", max_bytes=max_bytes)
    return RefusedUnread(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail)


class ThreadedHandler(ASGIHandler):
    """An ASGI application whose middleware and views run on `n_threads` threads that stay."""

    def __init__(self, n_threads: int) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="web")
        self._logins = FairQueue()
        self._n_at_hand = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is answered here, not {scope['type']}.")
        body = RequestBody(scope.get("headers", ()), receive)
        self._n_at_hand += 1
        try:
            await self._handle(scope, body, send)
        except RequestAborted:
            return
        finally:
            self._n_at_hand -= 1
            body.close()

    async def _handle(self, scope: Scope, body: RequestBody, send: Any) -> None:
        admitted = await self._admitted(scope, body)
        response = await self._in_turn(admitted, body)
        if not body.is_whole:
            # Or the rest of it would be read to no purpose.
            response["Connection"] = "close"
        try:
            if isinstance(response, MadeBehind):
                await _while_connected(body, response.prepare())
            if isinstance(response, UntilClientLeaves):
                await _while_connected(body, self.send_response(response, send))
            else:
                await self.send_response(response, send)
        finally:
            if response.streaming:
                await self._on_a_thread(response.close)

    # What may be said ----------------------------------------------------------------------------

    async def _admitted(self, scope: Scope, body: RequestBody) -> Scope:
        """Read the body as far as it may be; return the scope to answer, with it or without."""
        if self._n_at_hand > REQUESTS_MAX:
            return _without_body(scope, _BUSY)
        if request_bodies.has_two_lengths(scope.get("headers", ())):
            return _without_body(scope, _TWO_LENGTHS)
        try:
            return await self._read(scope, body)
        except TimeoutError:
            return _without_body(scope, _TOO_SLOW)
        except (OSError, DatabaseError, InterfaceError) as error:
            trouble = transient_errors.trouble_to_tell(error)
            if trouble is None:
                raise
            return _without_body(scope, trouble)

    async def _read(self, scope: Scope, body: RequestBody) -> Scope:
        if await body.read(request_bodies.SMALL_BYTES):
            return _with_body(scope, body)
        allowed = await self._on_a_thread(body_allowance.admit, scope)
        if allowed.is_known or allowed.is_open:
            if allowed.max_bytes > request_bodies.SMALL_BYTES and await body.read(
                allowed.max_bytes
            ):
                return _with_body(scope, body)
            return _without_body(scope, _too_large(allowed.max_bytes))
        return _without_body(scope)

    async def _in_turn(self, scope: Scope, body: RequestBody) -> Any:
        """Answer on a thread; logins on one, each in the turn of its address."""
        if not logins.is_login(scope):
            return await self._on_a_thread(self._answer, scope, body)
        if not await self._logins.take(client_addresses.network_of(scope), LOGIN_WAIT_S):
            return await self._on_a_thread(self._answer, scope | {refusals.KEY: _MANY_LOGINS}, body)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await self._on_a_thread(self._answer, scope, body)
        finally:
            # A rest as long as the login took: hashing has half of a core, and others the rest.
            loop.call_later(min(LOGIN_REST_S, loop.time() - began), self._logins.give)

    # The answer ----------------------------------------------------------------------------------

    def _answer(self, scope: Scope, body: RequestBody) -> Any:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body.file)
        response: Any = self.get_response(request) if request else refusal
        response._handler_class = type(self)  # noqa: SLF001 - whom `close` names as its sender
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        elif not response.is_async:
            response.streaming_content = self._blocks(response.streaming_content)
        return response

    async def _blocks(self, parts: Iterable[bytes]) -> AsyncIterator[bytes]:
        """Read each part on a thread, and hold none while it is sent."""
        rest = iter(parts)
        while (part := await self._on_a_thread(next, rest, None)) is not None:
            yield part

    async def _on_a_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, call, *arguments)


async def _while_connected(body: RequestBody, sending: Coroutine[Any, Any, None]) -> None:
    """Send an answer that has no end of its own, until its client leaves."""
    leaving = asyncio.create_task(body.client_leaves())
    sent = asyncio.create_task(sending)
    try:
        await asyncio.wait([leaving, sent], return_when=asyncio.FIRST_COMPLETED)
        if sent.done():
            sent.result()
    finally:
        leaving.cancel()
        sent.cancel()
        await asyncio.gather(leaving, sent, return_exceptions=True)


def _with_body(scope: Scope, body: RequestBody) -> Scope:
    return scope | {
        "headers": request_bodies.length_headers(scope.get("headers", ()), body.n_bytes)
    }


def _without_body(scope: Scope, refusal: RefusedUnread | None = None) -> Scope:
    bare = scope | {"headers": request_bodies.without_body(scope.get("headers", ()))}
    return bare | {refusals.KEY: refusal} if refusal else bare
