"""What could be claimed now: queued, nothing missing, not paused, and fit for a server.

A server is fit for a plan when it takes work, is not known to lack what the plan needs, is not
blocked for its workflow, and has not failed this very plan while another server can take it.

`server` is an id, or an OuterRef as a subquery of the returned query's rows would write it.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from generation.models import Attempt, Batch, Block, Capability, PlanRun, Server
from generation.states import Mode, RunState, ServerHealth, WaitReason

_READY = {"state": RunState.QUEUED, "wait_reason": WaitReason.TURN}


def taking() -> QuerySet[Server]:
    """Return the servers that take work when they answer."""
    return Server.objects.filter(is_enabled=True, is_draining=False, set_aside_at=None)


def answering() -> QuerySet[Server]:
    """Return the servers that take work, not known to be down."""
    return taking().exclude(health=ServerHealth.DOWN)


def runs() -> QuerySet[PlanRun]:
    """Return every run that a server could be given now."""
    return PlanRun.objects.filter(batch__paused_at=None, **_READY)


def runs_for(server: Any) -> QuerySet[PlanRun]:
    """Return the `runs` but for those that the server failed and another can take."""
    return runs().filter(Q(n_tries=0) | ~Q(_failed_by(server), _another_can(server)))


def _failed_by(server: Any) -> Exists:
    return Exists(
        Attempt.objects.filter(
            run=OuterRef("pk"),
            server=server,
            is_held_against=True,
            number__gt=OuterRef("tried_from"),
        )
    )


def _another_can(server: Any) -> Exists:
    failed = Attempt.objects.filter(
        run=OuterRef(OuterRef("pk")),
        server=OuterRef("pk"),
        is_held_against=True,
        number__gt=OuterRef(OuterRef("tried_from")),
    )
    unfit = incapable(OuterRef("pk"), OuterRef(OuterRef("batch__needs")))
    blocked = blocks(OuterRef("pk"), OuterRef(OuterRef("batch__workflow")))
    others = answering().filter(~Q(pk=server), ~Exists(failed), ~unfit, ~blocked)
    return Exists(others)


def batches() -> QuerySet[Batch]:
    """Return every batch that has such a run."""
    return _with(runs())


def _with(ready: QuerySet[PlanRun]) -> QuerySet[Batch]:
    mine = ready.filter(batch=OuterRef("pk"))
    return Batch.objects.filter(Exists(mine), n_queued__gt=0, mode=Mode.AUTO, paused_at=None)


def incapable(server: Any, needs: Any) -> Exists:
    """Return whether a server (id, or OuterRef) is known to lack what is needed (id, OuterRef)."""
    return Exists(Capability.objects.filter(server=server, needs=needs, is_capable=False))


def blocks(server: Any, workflow: Any) -> Exists:
    """Return whether a server (id, or OuterRef) is blocked for a workflow (id, OuterRef)."""
    return Exists(Block.objects.filter(server=server, workflow=workflow))


def batches_for(server: Any) -> QuerySet[Batch]:
    """Return the batches with a run that the server is fit for."""
    deeper = server if isinstance(server, int) else OuterRef(server)
    return _fit(_with(runs_for(deeper)), server)


def batches_fit_for(server: Any) -> QuerySet[Batch]:
    """Return the batches that the server is fit for; it may have failed all that is left of one."""
    return _fit(batches(), server)


def _fit(found: QuerySet[Batch], server: Any) -> QuerySet[Batch]:
    unfit = incapable(server, OuterRef("needs"))
    return found.filter(~unfit, ~blocks(server, OuterRef("workflow")))


def takers() -> QuerySet[Server]:
    """Return the servers that take work, not known to be down, for which there is some."""
    work = batches_for(OuterRef(OuterRef("pk")))
    return answering().filter(Exists(work))
