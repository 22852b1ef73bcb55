"""Many clients that listen to an episode beside its render: what they cost it, what they miss.

They take time and memory. And they are cut off again and again, by a proxy, by a web process that
is killed, by one that stops: what happened they are to hear all the same, and once.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from signal import SIGKILL, SIGTERM

from generation.runtime.processes import ROOT, Started
from lab.benchmarks import batch_client, idle_gaps, process_usage
from lab.benchmarks.listening_client import Heard
from lab.benchmarks.markdown_tables import Table, load, ratio
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Site

SECONDS_PER_PLAN = 0.2
REST_S = 2.0
#: What cuts all listeners off, by turns.
PROXY, KILLED, STOPPED = "proxy", "killed", "stopped"
CUTS = (PROXY, KILLED, STOPPED, PROXY, PROXY)

#: The versions that each numbered change names.
Told = list[tuple[int, list[int]]]


@dataclass
class Windows:
    """What was rendered with and without listeners, in windows of one render by turns."""

    alone: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    seconds_heard: float = 0.0
    web_cpu_s: float = 0.0
    mib: list[float] = field(default_factory=list)


@dataclass
class Audience:
    """Clients that listen, in a process of their own; `heard` is there once they have ended."""

    process: "subprocess.Popen[str]"
    heard: list[Heard] = field(default_factory=list)

    def wait(self) -> None:
        """Wait until all of them listen, or listen again."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def cut(self) -> None:
        """Cut all their connections at once."""
        assert self.process.stdin is not None
        self.process.stdin.write("cut\n")
        self.process.stdin.flush()


def listeners(site: Site, size: Load) -> Iterator[Table]:
    """Measure a render with and without listeners, by turns, and what these take and miss."""
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
        web.process.terminate()
        web.process.wait()
        yield _cut_off(site, size, journal)


def _window(site: Site, web: Started, journal: Path, size: Load, found: Windows) -> None:
    began = time.time()
    time.sleep(size.window_s)
    found.alone.append(idle_gaps.n_finished(journal, began, began + size.window_s))
    before_mib = process_usage.resident_mib(web.process.pid)
    with _listening(site, size.n_listeners) as audience:
        listens_from, before_s = time.time(), process_usage.cpu_s(web.process.pid)
        found.mib.append(process_usage.resident_mib(web.process.pid) - before_mib)
        began = time.time()
        time.sleep(size.window_s)
        found.beside.append(idle_gaps.n_finished(journal, began, began + size.window_s))
        found.web_cpu_s += process_usage.cpu_s(web.process.pid) - before_s
        found.seconds_heard += time.time() - listens_from
    found.heard += audience.heard
    time.sleep(REST_S)


@contextmanager
def _listening(site: Site, n_clients: int) -> Iterator[Audience]:
    """Listen while the block lasts; what was heard is there after it."""
    newest = "SELECT episode_id FROM generation_batch ORDER BY id DESC LIMIT 1"
    ((episode_id,),) = site.rows(newest)
    url = f"{site.base}/api/events?episode_id={episode_id}"
    command = ["-m", "lab.benchmarks.listening_client", url, str(n_clients)]
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=site.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        audience = Audience(client)
        audience.wait()
        yield audience
        said, _ = client.communicate()
        audience.heard += [Heard(**each) for each in json.loads(said)]


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
    n_behind = sum(map(_n_behind, per_window))
    n_events = sum(each.n_events for each in found.heard) / size.n_listeners
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


def _n_behind(heard: Sequence[Heard]) -> int:
    newest = max(each.last for each in heard)
    return sum(each.last < newest for each in heard)


# What they miss -----------------------------------------------------------------------------------


def _cut_off(site: Site, size: Load, journal: Path) -> Table:
    """Cut all listeners off again and again beside a render, and look at what they have heard."""
    with ExitStack() as stack:
        web = stack.enter_context(site.web())
        batch_id = batch_client.post(site, size.n_polled_plans)
        with _listening(site, size.n_listeners) as audience:
            began = time.time()
            for how in islice(cycle(CUTS), size.n_cuts):
                if how == PROXY:
                    audience.cut()
                else:
                    web.process.send_signal(SIGKILL if how == KILLED else SIGTERM)
                    web.process.wait()
                    web = stack.enter_context(site.web())
                audience.wait()
                time.sleep(REST_S)
            seconds = time.time() - began
            batch_client.cancel(site, batch_id)
            batch_client.finish(site, batch_id)
            time.sleep(REST_S)
    n_plans = idle_gaps.n_finished(journal, began, began + seconds)
    return _cuts_table(audience.heard, _told(site), size, n_plans / seconds)


def _told(site: Site) -> Told:
    """Return the versions that each numbered change names."""
    rows = site.rows("SELECT number, touched FROM generation_episodechange WHERE number > 0")
    touched = [(int(n), json.loads(t) if isinstance(t, str) else t) for n, t in rows]
    return [(number, each.get("versions", [])) for number, each in touched]


def _cuts_table(heard: Sequence[Heard], told: Told, size: Load, pace: float) -> Table:
    headers = "listeners", "cuts", "plans/s", "connections", "refused", "versions each"
    table = Table(
        f"{size.n_listeners} clients are cut off {size.n_cuts} times beside a render",
        (*headers, "missed", "doubled", "events told again", "read all anew", "behind", "load"),
    )
    missed, doubled = zip(*(amiss(each, told) for each in heard), strict=True)
    table.rows.append(
        [
            str(size.n_listeners),
            str(size.n_cuts),
            f"{pace:.2f}",
            f"{sum(each.n_connections for each in heard):,}",
            f"{sum(each.n_refused for each in heard):,}",
            f"{sum(len(each.versions) for each in heard) / len(heard):.0f}",
            str(sum(missed)),
            str(sum(doubled)),
            str(sum(each.n_fallen for each in heard)),
            # The first event of each is one.
            str(sum(each.n_resets - 1 for each in heard)),
            str(_n_behind(heard)),
            load(),
        ]
    )
    table.notes.append(
        f"Cut off by turns: {', '.join(CUTS)}; after each they come back when the server has told"
        " them to (1 to 3 s), with the number of the last event. Missed and doubled: versions that"
        " the database says were told between a client's first number and its last."
    )
    return table


def amiss(heard: Heard, told: Told) -> tuple[int, int]:
    """Return how many versions a client has missed, and how many it heard too often."""
    due = Counter(
        version
        for number, versions in told
        if heard.first < number <= heard.last
        for version in versions
    )
    got = Counter(heard.versions)
    return len(due.keys() - got.keys()), (got - due).total()
