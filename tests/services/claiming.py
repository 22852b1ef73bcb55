"""Claims of one certain run, as a driver would make them."""

from uuid import uuid4

from generation.models import Attempt, Batch, PlanRun
from generation.selectors import claimable
from generation.services import transitions
from generation.services.leases import Lease
from generation.services.transitions import Work


def claim(run: PlanRun, lease: Lease, seed: str = "42") -> Attempt | None:
    """Claim a run if it can be claimed still."""

    def choose(_: Batch) -> tuple[PlanRun, Work] | None:
        found = claimable.runs().filter(pk=run.pk).first()
        graph = {"1": {"class_type": "SaveImage", "inputs": {}}}
        return (found, Work(uuid4(), graph, seed, None)) if found else None

    return transitions.claim(run.batch_id, choose, lease.server, lease.token)
