"""Many clients that listen to an episode beside its render: what they cost it, and in memory."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generation.runtime.processes import ROOT, Started
from lab.benchmarks import batch_client, journals, process_usage
from lab.benchmarks.listening_client import Heard
from lab.benchmarks.site import Site
from lab.benchmarks.sizes import Load
from lab.benchmarks.tables import Table, load, ratio

SECONDS_PER_PLAN = 0.2
REST_S = 2.0


@dataclass
class Windows:
    """What was rendered with and without listeners, in windows of one render by turns."""

    alone: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    seconds_heard: float = 0.0
    web_cpu_s: float = 0.0
    mib: list[float] = field(default_factory=list)


def listeners(site: Site, size: Load) -> Iterator[Table]:
    """Measure a render with and without listeners, by turns, and what these take."""
    found = Windows()
    server = site.preview(SECONDS_PER_PLAN)
    with site.web() as web, server as (url, journal), site.workers(url):
        batch_id = batch_client.post(site, size.n_polled_plans)
        with _listening(site, 1):
            # What the first listener makes the process load is no other's.
            time.sleep(REST_S)
        for _ in range(size.n_windows):
            _window(site, web, journal, size, found)
        batch_client.cancel(site, batch_id)
        batch_client.finish(site, batch_id)
    yield _table(found, size)


def _window(site: Site, web: Started, journal: Path, size: Load, found: Windows) -> None:
    began = time.time()
    time.sleep(size.window_s)
    found.alone.append(journals.n_finished(journal, began, began + size.window_s))
    before_mib = process_usage.resident_mib(web.process.pid)
    with _listening(site, size.n_listeners) as heard:
        listens_from, before_s = time.time(), process_usage.cpu_s(web.process.pid)
        found.mib.append(process_usage.resident_mib(web.process.pid) - before_mib)
        began = time.time()
        time.sleep(size.window_s)
        found.beside.append(journals.n_finished(journal, began, began + size.window_s))
        found.web_cpu_s += process_usage.cpu_s(web.process.pid) - before_s
        found.seconds_heard += time.time() - listens_from
    found.heard += heard
    time.sleep(REST_S)


@contextmanager
def _listening(site: Site, n_clients: int) -> Iterator[list[Heard]]:
    """Listen while the block lasts; what was heard is there after it."""
    ((episode_id,),) = site.rows("SELECT id FROM generation_episode")
    url = f"{site.base}/api/events?episode_id={episode_id}"
    command = ["-m", "lab.benchmarks.listening_client", url, str(n_clients)]
    heard: list[Heard] = []
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=site.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        client.stdout.readline()
        yield heard
        said, _ = client.communicate()
        heard += [(n_events, number) for n_events, number in json.loads(said)]


def _table(found: Windows, size: Load) -> Table:
    headers = "listeners", "plans/s alone", "with them", "ratio", "events/s each", "behind"
    table = Table(
        f"{size.n_listeners} clients listen to an episode beside its render",
        (*headers, "KiB each", "CPU of the web process", "load"),
    )
    seconds = size.window_s * size.n_windows
    alone, beside = sum(found.alone) / seconds, sum(found.beside) / seconds
    per_window = [
        found.heard[first : first + size.n_listeners]
        for first in range(0, len(found.heard), size.n_listeners)
    ]
    n_behind = sum(
        last < max(number for _, number in window) for window in per_window for _, last in window
    )
    n_events = sum(n for n, _ in found.heard) / size.n_listeners
    table.rows.append(
        [
            str(size.n_listeners),
            f"{alone:.2f}",
            f"{beside:.2f}",
            f"{ratio(beside, alone):.3f}",
            f"{ratio(n_events, found.seconds_heard):.1f}",
            str(n_behind),
            f"{1024 * max(found.mib) / size.n_listeners:.0f}",
            f"{ratio(found.web_cpu_s, found.seconds_heard):.2f}",
            load(),
        ]
    )
    table.notes.append(
        f"{size.n_windows} windows of {size.window_s:.0f} s each way, by turns in one render of"
        f" {1000 * SECONDS_PER_PLAN:.0f} ms a plan; the clients run on the same machine. Behind:"
        " whose last event, when they left, was not the newest that others had heard."
    )
    return table
