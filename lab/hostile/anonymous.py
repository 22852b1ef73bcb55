"""Whoever is not signed in costs nothing, guesses no password, and holds up nobody."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from generation.runtime.processes import Started
from lab.benchmarks import process_usage
from lab.benchmarks.markdown_tables import load
from lab.hostile import crowds, raw_requests, request_cost, strange_requests
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground
from tests.processes import Site

#: Of one request, besides the hash of a password.
CPU_S, MEMORY_MIB = 0.1, 20
ANSWERED_BYTES = 20_000
#: More than the system's buffers hold, and far less than what was to be sent.
TAKEN_BYTES = 32 * 2**20
SLOWER = 3
PER_S, WINDOW_S, N_WINDOWS = 20, 10.0, 3
N_GUESSES = 24
#: Five are free; a slow machine gives the next ones the seconds that they have to wait.
N_IN_TURN = 10


@dataclass(frozen=True)
class Web:
    """A web process of production, alone on its site."""

    site: Site
    base: str
    started: Started
    token: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.base).port or 80

    @property
    def pid(self) -> int:
        """Its process."""
        return self.started.process.pid

    def cost(self, strange: strange_requests.Strange) -> request_cost.Cost:
        """Send one request and see what it costs."""
        return request_cost.of(self.pid, self.port, strange.parts)


def facts(ground: Ground) -> Iterator[Fact]:
    """Yield what must be true of a web process that strangers ask."""
    site = ground.site(DEBUG="0", ALLOWED_HOSTS="")
    web = Web(site, site.web(), site.started[-1], ground.token)
    _warm(web)
    hash_s = _hash_s(web)
    yield from _costs(web, hash_s)
    yield from _guesses(web)
    yield _crowd(web, hash_s)
    yield from _slow(web)
    yield _half_open(web)
    yield from _flood(web)
    yield from _modes(web)
    yield _log(web)
    site.close()


def _warm(web: Web) -> None:
    # What is loaded once is not what one request costs.
    for path in ("/api/batches", "/admin/login/", "/api/nowhere", "/api/docs"):
        for _ in range(8):
            raw_requests.send(web.port, [raw_requests.head("GET", path)])
    raw_requests.send(web.port, crowds.wrong_password("warm"))


def _hash_s(web: Web) -> float:
    guess = strange_requests.Strange("", crowds.wrong_password("first"), (401,))
    return web.cost(guess).cpu_s


def _costs(web: Web, hash_s: float) -> Iterator[Fact]:
    for strange in strange_requests.every():
        found = web.cost(strange)
        holds = (
            found.reply.status in strange.statuses
            and found.cpu_s <= CPU_S + hash_s * strange.hashes
            and found.memory_mib <= MEMORY_MIB
            and found.reply.n_bytes <= ANSWERED_BYTES
            and found.reply.n_sent <= TAKEN_BYTES
        )
        yield Fact(strange.title, found.said(), holds)


def _guesses(web: Web) -> Iterator[Fact]:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        sent = [_guess(web, header, n) for n in range(N_IN_TURN)]
        title = f"{N_IN_TURN} guesses with another {header} each: some have to wait"
        yield Fact(title, str(sent), 429 in sent)
    sent = [_at_the_admin(web) for _ in range(N_IN_TURN)]
    title = f"{N_IN_TURN} guesses at the admin's door: some have to wait"
    yield Fact(title, str(sent), 429 in sent)


def _guess(web: Web, header: str, number: int) -> int:
    body = {"username": f"of-{header}", "password": "guess"}
    headers = {header: f"10.1.1.{number}"}
    answer = requests.post(f"{web.base}/api/token", json=body, headers=headers, timeout=60)
    return answer.status_code


def _at_the_admin(web: Web) -> int:
    with requests.Session() as browser:
        address = f"{web.base}/admin/login/"
        browser.get(address, timeout=60)
        given = {"username": "of-the-admin", "password": "guess"}
        given["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        return browser.post(address, data=given, timeout=60).status_code


def _crowd(web: Web, hash_s: float) -> Fact:
    before = process_usage.cpu_s(web.pid)
    with ThreadPoolExecutor(1) as thread:
        guesses = thread.submit(crowds.crowd, web.port, N_GUESSES)
        beside = crowds.read_as_frontend(web.base, web.token, 3)
        found = guesses.result()
    n_hashes = (process_usage.cpu_s(web.pid) - before) / hash_s
    took_s = max(reply.took_s for reply in found.replies)
    seen = f"{found.counted()}, all after {took_s:.1f} s; beside it {beside.median_ms:.0f} ms"
    is_bounded = all(reply.status in {401, 429} for reply in found.replies)
    holds = is_bounded and not beside.n_failed and n_hashes < N_GUESSES
    return Fact(
        f"{N_GUESSES} passwords at once are checked one by one, or told to wait", seen, holds
    )


def _slow(web: Web) -> Iterator[Fact]:
    begun = b"GET /api/batches HTTP/1.1\r\nHost: localhost\r\n"
    body = raw_requests.head("POST", "/api/token", "Content-Length: 8000", strange_requests.JSON)
    plays: dict[str, Callable[[], tuple[float, bytes]]] = {
        "A connection on which nothing comes": lambda: _closed(web, b"", b""),
        "A head without an end": lambda: _closed(web, begun, b""),
        "A head that drips": lambda: _closed(web, begun, b"a: b\r\n"),
        "A body without an end": lambda: _closed(web, body, b""),
        "A body that drips": lambda: _closed(web, body, b" "),
    }
    with ThreadPoolExecutor(len(plays)) as threads:
        played = {title: threads.submit(play) for title, play in plays.items()}
    for title, each in played.items():
        took_s, said = each.result()
        yield Fact(f"{title} is closed", f"after {took_s:.0f} s, {said[:12]!r}", took_s < 45)


def _closed(web: Web, said: bytes, drip: bytes) -> tuple[float, bytes]:
    with crowds.silent(web.port, 1, said) as (client,):
        return crowds.closed_after_s(client, drip)


def _half_open(web: Web) -> Fact:
    with crowds.silent(web.port, 800, b"GET / HTTP/1.1\r\n"):
        found = crowds.read_as_frontend(web.base, web.token, 1)
    seen = f"{len(found.seconds)} answers, the median {found.median_ms:.0f} ms"
    return Fact("Beside 800 open heads others are answered", seen, not found.n_failed)


def _flood(web: Web) -> Iterator[Fact]:
    """Ask beside a flood and alone, by turns, as others use the machine too."""
    alone, beside, found = crowds.Answers([], 0), crowds.Answers([], 0), crowds.StrangerAnswers()
    for _ in range(N_WINDOWS):
        alone += crowds.read_as_frontend(web.base, web.token, WINDOW_S)
        with crowds.flood(web.port, PER_S, WINDOW_S) as strangers:
            beside += crowds.read_as_frontend(web.base, web.token, WINDOW_S)
        found.replies += strangers.replies
    times = f"{alone.median_ms:.0f} ms alone, {beside.median_ms:.0f} ms beside"
    ratio = beside.median_ms / alone.median_ms
    holds = ratio <= SLOWER and not beside.n_failed
    title = f"Beside {PER_S} hostile requests a second a client waits {ratio:.1f} times as long"
    yield Fact(title, f"{times}, load {load()}; {found.counted()}", holds)
    wrong = [reply.status for reply in found.replies if reply.status >= 500]
    yield Fact("None of them is a failure", str(wrong or "none"), not wrong)


def _modes(web: Web) -> Iterator[Fact]:
    private = ["madsea.sqlite3", "madsea.sqlite3-wal", "madsea.sqlite3-shm", "secret_key"]
    private += ["demo_password", "logs", "cache"]
    there = [web.site.home / name for name in private if (web.site.home / name).exists()]
    modes = {each.name: f"{each.stat().st_mode & 0o777:o}" for each in there}
    yield Fact(
        "Nobody else on the machine reads what is private",
        ", ".join(f"{name} {mode}" for name, mode in modes.items()),
        all(mode in {"600", "700"} for mode in modes.values()),
    )


def _log(web: Web) -> Fact:
    signed = "/files/7.320:1vNk5G:abcdefgh/E202_SQ0010-0010_AI-concept_v0001.png"
    requests.get(f"{web.base}{signed}", timeout=60)
    text = Path(web.started.log).read_text(errors="replace")
    seen = f"{text.count('(signed)')} hidden, {len(text):,} bytes of log"
    return Fact("No signature stands in the log", seen, "abcdefgh" not in text)
