"""Simulated drivers: their real database work and files, without a ComfyUI server.

Runs inside Django, and writes what it measured to stdout as JSON: see `simulated_farm.py`. Each
driver is a process; its servers render in no time, so that what is measured is all that Madsea
itself does.
"""

import io
import json
import multiprocessing
import sys
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from statistics import median
from typing import Any

from django.db import connections
from PIL import Image

from generation.driver import heartbeat, loop
from generation.errors import Fenced
from generation.models import Attempt, Batch, Capability, Server
from generation.selectors import claimable
from generation.services import (
    batches,
    claims,
    image_staging,
    publication,
    request_validation,
    server_leases,
    transitions,
)
from generation.states import ServerHealth
from lab.benchmarks.markdown_tables import percentile
from lab.benchmarks.site import WORKFLOW

DEPTH = 2
#: How often the progress of a plan is written: at most twice a second, so of a plan of two seconds.
PROGRESS = (25, 50, 75)

Times = dict[str, list[float]]


def main(n_servers: int, n_plans: int, n_batches: int) -> None:
    """Queue plans, let so many drivers take them all, and write how long each act took."""
    made = [_queue(n_plans // n_batches) for _ in range(n_batches)]
    servers = _servers(n_servers, made)
    # A forked process must not inherit the connection.
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(n_servers) as pool:
        found = pool.map(_drive, servers, chunksize=1)
    Server.objects.filter(pk__in=servers).update(is_enabled=False)
    json.dump(_summary(found, n_plans // n_batches * n_batches), sys.stdout)


def _queue(n_plans: int) -> Batch:
    sequences = [
        {"sequence_id": f"SQ{n // 1000:04d}", "plans": []} for n in range(0, n_plans, 1000)
    ]
    for n in range(n_plans):
        sequences[n // 1000]["plans"].append(f"{n % 1000:04d}")  # type: ignore[attr-defined]
    payload = {
        "project_id": f"farm-{uuid.uuid4().hex[:8]}",
        "season": "S02",
        "episode": "E202",
        "sequences": sequences,
        "style": "ombres_chinoises",
        "workflow_json": WORKFLOW,
    }
    return batches.create(request_validation.read(payload), requester=None)


def _servers(n_servers: int, made: list[Batch]) -> list[int]:
    """Return new servers, made after the batches, so that no driver is asked for."""
    names = [f"farm-{uuid.uuid4().hex[:8]}" for _ in range(n_servers)]
    rows = [Server(name=name, url=f"http://127.0.0.1:1/{name}", health=UP) for name in names]
    servers = Server.objects.bulk_create(rows)
    needs = {batch.needs_id for batch in made if batch.needs_id}
    Capability.objects.bulk_create(
        Capability(server=server, needs_id=each, is_capable=True)
        for server in servers
        for each in needs
    )
    return [server.pk for server in servers]


UP = ServerHealth.UP


def _drive(server_id: int) -> dict[str, Any]:
    began, cpu_began = time.time(), time.process_time()
    lease = server_leases.take(server_id)
    if lease is None:
        raise Fenced(f"Somebody drives server {server_id}.")
    driver = Driver(lease)
    driver.run()
    server_leases.give_back(lease)
    connections.close_all()
    return {
        "began": began,
        "ended": time.time(),
        "cpu_seconds": time.process_time() - cpu_began,
        "took": driver.took,
    }


class Driver:
    """Takes plans until none is left, as `driver.loop` and `driver.flight_control` do it."""

    def __init__(self, lease: server_leases.Lease) -> None:
        self.took: Times = defaultdict(list)
        self._lease = lease
        self._desk = claims.Desk(lease)
        self._beat_at = time.monotonic()
        self._flights: deque[Attempt] = deque()
        self._picture = _picture()

    def run(self) -> None:
        """Claim, render, publish until nothing can be claimed any more."""
        while True:
            self._fill()
            self._beat()
            if self._flights:
                self.render(self._flights.popleft())
            elif claimable.runs().exists():
                # Others were quicker, as in the loop: it looks again a moment later.
                time.sleep(loop.IDLE_WAIT_S)
            else:
                return

    def _fill(self) -> None:
        while len(self._flights) < DEPTH:
            began = time.perf_counter()
            attempt = self._desk.claim(in_flight=len(self._flights))
            name = "claim" if attempt else "claim in vain"
            self.took[name].append(time.perf_counter() - began)
            if attempt is None:
                return
            self._timed("build the graph", self._desk.build, attempt)
            self._flights.append(attempt)
            self._timed("acknowledge", transitions.acknowledge, attempt)

    def render(self, attempt: Attempt) -> None:
        """Bring a claimed plan to its published version."""
        for pct in PROGRESS:
            self._timed("progress", transitions.advance, attempt, pct)
        image = self._timed("stage (file)", image_staging.stage, self._picture)
        reserve, token = publication.reserve_render, self._lease.token
        (reserved,) = self._timed("reserve", reserve, attempt, token, [image])
        self._timed("publish (and file)", publication.finish, reserved)

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at >= heartbeat.BEAT_EVERY_S:
            self._beat_at = time.monotonic()
            self._timed("beat", server_leases.beat, self._lease)

    def _timed(self, name: str, act: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        answer = act(*arguments)
        self.took[name].append(time.perf_counter() - began)
        return answer


def _picture() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (64, 36)).save(held, "PNG")
    return held.getvalue()


def _summary(found: list[dict[str, Any]], n_plans: int) -> dict[str, Any]:
    took: Times = defaultdict(list)
    for each in found:
        for name, times in each["took"].items():
            took[name] += times
    return {
        "n_plans": n_plans,
        "seconds": max(each["ended"] for each in found) - min(each["began"] for each in found),
        "cpu_seconds": sum(each["cpu_seconds"] for each in found),
        "operations": {name: _figures(times) for name, times in took.items()},
    }


def _figures(times: list[float]) -> dict[str, float]:
    return {
        "n": len(times),
        "seconds": sum(times),
        "median": median(times),
        "p99": percentile(times, 0.99),
    }
