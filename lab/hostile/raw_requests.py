"""Requests as bytes: what no client library would send, or would stop sending."""

import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

CHUNK = 2**16


@dataclass(frozen=True)
class Reply:
    """What came back: status 0 where the connection was closed without a word."""

    status: int
    n_bytes: int
    n_sent: int
    took_s: float
    body: bytes = b""

    @property
    def code(self) -> str:
        """Return what the error's document calls it; nothing where it is a page."""
        with suppress(ValueError):
            return str(json.loads(self.body)["code"])
        return ""


def head(method: str, path: str, *lines: str) -> bytes:
    """Return the head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def sized(method: str, path: str, body: bytes, *lines: str) -> Iterable[bytes]:
    """Yield a request that says how long its body is."""
    return [head(method, path, f"Content-Length: {len(body)}", *lines), body]


def chunked(path: str, part: bytes, n_parts: int, *lines: str) -> Iterable[bytes]:
    """Yield a request whose body comes in chunks."""
    yield head("POST", path, "Transfer-Encoding: chunked", *lines)
    framed = b"%x\r\n%b\r\n" % (len(part), part)
    for _ in range(n_parts):
        yield framed
    yield b"0\r\n\r\n"


def send(port: int, parts: Iterable[bytes], timeout_s: float = 60) -> Reply:
    """Send all that the server takes, then read all that it answers."""
    began, n_sent, received = monotonic(), 0, bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as client:
        with suppress(ConnectionError):
            for part in parts:
                client.sendall(part)
                n_sent += len(part)
        with suppress(ConnectionError, TimeoutError):
            while not _is_whole(received) and (part := client.recv(CHUNK)):
                received += part
    first, _, body = bytes(received).partition(b"\r\n\r\n")
    status = int(first[9:12]) if first.startswith(b"HTTP/") else 0
    return Reply(status, len(received), n_sent, monotonic() - began, body)


def _is_whole(received: bytearray) -> bool:
    """Tell whether an answer is there that says how long it is."""
    first, end, body = bytes(received).partition(b"\r\n\r\n")
    for line in first.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return bool(end) and len(body) >= int(line.partition(b":")[2])
    return False
