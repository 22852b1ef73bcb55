"""Several preview servers on one machine: how near their throughput comes to so many times one's.

The preview servers share one process, or the machine's cores would go into holding them.
"""

from collections.abc import Iterator, Sequence

from lab.benchmarks import batch_client
from lab.benchmarks.markdown_tables import Table, load
from lab.benchmarks.measuring_sizes import Load
from lab.benchmarks.site import Site

SECONDS_PER_PLAN = 0.2


def scaling(site: Site, size: Load) -> Iterator[Table]:
    """Measure plans a second on 1, 2, 4, 8 servers, so many plans to each.

    In as many batches as there are servers, then in one: changes of one batch wait for each other.
    """
    headers = "servers", "batches", "plans", "s", "plans/s", "of linear", "of the servers", "load"
    table = Table(f"Scaling, {1000 * SECONDS_PER_PLAN:.0f} ms a plan", headers)
    alone = 0.0
    for n_servers, n_batches in _fields(size.scaling):
        n_plans = n_servers * size.n_scaling_plans
        rate = n_plans / (seconds := _seconds(site, n_servers, n_plans, n_batches))
        alone = alone or rate / n_servers
        shares = f"{rate / n_servers / alone:.3f}", f"{rate * SECONDS_PER_PLAN / n_servers:.3f}"
        figures = str(n_plans), f"{seconds:.2f}", f"{rate:.1f}", *shares, load()
        table.rows.append([str(n_servers), str(n_batches), *figures])
    table.notes.append("Of linear: against so many times the first row. Of the servers: plans")
    table.notes[-1] += " rendered against plans that they could have rendered meanwhile."
    yield table


def _fields(scaling: Sequence[int]) -> list[tuple[int, int]]:
    """Return (servers, batches): a batch to each server first, then one for all."""
    return [(n, n) for n in scaling] + [(n, 1) for n in scaling if n > 1]


def _seconds(site: Site, n_servers: int, n_plans: int, n_batches: int) -> float:
    servers = site.previews(n_servers, SECONDS_PER_PLAN)
    with site.web(), servers as urls, site.workers(*urls):
        return batch_client.makespan(site, n_plans // n_batches, n_batches)
