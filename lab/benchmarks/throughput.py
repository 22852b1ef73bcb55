"""Throughput and idle gaps of one server: Madsea beside the bare client, round by round."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from statistics import median

from lab.benchmarks import bare_client, batch_client, idle_gaps
from lab.benchmarks.markdown_tables import Table, load, ms
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import GRAPH, Site

NOTE = (
    "Throughput: the bare client's time divided by Madsea's, the median of {n} round(s) of one"
    " after the other. Gap: from the end of a plan to the start of the next one by the server's"
    " own journal, median of all."
)


@dataclass
class Side:
    """What one client took: seconds of each round, every gap of the server."""

    seconds: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)

    def add(self, seconds: float, journal: Path) -> None:
        """Add a round, and the gaps of the server that it was rendered on."""
        self.seconds.append(seconds)
        self.gaps += idle_gaps.gaps(journal)


def throughput(site: Site, size: Load) -> Iterator[Table]:
    """Measure makespan and idle gap for each pace."""
    headers = "plans", "bare s", "Madsea s", "throughput", "bare gap ms", "gap ms", "more", "load"
    table = Table("Throughput and idle gap, one server", headers)
    for n_plans, seconds in size.renders:
        sides = Side(), Side()
        for _ in range(size.n_rounds):
            _round(site, n_plans, seconds, *sides)
        table.rows.append([f"{n_plans} of {ms(seconds, 0)} ms", *_figures(*sides), load()])
    table.notes.append(NOTE.format(n=size.n_rounds))
    yield table


def _round(site: Site, n_plans: int, seconds: float, of_bare: Side, of_madsea: Side) -> None:
    with site.preview(seconds) as (url, journal):
        of_bare.add(bare_client.render(url, repeat(GRAPH, n_plans)), journal)
    with site.web(), site.preview(seconds) as (url, journal), site.workers(url):
        of_madsea.add(batch_client.makespan(site, n_plans), journal)


def _figures(of_bare: Side, of_madsea: Side) -> list[str]:
    pairs = zip(of_bare.seconds, of_madsea.seconds, strict=True)
    gap, reference = median(of_madsea.gaps), median(of_bare.gaps)
    return [
        f"{median(of_bare.seconds):.2f}",
        f"{median(of_madsea.seconds):.2f}",
        f"{median(theirs / ours for theirs, ours in pairs):.3f}",
        ms(reference),
        ms(gap),
        f"{1000 * (gap - reference):+.1f}",
    ]
