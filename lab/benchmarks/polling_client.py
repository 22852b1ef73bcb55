"""`python -m lab.benchmarks.polling_client`: clients that follow one batch, once a second each.

As the frontend does it: the first answer whole, then `since` the last revision, with its ETag. Each
waits for its answer before it asks again, over a connection of its own that is kept. As the clients
take the cores that they measure, they read of an answer what the next question needs and no more.

Writes (moment, seconds, status) of every answer as JSON; the seconds count from the moment when the
question was due, so that a client that comes late to ask says so.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
from functools import partial
from typing import cast
from urllib.parse import urlsplit

EVERY_S = 1.0
TIMEOUT_S = 60.0
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ETAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
#: Within a string the quotes would be escaped.
_REVISION = re.compile(rb'"revision":(\d+)')

Answer = tuple[float, float, int]


class Polling(asyncio.Protocol):
    """One client, and its answers."""

    def __init__(self, url: str, batch_id: str, first_at: float, ends_at: float) -> None:
        parts = urlsplit(url)
        self._path = f"{parts.path}?batch_id={batch_id}"
        self._headers = (
            f"Host: {parts.netloc}\r\nAuthorization: Token {os.environ['MADSEA_BENCH_TOKEN']}\r\n"
        )
        self._loop = asyncio.get_running_loop()
        self._since = self._etag = ""
        self._due, self._ends_at = first_at, ends_at
        self._received = bytearray()
        self.answers: list[Answer] = []
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._wait()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(f"The connection was closed: {error}"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = bytes(self._received).partition(_END_OF_HEAD)
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return
        self._received.clear()
        now = time.time()
        status = int(head[9:12])
        self.answers.append((self._due, now - self._due, status))
        if etag := _ETAG.search(head):
            self._etag = etag[1].decode()
        if status == 200:
            self._since = _REVISION.findall(body)[-1].decode()
        self._due = max(self._due + EVERY_S, now)
        self._wait()

    def _wait(self) -> None:
        if self._due >= self._ends_at:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._loop.call_later(max(0.0, self._due - time.time()), self._ask)

    def _ask(self) -> None:
        since = f"&since={self._since}" if self._since else ""
        seen = f"If-None-Match: {self._etag}\r\n" if self._etag else ""
        self._transport.write(
            f"GET {self._path}{since} HTTP/1.1\r\n{self._headers}{seen}\r\n".encode()
        )


def _itself(client: "Polling") -> "Polling":
    return client


async def poll(url: str, batch_id: str, n_clients: int, ends_at: float) -> list[Answer]:
    """Follow a batch with so many clients until then (seconds since 1970)."""
    loop, parts, began = asyncio.get_running_loop(), urlsplit(url), time.time()
    clients = [
        Polling(url, batch_id, began + n * EVERY_S / n_clients, ends_at) for n in range(n_clients)
    ]
    for client in clients:
        await loop.create_connection(
            partial(_itself, client), str(parts.hostname), parts.port or 80
        )
    async with asyncio.timeout(ends_at - time.time() + TIMEOUT_S):
        await asyncio.gather(*(client.ended for client in clients))
    return [answer for client in clients for answer in client.answers]


def main() -> None:
    """Poll and write the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("batch_id")
    parser.add_argument("n_clients", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    ends_at = time.time() + given.seconds
    json.dump(asyncio.run(poll(given.url, given.batch_id, given.n_clients, ends_at)), sys.stdout)


if __name__ == "__main__":
    main()
