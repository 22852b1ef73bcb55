"""Many strangers at once, and somebody who only wants to be answered."""

import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import requests

from generation.runtime.processes import ROOT
from lab.benchmarks.markdown_tables import percentile
from lab.hostile import raw_requests, strange_requests
from lab.hostile.raw_requests import Reply

EVERY_S = 0.1
N_THREADS = 40


@dataclass
class StrangerAnswers:
    """What the strangers were answered."""

    replies: list[Reply] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def counted(self) -> str:
        """Return how often each status came."""
        statuses = sorted(reply.status for reply in self.replies)
        found = [f"{len(list(of))} × {status}" for status, of in itertools.groupby(statuses)]
        return ", ".join([*found, *([f"{len(self.failures)} failed"] if self.failures else [])])


def wrong_password(name: str) -> Iterator[bytes]:
    """Yield a try to sign in."""
    body = json.dumps({"username": name, "password": "guess"}).encode()
    yield from raw_requests.sized("POST", strange_requests.TOKEN, body, strange_requests.JSON)


def crowd(port: int, n_strangers: int) -> StrangerAnswers:
    """Send so many wrong passwords at once, each of another name."""
    mob = StrangerAnswers()
    with ThreadPoolExecutor(n_strangers) as threads:
        tries = [wrong_password(f"name-{n}") for n in range(n_strangers)]
        mob.replies += threads.map(lambda parts: raw_requests.send(port, parts), tries)
    return mob


@contextmanager
def flood(port: int, per_s: float, lasts_s: float) -> Iterator[StrangerAnswers]:
    """Keep up so many hostile requests a second, of every kind, from a process of its own.

    It is known at the end what they were answered; the block is to last as long.
    """
    mob = StrangerAnswers()
    command = [sys.executable, "-m", "lab.hostile.crowds", str(port), str(per_s), str(lasts_s)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield mob
            said, _ = process.communicate(timeout=lasts_s + 60)
        finally:
            process.kill()
    told = json.loads(said)
    mob.replies += [Reply(status, 0, 0, took_s) for status, took_s in told["replies"]]
    mob.failures += told["failures"]


def keep_up(port: int, per_s: float, lasts_s: float) -> StrangerAnswers:
    """Send the requests of a flood, each when it is due."""
    mob, began = StrangerAnswers(), time.monotonic()

    def one(number: int) -> None:
        try:
            mob.replies.append(raw_requests.send(port, _drawn(number), timeout_s=30))
        except OSError as error:
            mob.failures.append(str(error))

    with ThreadPoolExecutor(N_THREADS) as threads:
        for number in range(int(per_s * lasts_s)):
            time.sleep(max(0, began + number / per_s - time.monotonic()))
            threads.submit(one, number)
    return mob


def _drawn(number: int) -> Iterator[bytes]:
    """Return a request: a new password by every other turn, else what costs most to read."""
    if number % 2:
        return wrong_password(f"name-{number}")
    kinds: list[Callable[[], Iterator[bytes]]] = [
        lambda: iter(raw_requests.sized("POST", "/api/token", _MANY, strange_requests.JSON)),
        lambda: strange_requests.endless("/api/panels", strange_requests.PARTS, 2**30),
        lambda: iter(raw_requests.chunked("/api/token", b" ", 10**6, strange_requests.JSON)),
        lambda: iter([raw_requests.head("GET", f"/api/batches?{strange_requests.fields(2500)}")]),
        lambda: iter([raw_requests.head("GET", "/admin/login/")]),
    ]
    return kinds[number // 2 % len(kinds)]()


_MANY = strange_requests.members(100_000)


@dataclass(frozen=True)
class Answers:
    """How long an ordinary client waited."""

    seconds: list[float]
    n_failed: int

    def __add__(self, more: "Answers") -> "Answers":
        return Answers([*self.seconds, *more.seconds], self.n_failed + more.n_failed)

    @property
    def median_ms(self) -> float:
        """Return the middle."""
        return 1000 * percentile(self.seconds, 0.5)

    @property
    def p95_ms(self) -> float:
        """Return what one of twenty exceeds."""
        return 1000 * percentile(self.seconds, 0.95)


def read_as_frontend(base: str, token: str, lasts_s: float) -> Answers:
    """Read the list of batches ten times a second, as a frontend does."""
    seconds, n_failed, ends_at = [], 0, time.monotonic() + lasts_s
    with requests.Session() as session:
        session.headers["Authorization"] = f"Token {token}"
        while time.monotonic() < ends_at:
            began = time.monotonic()
            answer = session.get(f"{base}/api/batches", timeout=60)
            seconds.append(time.monotonic() - began)
            n_failed += answer.status_code != 200
            time.sleep(max(0, EVERY_S - seconds[-1]))
    return Answers(seconds, n_failed)


@contextmanager
def silent(port: int, n_connections: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """Hold connections open on which nothing gets on."""
    with ExitStack() as stack:
        held = []
        for _ in range(n_connections):
            held.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), 30)))
            held[-1].sendall(said)
        yield held


def closed_after_s(client: socket.socket, drip: bytes = b"") -> tuple[float, bytes]:
    """Wait until the other side closes, dripping if asked to; return seconds and what it said."""
    began, said = time.monotonic(), b""
    client.settimeout(1)
    while time.monotonic() - began < 60:
        with suppress(TimeoutError):
            try:
                if drip:
                    client.sendall(drip)
                part = client.recv(4096)
            except ConnectionError:
                break
            if not part:
                break
            said += part
    return time.monotonic() - began, said


def main(port: str, per_s: str, lasts_s: str) -> None:
    """Be a flood, and write what it was answered."""
    mob = keep_up(int(port), float(per_s), float(lasts_s))
    replies = [(reply.status, reply.took_s) for reply in mob.replies]
    sys.stdout.write(json.dumps({"replies": replies, "failures": mob.failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
