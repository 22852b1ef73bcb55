"""`python -m lab.benchmarks`: measure and print; absolute times depend on the machine."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence

from generation.runtime.processes import leave_on_sigterm
from lab.benchmarks import (
    history,
    listening_cost,
    memory,
    model_loads,
    polling_cost,
    scaling,
    simulated_farm,
    start_delays,
    stranger_costs,
    throughput,
)
from lab.benchmarks.markdown_tables import Table, load, ms
from lab.benchmarks.measuring_sizes import SIZES, Load
from lab.benchmarks.site import Site, SiteError, site

Part = Callable[[Site, Load], Iterator[Table]]


def requests(site: Site, size: Load) -> Iterator[Table]:
    """Measure a big request and its batch's status."""
    rows = json.loads(site.inside(f"posting.main({size.n_plans})"))
    table = Table("Requests", ("request", "queries", "ms", "of CPU", "bytes", "load"))
    for row in rows:
        times = ms(row["seconds"]), ms(row["cpu_seconds"])
        figures = str(row["queries"]), *times, f"{row['bytes']:,}", load()
        table.rows.append([row["name"], *figures])
    yield table


SHORT: dict[str, Part] = {
    "requests": requests,
    "throughput": throughput.throughput,
    "start": start_delays.starts,
    "scaling": scaling.scaling,
}
LONG: dict[str, Part] = {
    "models": model_loads.models,
    "pollers": polling_cost.pollers,
    "listeners": listening_cost.listeners,
    "strangers": stranger_costs.strangers,
    "memory": memory.memory,
    "farm": simulated_farm.farm,
    "history": history.history,
}
PARTS = SHORT | LONG


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for; return the exit code."""
    given = _parser().parse_args(argv)
    wanted = list(PARTS) if "all" in given.parts else given.parts
    leave_on_sigterm()
    try:
        with site() as made:
            run(made, SIZES[given.size], wanted)
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.benchmarks", description=__doc__)
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=[*PARTS, "all"],
        default=list(SHORT),
        help=f"default: {', '.join(SHORT)}; the others take long",
    )
    parser.add_argument("--size", choices=SIZES, default="whole", help="quick: a minute a part")
    return parser


def run(made: Site, size: Load, parts: Sequence[str]) -> None:
    """Print the tables of these parts as Markdown, each as soon as it is measured."""
    engine = "PostgreSQL" if made.env["DATABASE_URL"] else "SQLite"
    broker = "Redis" if made.env["REDIS_URL"] else "in the database"
    cores = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    say(f"{engine}, broker {broker}; {cores}; load at the start {load()}.\n")
    for part in parts:
        for table in PARTS[part](made, size):
            say(table.markdown())


def say(text: str) -> None:
    """Write at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
