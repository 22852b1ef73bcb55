"""Many clients that poll one batch beside its render: what they cost it, and how long they wait."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from generation.runtime.processes import ROOT
from lab.benchmarks import batch_client, idle_gaps, process_usage
from lab.benchmarks.markdown_tables import Table, load, ms, percentile, ratio
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.polling_client import EVERY_S, Answer
from lab.benchmarks.site import Site

SECONDS_PER_PLAN = 0.2
#: The first answers are whole documents; what is counted begins after them.
WARM_S = 2.0
REST_S = 1.0


@dataclass
class Windows:
    """What was rendered with and without pollers, in windows of one render by turns."""

    alone: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    first: list[Answer] = field(default_factory=list)
    web_cpu_s: float = 0.0


def pollers(site: Site, size: Load) -> Iterator[Table]:
    """Measure a render with and without pollers, by turns, and the pollers' answers."""
    found = Windows()
    server = site.preview(SECONDS_PER_PLAN)
    with site.web() as web, server as (url, journal), site.workers(url):
        batch_id = batch_client.post(site, size.n_polled_plans)
        time.sleep(REST_S)
        cpu_before = process_usage.cpu_s(web.process.pid)
        for _ in range(size.n_windows):
            _window(site, batch_id, journal, size, found)
        found.web_cpu_s = process_usage.cpu_s(web.process.pid) - cpu_before
        batch_client.cancel(site, batch_id)
        batch_client.finish(site, batch_id)
    yield _table(found, size)


def _window(site: Site, batch_id: str, journal: Path, size: Load, found: Windows) -> None:
    began = time.time()
    time.sleep(size.window_s)
    found.alone.append(idle_gaps.n_finished(journal, began, began + size.window_s))
    began = time.time() + WARM_S
    answers = _poll(site, batch_id, size.n_pollers, WARM_S + size.window_s)
    found.beside.append(idle_gaps.n_finished(journal, began, began + size.window_s))
    found.answers += [answer for answer in answers if answer[0] >= began]
    found.first += [answer for answer in answers if answer[0] < began]
    time.sleep(REST_S)


def _poll(site: Site, batch_id: str, n_clients: int, seconds: float) -> list[Answer]:
    url = f"{site.base}{batch_client.URL}/status"
    command = ["-m", "lab.benchmarks.polling_client", url, batch_id, str(n_clients), str(seconds)]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=site.env, stdout=subprocess.PIPE, check=True
    )
    return [(at, took, status) for at, took, status in json.loads(done.stdout)]


def _table(found: Windows, size: Load) -> Table:
    headers = "pollers", "plans/s alone", "with them", "ratio", "answers/s", "of due"
    table = Table(
        f"{size.n_pollers} clients poll a batch of {size.n_polled_plans:,} plans beside its render",
        (*headers, "median ms", "p99 ms", "failed", "CPU ms each", "load"),
    )
    seconds = size.window_s * size.n_windows
    alone, beside = sum(found.alone) / seconds, sum(found.beside) / seconds
    took = [answer[1] for answer in found.answers]
    rate = len(took) / seconds
    statuses = [answer[2] for answer in (*found.first, *found.answers)]
    table.rows.append(
        [
            str(size.n_pollers),
            f"{alone:.2f}",
            f"{beside:.2f}",
            f"{ratio(beside, alone):.3f}",
            f"{rate:.0f}",
            f"{rate * EVERY_S / size.n_pollers:.2f}",
            ms(percentile(took, 0.5), 0),
            ms(percentile(took, 0.99), 0),
            str(len(statuses) - statuses.count(200) - statuses.count(304)),
            ms(found.web_cpu_s / len(statuses)),
            load(),
        ]
    )
    table.notes.append(
        f"{size.n_windows} windows of {size.window_s:.0f} s each way, by turns in one render of"
        f" {1000 * SECONDS_PER_PLAN:.0f} ms a plan. Each client asks once a second, but never"
        " before its last answer has come; the clients run on the same machine. CPU: of the web"
        " process for each answer, without PostgreSQL's."
    )
    return table
