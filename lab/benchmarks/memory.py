"""The memory of a worker that drives one server through thousands of plans without a pause."""

import time
from collections.abc import Iterator
from statistics import linear_regression

from lab.benchmarks import batch_client, process_usage
from lab.benchmarks.markdown_tables import Table, load
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Site, SiteError

POLL_S = 0.5
MARKS = (0.01, 0.1, 0.5, 1.0)
#: What is read once and kept (modules, connections, definitions) is there by then.
WARM = 0.1

Sample = tuple[int, float]


def memory(site: Site, size: Load) -> Iterator[Table]:
    """Measure a worker's resident memory over its plans, and the slope of it."""
    with site.web(), site.preview(0.0) as (url, _), site.workers(url, MADSEA_DRIVER_LIFE_S="86400"):
        samples = list(_samples(site, batch_client.post(site, size.n_memory_plans)))
    table = Table("Memory of a worker", ("after plans", "MiB", "load"))
    for mark in MARKS:
        n_plans, mib = _at(samples, mark * size.n_memory_plans)
        table.rows.append([f"{n_plans:,}", f"{mib:.1f}", load()])
    table.notes.append(_slope(samples, size.n_memory_plans))
    yield table


def _samples(site: Site, batch_id: str) -> list[Sample]:
    """Return (plans done, MiB of the driving worker) until the batch is finished."""
    session, found, changed_at = site.session(), [], time.monotonic()
    while True:
        answer = session.get(f"{site.base}/api/batches/{batch_id}", timeout=60).json()
        if pid := _driver(site):
            found.append((int(answer["counts"]["done"]), process_usage.resident_mib(pid)))
        if answer["finished_at"]:
            return found
        if len(found) < 2 or found[-1][0] != found[-2][0]:
            changed_at = time.monotonic()
        if time.monotonic() > changed_at + batch_client.PATIENCE_S:
            raise SiteError(f"Nothing has changed for {batch_client.PATIENCE_S} s.")
        time.sleep(POLL_S)


def _driver(site: Site) -> int:
    query = "SELECT lease_owner FROM generation_server WHERE lease_owner <> ''"
    owners = [owner for (owner,) in site.rows(query)]
    return int(owners[0].rpartition(":")[2]) if owners else 0


def _at(samples: list[Sample], n_plans: float) -> Sample:
    return next((sample for sample in samples if sample[0] >= n_plans), samples[-1])


def _slope(samples: list[Sample], n_plans: int) -> str:
    warm = [sample for sample in samples if sample[0] >= WARM * n_plans]
    if len({done for done, _ in warm}) < 2:
        return "Too few plans for a slope."
    slope, _ = linear_regression(*zip(*warm, strict=True))
    return f"Slope after the first {WARM * n_plans:,.0f} plans: {1000 * slope:+.2f} MiB per 1,000."
