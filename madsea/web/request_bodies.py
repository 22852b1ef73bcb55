"""The body of a request, read no further and no longer than it may be."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestAborted

#: What anybody may say, whoever it is: a login has a few hundred bytes.
SMALL_BYTES = 8 * 2**10
#: How long a body may take; the more of it has come, the longer. A dripping client is cut off.
PATIENCE_S = 20.0
SLOWEST_BYTES_PER_S = 4 * 2**10

Receive = Callable[[], Awaitable[dict[str, Any]]]
Headers = Iterable[tuple[bytes, bytes]]


class RequestBody:
    """What has come of a body: in memory, and on disk once it is large."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        self._receive = receive
        self._began = monotonic()
        self.declared_bytes = _declared(headers)
        self.n_bytes = 0
        self.is_whole = False
        self.file = SpooledTemporaryFile(settings.FILE_UPLOAD_MAX_MEMORY_SIZE, "w+b")  # noqa: SIM115 - closed by `close`

    async def read(self, max_bytes: int) -> bool:
        """Read on; tell whether the body is whole and no larger than that.

        Raises:
            RequestAborted: the client has left.
            TimeoutError: the client is too slow.
            OSError: it cannot be kept.
        """
        if (self.declared_bytes or 0) > max_bytes:
            return False
        while not self.is_whole and self.n_bytes <= max_bytes:
            async with asyncio.timeout(self._left_s()):
                message = await self._receive()
            if message["type"] == "http.disconnect":
                raise RequestAborted
            self._keep(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
        self.file.seek(0)
        return self.n_bytes <= max_bytes

    def _left_s(self) -> float:
        return self._began + PATIENCE_S + self.n_bytes / SLOWEST_BYTES_PER_S - monotonic()

    def _keep(self, part: bytes) -> None:
        self.file.seek(self.n_bytes)
        self.file.write(part)
        self.n_bytes += len(part)

    async def client_leaves(self) -> None:
        """Wait until the client has left; what it sends until then is not looked at."""
        while (await self._receive())["type"] != "http.disconnect":
            continue

    def close(self) -> None:
        """Forget it."""
        self.file.close()


def _declared(headers: Headers) -> int | None:
    """Return the length that a client has announced; None where it has not."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and len(value) <= 18:
            return int(value)
    return None


def has_two_lengths(headers: Headers) -> bool:
    """Tell whether two readers could see the end of a body in two places.

    What follows such a request on its connection may be a part of it to a proxy.
    """
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in headers}


def length_headers(headers: Headers, n_bytes: int) -> list[tuple[bytes, bytes]]:
    """Return headers that tell the length of a body as it was read, in chunks or not."""
    others = without_body(headers, b"content-type")
    return [*others, (b"content-length", str(n_bytes).encode())] if n_bytes else others


def without_body(headers: Headers, *but: bytes) -> list[tuple[bytes, bytes]]:
    """Return headers that announce no body."""
    of_body = {b"content-length", b"transfer-encoding", b"content-type", b"expect"} - set(but)
    return [(name, value) for name, value in headers if name not in of_body]
