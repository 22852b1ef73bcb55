"""A batch of small plans as a client sees it: asked for, followed, finished."""

import time
from datetime import datetime
from typing import Any

from lab.benchmarks.site import WORKFLOW, Site, SiteError

URL = "/api/generate_ai_concept"
POLL_S = 0.25
#: How long nothing may change before a batch is given up.
PATIENCE_S = 60


def makespan(site: Site, n_plans: int, n_batches: int = 1, **given: Any) -> float:
    """Render so many plans in each batch; return the seconds from before the first POST to the
    last version. `given` is of the request."""
    began = time.time()
    posted = [post(site, n_plans, **given) for _ in range(n_batches)]
    return max(_finished_at(finish(site, batch_id)) for batch_id in posted) - began


def _finished_at(document: dict[str, Any]) -> float:
    if document["status"] != "done":
        raise SiteError(f"The batch ended as {document['status']}.")
    return datetime.fromisoformat(document["finished_at"]).timestamp()


def post(site: Site, n_plans: int, **given: Any) -> str:
    """Ask for so many plans, a thousand to a sequence; return the batch's id."""
    sequences = [
        {"sequence_id": f"SQ{first // 1000:04d}", "plans": _codes(min(1000, n_plans - first))}
        for first in range(0, n_plans, 1000)
    ]
    body = {
        "project_id": "bench",
        "season": "S02",
        "episode": "E202",
        "sequences": sequences,
        "style": "ombres_chinoises",
        "workflow_json": WORKFLOW,
        **given,
    }
    answer = site.session().post(site.base + URL, json=body, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["batch_id"])


def _codes(n_plans: int) -> list[str]:
    return [f"{n:04d}" for n in range(n_plans)]


def finish(site: Site, batch_id: str) -> dict[str, Any]:
    """Follow a batch by its small document until it is finished; return the last one."""
    session, revision, changed_at = site.session(), 0, time.monotonic()
    while time.monotonic() < changed_at + PATIENCE_S:
        answer = session.get(f"{site.base}/api/batches/{batch_id}", timeout=60)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        if document["finished_at"]:
            return document
        if document["revision"] != revision:
            revision, changed_at = document["revision"], time.monotonic()
        time.sleep(POLL_S)
    log = (site.home / "logs" / "work.log").read_text(errors="replace")
    raise SiteError(f"Nothing has changed for {PATIENCE_S} s. The workers' log:\n{log[-3000:]}")


def cancel(site: Site, batch_id: str) -> None:
    """Cancel what is left of a batch."""
    url = f"{site.base}{URL}/cancel"
    site.session().post(url, json={"batch_id": batch_id}, timeout=60).raise_for_status()
