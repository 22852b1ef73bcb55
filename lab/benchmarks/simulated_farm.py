"""Many simulated servers over PostgreSQL: what they write a second, and what gives way first."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.benchmarks.database_watch import Watched, watch
from lab.benchmarks.markdown_tables import Table, load, ms, ratio
from lab.benchmarks.measuring_sizes import Farm, Load
from lab.benchmarks.site import Site

HEADERS = (
    "servers",
    "batches",
    "plans",
    "plans/s",
    "writes/s",
    "claim ms",
    "p99",
    "in vain",
    "database",
    "in transactions",
    "CPU ms a plan",
    "of PostgreSQL",
    "WAL KiB a plan",
    "deadlocks",
    "load",
)
NOTE = (
    "Every server is a process that does a driver's database work and files without rendering:"
    " claim, acknowledge, three times progress, stage, reserve, publish, beat; two plans in flight."
    " Writes: transactions that changed something. In vain: claims that found every plan that they"
    " looked at taken meanwhile. Database: the share of the drivers' time in which PostgreSQL"
    " executed or waited inside a statement; in transactions: the share in which a transaction was"
    " open and waited for its driver. Its CPU and WAL include the requests for the plans."
)


@dataclass(frozen=True)
class Result:
    """What the drivers measured (see `driving.py`), and what PostgreSQL did meanwhile."""

    farm: Farm
    measured: dict[str, Any]
    watched: Watched

    @property
    def rate(self) -> float:
        """Plans a second."""
        return float(self.measured["n_plans"] / self.measured["seconds"])

    @property
    def operations(self) -> dict[str, dict[str, float]]:
        """Number, seconds, median and p99 of each kind of act."""
        found: dict[str, dict[str, float]] = self.measured["operations"]
        return found

    def share(self, seconds: float) -> str:
        """Return seconds of all drivers together as a share of their time."""
        return f"{ratio(seconds, self.farm.n_servers * self.measured['seconds']):.0%}"


def farm(site: Site, size: Load) -> Iterator[Table]:
    """Measure rising numbers of servers; tell of the last run with the most plans in detail."""
    table = Table("Simulated servers over PostgreSQL", HEADERS)
    if not site.env["DATABASE_URL"]:
        table.notes.append("Measured over PostgreSQL only: set DATABASE_URL.")
        yield table
        return
    results = [measure(site, each) for each in size.farms]
    table.rows += [_row(result) for result in results]
    table.notes += [NOTE, *(_waits(result) for result in results)]
    yield table
    yield _operations(max(results, key=lambda result: result.farm.n_plans))


def measure(site: Site, size: Farm) -> Result:
    """Let so many simulated servers take so many plans."""
    call = f"driving.main({size.n_servers}, {size.n_plans}, {size.n_batches})"
    with watch(site.env["DATABASE_URL"]) as watched:
        measured = json.loads(site.inside(call))
    return Result(size, {**measured, "load": load()}, watched)


def _row(result: Result) -> list[str]:
    measured, watched, farm = result.measured, result.watched, result.farm
    claim, n_plans = result.operations["claim"], measured["n_plans"]
    kinds = ("claim", "acknowledge", "progress", "reserve", "publish (and file)", "beat")
    writes = sum(result.operations.get(kind, {"n": 0})["n"] for kind in kinds)
    in_vain = result.operations.get("claim in vain", {"n": 0})["n"]
    return [
        str(farm.n_servers),
        str(farm.n_batches),
        f"{n_plans:,}",
        f"{result.rate:.1f}",
        f"{writes / measured['seconds']:.0f}",
        ms(claim["median"]),
        ms(claim["p99"]),
        f"{in_vain:,.0f}",
        result.share(watched.active_s),
        result.share(watched.in_transaction_s),
        ms(measured["cpu_seconds"] / n_plans),
        ms(watched.cpu_s / n_plans),
        f"{watched.wal_bytes / n_plans / 1024:.1f}",
        str(watched.deadlocks),
        measured["load"],
    ]


def _waits(result: Result) -> str:
    farm = result.farm
    return (
        f"{farm.n_servers} servers, {farm.n_batches} batches: {result.watched.n_connections}"
        f" connections at the most; of the statements under way {result.watched.busiest(4)}."
    )


def _operations(result: Result) -> Table:
    farm = result.farm
    title = f"{farm.n_servers} servers, {farm.n_plans:,} plans in {farm.n_batches} batches"
    table = Table(title, ("act", "times", "a second", "median ms", "p99 ms", "of the time"))
    for name, found in sorted(result.operations.items(), key=lambda item: -item[1]["seconds"]):
        rate = f"{found['n'] / result.measured['seconds']:.1f}"
        times = ms(found["median"]), ms(found["p99"])
        share = result.share(found["seconds"])
        table.rows.append([name, f"{found['n']:,.0f}", rate, *times, share])
    return table
