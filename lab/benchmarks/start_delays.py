"""How soon a plan starts on an idle server after its POST, on each broker."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from comfyui_preview.journal import entries
from lab.benchmarks import batch_client
from lab.benchmarks.markdown_tables import Table, load, ms
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Site

REST_S = 1.0
STATES = {"no driver": "0", "a driver lingers": "60"}


def starts(site: Site, size: Load) -> Iterator[Table]:
    """Measure from before the POST to the start of the prompt by the server's journal."""
    table = Table(
        "From POST to the first prompt, idle cluster", ("broker", "ms", "worst ms", "load")
    )
    brokers = {"database": ""} | ({"Redis": site.env["REDIS_URL"]} if site.env["REDIS_URL"] else {})
    for broker, url in brokers.items():
        for state, linger_s in STATES.items():
            change = {"REDIS_URL": url, "MADSEA_LINGER_S": linger_s}
            found = _starts(site, size.n_starts, **change)
            figures = ms(median(found), 0), ms(max(found), 0), load()
            table.rows.append([f"{broker}, {state}", *figures])
    table.notes.append(f"Median of {size.n_starts}.")
    yield table


def _starts(site: Site, n_times: int, **change: str) -> list[float]:
    with site.web(**change), site.preview(0.0) as (url, journal), site.workers(url, **change):
        return [_start(site, journal) for _ in range(n_times)]


def _start(site: Site, journal: Path) -> float:
    time.sleep(REST_S)
    began = time.time()
    batch_client.finish(site, batch_client.post(site, 1))
    started = [float(each["at"]) for each in entries(journal, "started")]
    return next(at for at in started if at > began) - began
