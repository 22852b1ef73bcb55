"""`python -m lab.benchmarks.listening_client`: clients that listen to an episode until told to end.

Each has a connection of its own and takes what comes, without looking into it but for the number of
each event and the versions that it names. One that is cut off comes back as a browser does: after
the time that the server told, with the number of the last event. Each line of its input (`cut`)
cuts all connections at once, in the middle of whatever comes. Whenever all listen, it writes a
line; when its input ends, it writes what each client has heard, as JSON.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from dataclasses import asdict, dataclass, field
from typing import cast
from urllib.parse import urlsplit

_NUMBER = re.compile(rb"id: (\d+)\n(event: (\w+))?")
_VERSIONS = re.compile(rb'"versions":\[([\d,]+)\]')
_RETRY = re.compile(rb"retry: (\d+)\n")
#: Until the server has told another: after how long one comes back that was cut off.
_RETRY_MS = 1000


@dataclass
class Heard:
    """What one client has heard; `n_fallen`: events whose number did not rise."""

    n_events: int = 0
    n_resets: int = 0
    n_fallen: int = 0
    n_connections: int = 0
    n_refused: int = 0
    first: int = 0
    last: int = 0
    versions: list[int] = field(default_factory=list)


class Audience:
    """All clients of this process, and how many of them listen just now."""

    def __init__(self, url: str, n_clients: int) -> None:
        self.parts = urlsplit(url)
        self.is_over = False
        self.clients = [Client(self) for _ in range(n_clients)]
        self._n_listening = 0

    def count(self, change: int) -> None:
        """Count one who has come or gone; say so when it is all of them."""
        self._n_listening += change
        if self._n_listening == len(self.clients):
            sys.stdout.write("all listen\n")
            sys.stdout.flush()

    def cut(self) -> None:
        """Cut all connections."""
        for client in self.clients:
            client.cut()

    def end(self) -> None:
        """Cut all connections for good."""
        self.is_over = True
        self.cut()


class Client(asyncio.Protocol):
    """One client, over as many connections as it takes."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._rest = b""
        self._retry_ms = _RETRY_MS
        self._is_listening = False
        self._transport: asyncio.Transport | None = None
        self.heard = Heard()

    async def connect(self) -> None:
        """Connect; while nobody is there, try again."""
        parts, loop = self._audience.parts, asyncio.get_running_loop()
        while not self._audience.is_over:
            try:
                await loop.create_connection(lambda: self, str(parts.hostname), parts.port or 80)
            except OSError:
                await asyncio.sleep(self._retry_ms / 1000)
            else:
                return

    def cut(self) -> None:
        """Drop the connection, as a proxy does that has had enough of it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._rest = cast(asyncio.Transport, transport), b""
        parts, token = self._audience.parts, os.environ["MADSEA_BENCH_TOKEN"]
        known = f"Last-Event-ID: {self.heard.last}\r\n" if self.heard.last else ""
        head = (
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{known}"
            f"Authorization: Token {token}\r\nAccept: text/event-stream\r\n\r\n"
        )
        self._transport.write(head.encode())

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._is_listening:
            self._is_listening = False
            self._audience.count(-1)
        if not self._audience.is_over:
            loop = asyncio.get_running_loop()
            loop.call_later(self._retry_ms / 1000, lambda: loop.create_task(self.connect()))

    def data_received(self, data: bytes) -> None:
        whole, end, self._rest = (self._rest + data).rpartition(b"\n\n")
        if not end:
            return
        if not self._is_listening:
            self._begin(whole)
        for number, event, name in _NUMBER.findall(whole):
            self._note(int(number), is_event=bool(event), is_reset=name == b"reset")
        for versions in _VERSIONS.findall(whole):
            self.heard.versions += map(int, versions.split(b","))

    def _begin(self, answer: bytes) -> None:
        if not answer.startswith(b"HTTP/1.1 200"):
            self.heard.n_refused += 1
            self.cut()
            return
        if told := _RETRY.search(answer):
            self._retry_ms = int(told[1])
        self._is_listening = True
        self.heard.n_connections += 1
        self._audience.count(1)

    def _note(self, number: int, *, is_event: bool, is_reset: bool) -> None:
        heard = self.heard
        heard.n_events += is_event
        heard.n_resets += is_reset
        heard.n_fallen += is_event and number <= heard.last
        heard.first = heard.first or number
        heard.last = number


async def listen(url: str, n_clients: int) -> list[Heard]:
    """Listen with so many clients until the input ends."""
    loop, audience = asyncio.get_running_loop(), Audience(url, n_clients)
    await asyncio.gather(*(client.connect() for client in audience.clients))
    while await loop.run_in_executor(None, sys.stdin.readline):
        audience.cut()
    audience.end()
    return [client.heard for client in audience.clients]


def main() -> None:
    """Listen, and write what was heard."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("n_clients", type=int)
    given = parser.parse_args()
    json.dump(
        [asdict(each) for each in asyncio.run(listen(given.url, given.n_clients))], sys.stdout
    )


if __name__ == "__main__":
    main()
