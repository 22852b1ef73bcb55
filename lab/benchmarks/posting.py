"""A request for many plans, and the status of its batch, through the whole of Django.

Runs inside Django, and writes what it measured to stdout as JSON: see `__main__.py`.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Any

from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation.api import responses

URL = "/api/generate_ai_concept"
REPEATS = 5


def request(n_plans: int, project_id: str) -> dict[str, Any]:
    """Return a request for so many plans, a hundred to a sequence."""
    sequences = [
        {
            "sequence_id": f"SQ{first // 100:04d}",
            "plans": [f"{n % 100:04d}" for n in range(first, min(first + 100, n_plans))],
        }
        for first in range(0, n_plans, 100)
    ]
    return {
        "project_id": project_id,
        "season": "S02",
        "episode": "E202",
        "sequences": sequences,
        "style": "ombres_chinoises",
        "workflow_json": "OmbresChinoises.json",
        "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
        "mode": "auto",
    }


def with_own_values(n_plans: int, project_id: str) -> dict[str, Any]:
    """Return the same request, in which each plan has params of its own."""
    asked = request(n_plans, project_id)
    for sequence in asked["sequences"]:
        own = [{"steps": 20 + n % 20, "prompt": f"picture {n}"} for n in range(100)]
        named = zip(sequence["plans"], own, strict=False)
        sequence["plans"] = [{"plan": plan, "params": params} for plan, params in named]
    return asked


class Bench:
    """Calls the API and takes down queries, seconds and bytes."""

    def __init__(self) -> None:
        token = os.environ["MADSEA_BENCH_TOKEN"]
        self._client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Token {token}"})
        self.rows: list[dict[str, Any]] = []

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._client.post(URL + path, body, content_type="application/json")
        return _checked(answer, 200 if path else 201)

    def status(
        self, batch_id: str, *, etag: str = "", since: int | None = None, is_first: bool = True
    ) -> Any:
        if is_first:
            responses.DOCUMENTS.clear()
        given = {"batch_id": batch_id} | ({} if since is None else {"since": since})
        headers = {"If-None-Match": etag} if etag else {}
        answer = self._client.get(f"{URL}/status", given, headers=headers)
        return _checked(answer, 304 if etag else 200)

    def measure(self, name: str, calls: Sequence[Callable[[], Any]], n_bytes: int = 0) -> Any:
        """Make each call, the first for its queries, the others for their median times."""
        with CaptureQueriesContext(connection) as queries:
            answer = calls[0]()
        n_queries = len(queries)
        times, cpu_times = [], []
        for call in calls[1:]:
            began, cpu_began = perf_counter(), process_time()
            answer = call()
            times.append(perf_counter() - began)
            cpu_times.append(process_time() - cpu_began)
        self.rows.append(
            {
                "name": name,
                "queries": n_queries,
                "seconds": median(times),
                "cpu_seconds": median(cpu_times),
                "bytes": n_bytes or len(answer.content),
            }
        )
        return answer


def _checked(answer: HttpResponseBase, expected: int) -> HttpResponseBase:
    if answer.status_code != expected:
        raise RuntimeError(f"{answer.status_code}: {getattr(answer, 'content', b'')[:500]!r}")
    return answer


def main(n_plans: int) -> None:
    """Measure, and write the rows as JSON."""
    bench = Bench()
    bench.post("", request(10, "warm-up"))
    new = [partial(bench.post, "", request(n_plans, f"new-{n}")) for n in range(REPEATS)]
    n_bytes = len(json.dumps(request(n_plans, "new-0")))
    bench.measure(f"POST, {n_plans:,} new plans", new, n_bytes)
    again = [lambda: bench.post("", request(n_plans, "new-0"))] * REPEATS
    posted = bench.measure(f"POST, {n_plans:,} known plans", again, n_bytes).json()
    for n_asked in (max(1, n_plans // 10), n_plans):
        rehearse(bench, n_asked)
    follow(bench, posted["batch_id"])
    sys.stdout.write(json.dumps(bench.rows))


def rehearse(bench: Bench, n_plans: int) -> None:
    """Measure how long a request is read in which each plan has params of its own."""
    asked = with_own_values(n_plans, "new-0")
    calls = [lambda: bench.post("?dry_run=1", asked)] * REPEATS
    bench.measure(f"dry run, {n_plans:,} plans with params each", calls, len(json.dumps(asked)))


def follow(bench: Bench, batch_id: str) -> None:
    """Measure the status of a batch: whole, what has changed, nothing changed."""
    full = bench.measure("status, full", [lambda: bench.status(batch_id)] * REPEATS)
    document = full.json()
    for line in document["plans"][:10]:
        place = {"sequence_id": line["sequence_id"], "plan": line["plan"]}
        bench.post("/cancel", {"batch_id": batch_id} | place)
    since = document["revision"]
    changed = [lambda: bench.status(batch_id, since=since)] * REPEATS
    etag = bench.measure("status, since: 10 plans changed", changed).headers["ETag"]
    shared = [lambda: bench.status(batch_id, since=since, is_first=False)] * (4 * REPEATS)
    bench.measure("the same, asked again", shared)
    unchanged = [lambda: bench.status(batch_id, etag=etag)] * (4 * REPEATS)
    bench.measure("status, 304", unchanged)
