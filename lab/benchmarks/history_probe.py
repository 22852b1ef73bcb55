"""What history could make slow, each act again and again, on one database.

Runs inside Django: reads `{"act": …, "explain": …}` line by line from stdin, answers in JSON. Every
act is rolled back, so the database stays as it was. See `history.py`.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from generation.api import responses
from generation.models import Plan, PlanRun, Server
from generation.services import (
    batches,
    claims,
    request_validation,
    server_leases,
    tick,
    transitions,
)
from generation.services.server_leases import Lease
from generation.states import RunState
from lab.benchmarks.long_history import PROJECT_ID
from lab.benchmarks.simulated_drivers import Driver
from lab.benchmarks.site import WORKFLOW

SEQUENCES = [f"SQ{10 * (n + 1):04d}" for n in range(20)]
PLANS = [f"{10 * (n + 1):04d}" for n in range(50)]
STATUS = "/api/generate_ai_concept/status"
ADMIN = "/admin/generation"


def request(n_sequences: int, project_id: str, workflow: str = WORKFLOW) -> dict[str, Any]:
    """Return a request for plans that the past has rendered again and again."""
    return {
        "project_id": project_id,
        "season": "S02",
        "episode": "E201",
        "sequences": [{"sequence_id": code, "plans": PLANS} for code in SEQUENCES[:n_sequences]],
        "style": "ombres_chinoises",
        "workflow_json": workflow,
    }


class Present:
    """What goes on now, the same in every database: a batch at work, one that lacks its panels."""

    def __init__(self, n_done: int) -> None:
        self.batch = batches.create(
            request_validation.read(request(20, PROJECT_ID)), requester=None
        )
        lacking = request(1, "panels-missing", "OmbresChinoises.json")
        batches.create(request_validation.read(lacking), requester=None)
        self.leases = [_taken(server) for server in Server.objects.order_by("pk")]
        self.desks = [claims.Desk(lease) for lease in self.leases]
        self.driver = Driver(self.leases[0])
        for _ in range(n_done):
            self.driver.render(self.claimed(self.desks[0]))
        for desk in self.desks:
            self.claimed(desk)
        self.batch.refresh_from_db()
        self.since = self.batch.revision - 4 * min(10, n_done)
        self.user = User.objects.create_superuser("bench", password="bench")
        self.client = Client(SERVER_NAME="localhost")
        self.client.force_login(self.user)
        self.etag = self.get(f"{STATUS}?batch_id={self.batch.public_id}").headers["ETag"]

    def claimed(self, desk: claims.Desk, in_flight: int = 0) -> Any:
        """Claim a plan, which must be there, and acknowledge it."""
        attempt = desk.claim(in_flight=in_flight)
        if attempt is None:
            raise RuntimeError("Nothing can be claimed.")
        transitions.acknowledge(attempt)
        return attempt

    def beat(self) -> None:
        """Keep the leases, so that the tick finds every server driven."""
        for lease in self.leases:
            server_leases.beat(lease)

    def get(self, url: str, expected: int = 200, **headers: str) -> Any:
        """Read an address as the first browser does."""
        responses.DOCUMENTS.clear()
        answer = self.client.get(url, headers=headers)
        if answer.status_code != expected:
            raise RuntimeError(f"{url}: {answer.status_code}")
        return answer

    def post(self) -> None:
        """Ask for 100 plans once more."""
        body = request(2, PROJECT_ID)
        url = "/api/generate_ai_concept"
        answer = self.client.post(url, body, content_type="application/json")
        if answer.status_code != 201:
            raise RuntimeError(f"{url}: {answer.status_code}")


def _taken(server: Server) -> Lease:
    lease = server_leases.take(server.pk)
    if lease is None:
        raise RuntimeError(f"Somebody drives {server.name}.")
    return lease


def acts(now: Present) -> dict[str, Callable[[], object]]:
    """Return everything that is measured, by name."""
    batch, desk = now.batch, now.desks[0]
    run = PlanRun.objects.filter(batch=batch, state=RunState.DONE).order_by("pk")[0]
    of_batch = f"batch_id={batch.public_id}"
    pages = {
        "API: status, full": f"{STATUS}?{of_batch}",
        "API: status, since": f"{STATUS}?{of_batch}&since={now.since}",
        "API: queue": "/api/queue",
        "API: batches": "/api/batches",
        "API: batches, running": "/api/batches?status=running",
        "API: log of a batch": f"/api/batches/{batch.public_id}/logs",
        "API: plans of an episode": f"/api/plans?project_id={PROJECT_ID}&episode=E201",
        "API: servers": "/api/servers",
        "admin: home": "/admin/",
        "admin: batches": f"{ADMIN}/batch/",
        "admin: runs": f"{ADMIN}/planrun/",
        "admin: runs in error": f"{ADMIN}/planrun/?state__exact=error",
        "admin: runs, search": f"{ADMIN}/planrun/?q=E201_SQ0010-0010&project={PROJECT_ID}",
        "admin: versions": f"{ADMIN}/version/",
        "admin: plans": f"{ADMIN}/plan/",
        "admin: plans of a sequence": f"{ADMIN}/plan/?project={PROJECT_ID}&sequence=SQ0010",
        "admin: log": f"{ADMIN}/logentry/",
        "admin: projects": f"{ADMIN}/project/",
        "admin: a batch": f"{ADMIN}/batch/{batch.pk}/change/",
        "admin: a run": f"{ADMIN}/planrun/{run.pk}/change/",
        "admin: a plan": f"{ADMIN}/plan/{Plan.objects.get(pk=run.plan_id).pk}/change/",
    }
    return {
        "claim": lambda: desk.claim(in_flight=0),
        "claim, one in flight": lambda: desk.claim(in_flight=1),
        "a plan, claimed to published": lambda: now.driver.render(now.claimed(desk)),
        "tick": tick.tick,
        "API: POST, 100 plans": now.post,
        "API: status, 304": lambda: now.get(f"{STATUS}?{of_batch}", 304, if_none_match=now.etag),
        **{name: _reader(now, url) for name, url in pages.items()},
    }


def _reader(now: Present, url: str) -> Callable[[], object]:
    return lambda: now.get(url)


class Probe:
    """Does acts, rolls them back, and takes down the seconds of each and of its queries."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}
        self._spent: Counter[str] = Counter()

    def do(self, act: Callable[[], object]) -> dict[str, Any]:
        """Do an act; return its seconds, and those of each query."""
        self._spent.clear()
        with _rolled_back(), connection.execute_wrapper(self._timed):
            began = perf_counter()
            act()
            seconds = perf_counter() - began
        return {"seconds": seconds, "queries": dict(self._spent)}

    def _timed(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if "SAVEPOINT" not in sql:
                self._spent[sql] += perf_counter() - began  # type: ignore[assignment]
                self._last[sql] = params

    def explain(self, sql: str) -> list[str]:
        """Return how PostgreSQL executes a query that was made before; nothing for a COMMIT."""
        if sql.split(" ", 1)[0] not in {"SELECT", "UPDATE", "INSERT", "DELETE"}:
            return []
        with _rolled_back(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", self._last[sql])
            return [line for (line,) in cursor.fetchall()]


@contextmanager
def _rolled_back() -> Any:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def main(n_done: int) -> None:
    """Answer until stdin ends; the first answer is the list of acts."""
    now, probe = Present(n_done), Probe()
    known = acts(now)
    _answer(list(known))
    for line in sys.stdin:
        asked = json.loads(line)
        now.beat()
        explain = asked.get("explain")
        _answer(probe.explain(explain) if explain else probe.do(known[asked["act"]]))


def _answer(found: object) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
