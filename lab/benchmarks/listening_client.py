"""`python -m lab.benchmarks.listening_client`: clients that listen to an episode until told to end.

Each has a connection of its own and takes what comes, without looking into it but for the number of
the last event. Once all have heard their first event it writes a line; when its input ends, it
writes for each client how many events it has heard and the last number, as JSON.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from typing import cast
from urllib.parse import urlsplit

_EVENT = re.compile(rb"id: (\d+)\nevent: ")

#: How many events were heard, and the number of the last.
Heard = tuple[int, int]


class Listening(asyncio.Protocol):
    """One client."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        token = os.environ["MADSEA_BENCH_TOKEN"]
        self._head = (
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Token {token}\r\nAccept: text/event-stream\r\n\r\n"
        )
        self._rest = b""
        self.heard: Heard = 0, 0
        self.begins: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._head.encode())

    def data_received(self, data: bytes) -> None:
        whole, end, self._rest = (self._rest + data).rpartition(b"\n\n")
        if not end:
            return
        if numbers := _EVENT.findall(whole):
            self.heard = self.heard[0] + len(numbers), int(numbers[-1])
            if not self.begins.done():
                self.begins.set_result(None)


async def listen(url: str, n_clients: int) -> list[Heard]:
    """Listen with so many clients until the input ends."""
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    clients = [Listening(url) for _ in range(n_clients)]
    for client in clients:
        await loop.create_connection(
            lambda client=client: client,  # type: ignore[misc]
            str(parts.hostname),
            parts.port or 80,
        )
    await asyncio.gather(*(client.begins for client in clients))
    sys.stdout.write("all listen\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    return [client.heard for client in clients]


def main() -> None:
    """Listen, and write what was heard."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("n_clients", type=int)
    given = parser.parse_args()
    json.dump(asyncio.run(listen(given.url, given.n_clients)), sys.stdout)


if __name__ == "__main__":
    main()
