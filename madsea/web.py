"""How the web process answers: on a fixed number of threads, each with a database connection.

Django's own ASGI handler gives every request a thread, and with it a connection, and changes the
thread for each middleware. Here a request is read by the event loop, waits there for a thread, and
is answered on it in one go; the loop sends the answer. So a slow client holds no thread, and the
database never sees more connections than there are threads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import Any, TypeVar

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.http import FileResponse
from django.urls import set_script_prefix

T = TypeVar("T")


class ThreadedHandler(ASGIHandler):
    """An ASGI application whose middleware and views run on `n_threads` threads that stay."""

    def __init__(self, n_threads: int) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="web")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"Only HTTP is answered here, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await self._on_a_thread(self._answer, scope, body)
            try:
                await self.send_response(response, send)
            finally:
                if response.streaming:
                    await self._on_a_thread(response.close)

    def _answer(self, scope: Any, body: SpooledTemporaryFile[bytes]) -> Any:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
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
