"""Whether anything grows with history: the same acts on two databases, one with a long past.

The other has a short past, so that its lists fill their pages too. Of each act the quickest time
counts: other work on the machine can only add to it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from generation.runtime.processes import ROOT
from lab.benchmarks import long_history, simulated_farm
from lab.benchmarks.markdown_tables import Table, load, ms, ratio
from lab.benchmarks.measuring_sizes import Farm, Load
from lab.benchmarks.site import Site, SiteError, site

N_WARM = 3
#: A query is named when it costs so much more with the past than without.
GROWS_S = 0.0005
GROWS = 1.1
SQL_SHOWN = 700
PLAN_LINES = 25


class Probe:
    """A process that does acts on one site's database: see `history_probe.py`."""

    def __init__(self, of: Site, n_done: int) -> None:
        code = f"from lab.benchmarks import history_probe; history_probe.main({n_done})"
        command = ["manage.py", "shell", "--no-imports", "--command", code]
        # The longest lease: what is measured meanwhile may take its time.
        env = {**of.env, "MADSEA_LEASE_S": "300"}
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.acts: list[str] = self._read()

    def ask(self, **asked: str) -> Any:
        """Ask for an act, or for the explanation of a query."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SiteError("The probe has ended; what it said is above.")
        return json.loads(line)


@dataclass
class Measured:
    """One act on one database: seconds of each time, and of each of its queries."""

    seconds: list[float] = field(default_factory=list)
    queries: dict[str, list[float]] = field(default_factory=dict)

    def add(self, answer: dict[str, Any]) -> None:
        """Add one time."""
        self.seconds.append(answer["seconds"])
        for sql, seconds in answer["queries"].items():
            self.queries.setdefault(sql, []).append(seconds)


Pair = tuple[Measured, Measured]


def history(outer: Site, size: Load) -> Iterator[Table]:
    """Measure everything on a database with a short past and one with a long past, by turns."""
    title = f"{size.n_past_runs:,} finished plan runs beside {size.n_young_runs:,}"
    table = Table(title, ("act", "short past, ms", "long past, ms", "ratio"))
    if not outer.env["DATABASE_URL"]:
        table.notes.append("Measured over PostgreSQL only: set DATABASE_URL.")
        yield table
        return
    with site("") as young, site("") as old:
        long_history.fill(young.env["DATABASE_URL"], size.n_young_runs)
        long_history.fill(old.env["DATABASE_URL"], size.n_past_runs)
        probes = Probe(young, size.n_repeats), Probe(old, size.n_repeats)
        found = {act: _measure(act, probes, size.n_repeats) for act in probes[0].acts}
        table.rows += [_row(act, pair) for act, pair in found.items()]
        table.notes.append(_note(old, size))
        yield table
        yield _growing(found, probes[1])
        for probe in probes:
            probe.close()
        yield _plans_a_second(young, old, size)


def _measure(act: str, probes: Sequence[Probe], n_repeats: int) -> Pair:
    found = Measured(), Measured()
    for turn in range(N_WARM + n_repeats):
        for probe, measured in zip(probes, found, strict=True):
            answer = probe.ask(act=act)
            if turn >= N_WARM:
                measured.add(answer)
    return found


def _row(act: str, pair: Pair) -> list[str]:
    young, old = (min(measured.seconds) for measured in pair)
    return [act, ms(young, 2), ms(old, 2), f"{old / young:.2f}"]


def _note(old: Site, size: Load) -> str:
    gib = long_history.size_gib(old.env["DATABASE_URL"])
    return (
        f"The quickest of {size.n_repeats} times each, by turns, every act rolled back; the"
        f" database with the long past has {gib:.1f} GiB. Load {load()}."
    )


def _growing(found: dict[str, Pair], probe: Probe) -> Table:
    """Name each query that costs more with the long past, and explain it."""
    table = Table("Queries that grow", ("query", "act", "short past, ms", "long past, ms"))
    explained: dict[str, list[str]] = {}
    for act, (young, old) in found.items():
        for sql, times in old.queries.items():
            before, now = min(young.queries.get(sql, [0.0])), min(times)
            if now > GROWS * before and now - before > GROWS_S:
                if sql not in explained:
                    explained[sql] = probe.ask(explain=sql)
                name = f"Q{list(explained).index(sql) + 1}"
                table.rows.append([name, act, ms(before, 2), ms(now, 2)])
    for number, (sql, plan) in enumerate(explained.items(), start=1):
        lines = "\n".join(plan[:PLAN_LINES])
        told = f"\n\n```\n{lines}\n```" if plan else ""
        table.notes.append(f"Q{number}: `{_shortened(sql)}`{told}")
    return table


def _shortened(sql: str) -> str:
    """Return a query without the list of its columns."""
    head, is_read, rest = sql.partition(" FROM ")
    shown = f"SELECT … FROM {rest}" if is_read and head.startswith("SELECT") else sql
    return shown if len(shown) < SQL_SHOWN else shown[:SQL_SHOWN] + " …"


def _plans_a_second(young: Site, old: Site, size: Load) -> Table:
    """Measure simulated drivers on both, by turns."""
    few = Farm(2, max(10, size.n_repeats * 10), 2)
    rates: tuple[list[float], list[float]] = [], []
    for _ in range(3):
        for each, rate in zip((young, old), rates, strict=True):
            rate.append(simulated_farm.measure(each, few).rate)
    short, long = (median(rate) for rate in rates)
    headers = "servers", "short past, plans/s", "long past, plans/s", "ratio"
    table = Table("Simulated servers on both", headers)
    share = f"{ratio(long, short):.3f}"
    table.rows.append([str(few.n_servers), f"{short:.1f}", f"{long:.1f}", share])
    return table
