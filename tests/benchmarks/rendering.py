"""Madsea at work on a preview server: how long many plans take, how soon the first one starts."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from generation.preview.journal import entries
from tests.benchmarks import bare
from tests.benchmarks.site import WORKFLOW, Site, SiteError

URL = "/api/generate_ai_concept"
POLL_S = 0.5
REST_S = 1.0
#: How long nothing may change before a batch is given up.
PATIENCE_S = 60


def throughput(site: Site, n_plans: int, seconds_per_plan: float) -> dict[str, float]:
    """Return the seconds that so many plans take: of the bare client, and of Madsea."""
    with site.preview(seconds_per_plan) as (url, _):
        of_bare = bare.render(url, n_plans)
    with site.web(), site.preview(seconds_per_plan) as (url, _), site.workers(url):
        of_madsea = _makespan(site, n_plans)
    return {"bare": of_bare, "madsea": of_madsea}


def latencies(site: Site, n_times: int, **change: str) -> list[float]:
    """Return the seconds from each POST to the start of its plan on an idle server, sorted."""
    with site.web(**change), site.preview(0.0) as (url, journal), site.workers(url, **change):
        return sorted(_first_start(site, journal) for _ in range(n_times))


def _first_start(site: Site, journal: Path) -> float:
    time.sleep(REST_S)
    began = time.time()
    _finish(site, _post(site, 1))
    started = [float(each["at"]) for each in entries(journal, "started")]
    return next(at for at in started if at > began) - began


def _makespan(site: Site, n_plans: int) -> float:
    began = time.time()
    document = _finish(site, _post(site, n_plans))
    if document["status"] != "done":
        raise SiteError(f"The batch ended as {document['status']}.")
    published = [line["time"] for line in document["logs"] if line["event"] == "published"]
    return datetime.fromisoformat(max(published)).timestamp() - began


def _post(site: Site, n_plans: int) -> str:
    body = {
        "project_id": "bench",
        "season": "S02",
        "episode": "E202",
        "sequences": [{"sequence_id": "SQ0010", "plans": [f"{n:04d}" for n in range(n_plans)]}],
        "style": "ombres_chinoises",
        "workflow_json": WORKFLOW,
    }
    answer = site.session().post(site.base + URL, json=body, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["batch_id"])


def _finish(site: Site, batch_id: str) -> Any:
    """Poll the status of a batch, as a frontend does, until it is finished; return the last."""
    session, etag, changed_at = site.session(), "", time.monotonic()
    while time.monotonic() < changed_at + PATIENCE_S:
        headers = {"If-None-Match": etag}
        given = {"batch_id": batch_id}
        answer = session.get(f"{site.base}{URL}/status", params=given, headers=headers, timeout=60)
        if answer.status_code == requests.codes.ok:
            changed_at = time.monotonic()
            if answer.json()["progress"] == 100:
                return answer.json()
        etag = answer.headers["ETag"]
        time.sleep(POLL_S)
    log = (site.home / "logs" / "work.log").read_text(errors="replace")
    raise SiteError(f"Nothing has changed for {PATIENCE_S} s. The workers' log:\n{log[-3000:]}")
