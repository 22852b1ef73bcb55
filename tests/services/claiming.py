"""Claims of one certain run, as a driver would make them."""

from generation.models import Attempt, Batch, PlanRun
from generation.selectors import claimable
from generation.services import transitions
from generation.services.server_leases import Lease


def claim(run: PlanRun, lease: Lease, seed: str = "42") -> Attempt | None:
    """Claim a run if it can be claimed still."""

    def choose(_: Batch) -> PlanRun | None:
        queued = claimable.runs().filter(pk=run.pk).first()
        if queued is not None:
            queued.seed = seed
        return queued

    return transitions.claim(run.batch_id, choose, lease.server, lease.token)
