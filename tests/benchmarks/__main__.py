"""`python -m tests.benchmarks`: measure and print; absolute times depend on the machine."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from types import FrameType
from typing import NoReturn

from tests.benchmarks import rendering
from tests.benchmarks.site import Site, SiteError, site

PARTS = ("requests", "throughput", "latency")


@dataclass(frozen=True)
class Load:
    """How much is measured: plans of the request, (plans, seconds a plan), times of latency."""

    n_plans: int
    renders: tuple[tuple[int, float], ...]
    n_latencies: int


WHOLE = Load(10_000, ((200, 0.2), (400, 0.05), (30, 1.0)), 10)
QUICK = Load(1_000, ((50, 0.2),), 3)


def requests_table(site: Site, load: Load) -> Iterator[str]:
    """Measure a big request and its batch's status."""
    call = f"from tests.benchmarks.posting import main; main({load.n_plans})"
    rows = json.loads(site.manage("shell", "--no-imports", "--command", call))
    yield f"{'request':<34}{'queries':>8}{'ms':>10}{'of CPU':>8}{'bytes':>12}"
    for row in rows:
        whole, cpu = 1000 * row["seconds"], 1000 * row["cpu_seconds"]
        figures = f"{row['queries']:>8}{whole:>10.1f}{cpu:>8.1f}{row['bytes']:>12,}"
        yield f"{row['name']:<34}{figures}"


def throughput_table(site: Site, load: Load) -> Iterator[str]:
    """Measure how long many plans take, side by side with the bare client."""
    yield f"{'makespan':<34}{'bare s':>8}{'Madsea s':>10}{'throughput':>12}"
    for n_plans, seconds in load.renders:
        found = rendering.throughput(site, n_plans, seconds)
        name = f"{n_plans} plans, {1000 * seconds:.0f} ms each"
        ratio = found["bare"] / found["madsea"]
        yield f"{name:<34}{found['bare']:>8.2f}{found['madsea']:>10.2f}{ratio:>12.3f}"


def latency_table(site: Site, load: Load) -> Iterator[str]:
    """Measure how soon a plan starts after its POST, for each broker."""
    yield f"{'POST to start, idle':<34}{'ms':>8}{'worst ms':>10}"
    brokers = {"ORM": ""} | ({"Redis": site.env["REDIS_URL"]} if site.env["REDIS_URL"] else {})
    for broker, url in brokers.items():
        yield from _latencies(site, load, broker, url)


def _latencies(site: Site, load: Load, broker: str, url: str) -> Iterator[str]:
    for state, linger_s in (("no driver", "0"), ("driver lingers", "60")):
        change = {"REDIS_URL": url, "MADSEA_LINGER_S": linger_s}
        found = rendering.latencies(site, load.n_latencies, **change)
        name = f"broker {broker}, {state}"
        yield f"{name:<34}{1000 * median(found):>8.0f}{1000 * found[-1]:>10.0f}"


TABLES = dict(zip(PARTS, (requests_table, throughput_table, latency_table), strict=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--render", nargs=2, metavar=("PLANS", "SECONDS"), help="one throughput: of plans, each so"
    )
    given = parser.parse_args(argv)
    load = QUICK if given.quick else WHOLE
    if given.render:
        renders = ((int(given.render[0]), float(given.render[1])),)
        load = Load(load.n_plans, renders, load.n_latencies)
    signal.signal(signal.SIGTERM, leave)
    try:
        with site() as made:
            run(made, load, given.parts)
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def run(made: Site, load: Load, parts: Sequence[str]) -> None:
    """Print the tables of these parts."""
    engine = "PostgreSQL" if made.env["DATABASE_URL"] else "SQLite"
    say(f"{engine}, broker {'Redis' if made.env['REDIS_URL'] else 'in the database'}", "")
    for part in parts:
        for line in TABLES[part](made, load):
            say(line)
        say("")


def leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does, so that everything is stopped and removed on the way out."""
    raise KeyboardInterrupt


def say(*lines: str) -> None:
    """Write lines at once."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
