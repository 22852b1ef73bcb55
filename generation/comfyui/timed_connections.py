"""Connections on which an exchange ends in time: one that drips holds us no longer.

The HTTP library bounds the wait for each byte; here, the whole of it is bounded, head and all.
"""

import io
import socket
import time
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

from generation.comfyui import tls
from generation.comfyui.address import Endpoint
from wording import say


class Exchange:
    """One request and its answer: when it must have ended, and whether anything was sent."""

    def __init__(self, whole_s: float) -> None:
        self._ends_at = time.monotonic() + whole_s
        self.was_sent = False

    def left_s(self) -> float:
        """Return how many seconds are left. Raises TimeoutError when none are."""
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError(say("The exchange takes too long."))
        return left_s


_exchange: ContextVar[Exchange] = ContextVar("exchange")


def begin_exchange(whole_s: float) -> Exchange:
    """Begin the one exchange of this thread."""
    made = Exchange(whole_s)
    _exchange.set(made)
    return made


class _TimedReader(io.RawIOBase):
    """Reads a connection; no wait goes on beyond the end of the exchange."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._read_s = connection.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = _exchange.get().left_s()
        self._connection.settimeout(min(left_s, self._read_s or left_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timed: Any = io.BufferedReader(_TimedReader(sock))
        self.fp.close()
        self.fp = timed


class _Sending:
    """What both kinds of connection do with what they send."""

    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        _exchange.get().was_sent = True
        self.sock.settimeout(_exchange.get().left_s())
        super().send(data)  # type: ignore[misc]


class _Plain(_Sending, HTTPConnection):
    response_class = _Response


class _Encrypted(_Sending, HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Encrypted


def pools(where: Endpoint) -> urllib3.PoolManager:
    """Return pools of connections to a server, which trust whom it is to be trusted by.

    Raises OSError or ssl.SSLError when what is to be trusted cannot be read.
    """
    made = urllib3.PoolManager(num_pools=2, maxsize=8, **_trust(where))
    made.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}
    return made


def open_connection(where: Endpoint, timeout_s: float) -> socket.socket:
    """Return a new connection to a server by the same rules, encrypted if it is to be.

    Raises what urllib3 raises, OSError, ssl.SSLError.
    """
    begin_exchange(timeout_s)
    url = parse_url(where.url)
    connection = _connection(url, where, timeout_s)
    connection.connect()
    return connection.sock


def _connection(url: Url, where: Endpoint, timeout_s: float) -> HTTPConnection:
    # An address of IPv6 stands in brackets, which no connection takes.
    host = (url.host or "").strip("[]")
    if url.scheme == "https":
        return _Encrypted(host, url.port, timeout=timeout_s, **_trust(where))
    return _Plain(host, url.port, timeout=timeout_s)


def _trust(where: Endpoint) -> dict[str, Any]:
    if not where.url.startswith("https:"):
        return {}
    pinned = tls.fingerprint(where.certificate)
    return {"ssl_context": tls.context(where), "assert_fingerprint": pinned or None}
