"""What could be claimed now: queued, nothing missing, not paused, and able to run on a server."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from generation.models import Batch, Capability, PlanRun, Server
from generation.states import Mode, RunState, ServerHealth, WaitReason

_READY = {"state": RunState.QUEUED, "wait_reason": WaitReason.TURN}


def runs() -> QuerySet[PlanRun]:
    """Return every run that a server could be given now."""
    return PlanRun.objects.filter(batch__paused_at=None, **_READY)


def batches() -> QuerySet[Batch]:
    """Return every batch that has such a run."""
    ready = PlanRun.objects.filter(batch=OuterRef("pk"), **_READY)
    return Batch.objects.filter(Exists(ready), n_queued__gt=0, mode=Mode.AUTO, paused_at=None)


def incapable(server: Any, needs: Any) -> Exists:
    """Return whether a server (id, or OuterRef) is known to lack what is needed (id, OuterRef)."""
    return Exists(Capability.objects.filter(server=server, needs=needs, is_capable=False))


def batches_for(server: Any) -> QuerySet[Batch]:
    """Return the `batches` that a server (id, or OuterRef) is not known to be unable to run."""
    return batches().filter(~incapable(server, OuterRef("needs")))


def takers() -> QuerySet[Server]:
    """Return the servers that take work, not known to be down, for which there is some."""
    taking = Server.objects.filter(is_enabled=True, is_draining=False)
    work = batches_for(OuterRef(OuterRef("pk")))
    return taking.exclude(health=ServerHealth.DOWN).filter(Exists(work))
