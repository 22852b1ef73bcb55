"""What could be claimed now: queued, nothing missing, not paused, and fit for a server.

A server is fit for a plan when it takes work, is not known to lack what the plan needs, is not
blocked for its workflow, and has not failed this very plan while another server can take it. A
plan needs what its batch needs, but for the few that a retry gave needs of their own.

`server` is an id, or an OuterRef as a subquery of the returned query's rows would write it.
"""

from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce

from generation.models import Attempt, Batch, Block, Capability, PlanRun, Server, StorageTrouble
from generation.models.batch import BatchQuerySet
from generation.states import Mode

#: No attempt was made since it was requested or retried, so no server has failed or refused it.
_UNTRIED = Q(n_attempts=F("tried_from"))


def runs() -> QuerySet[PlanRun]:
    """Return every run that a server could be given now."""
    return PlanRun.objects.ready().filter(~Exists(troubles("batch__")), batch__paused_at=None)


def troubles(batch: str = "") -> QuerySet[StorageTrouble]:
    """Return what keeps a batch's files from being stored; `batch` is the rows' way to it."""
    return StorageTrouble.objects.of_project(OuterRef(f"{batch}episode__project__code"))


def runs_for(server: Any) -> QuerySet[PlanRun]:
    """Return the `runs` that the server lacks nothing for and need not leave to another."""
    blamed = Q(_failed_by(server), _another_can(server))
    return ready_for(server).filter(_UNTRIED | ~blamed, batch__paused_at=None)


def ready_for(server: Any) -> QuerySet[PlanRun]:
    """Return the runs that the server lacks nothing for, whether or not their batch is paused."""
    return PlanRun.objects.ready().filter(~incapable(server, needed()))


def can_go_elsewhere(run: PlanRun, server_id: int) -> bool:
    """Tell whether a server other than this one can take a run, which has not failed it."""
    return PlanRun.objects.filter(_another_can(server_id), pk=run.pk).exists()


def needed(run: Any = OuterRef) -> Coalesce:
    """Return what a run needs, as a subquery of runs writes it; deeper ones give their `run`."""
    return Coalesce(run("needs"), run("batch__needs"))


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
    unfit = incapable(OuterRef("pk"), needed(lambda name: OuterRef(OuterRef(name))))
    blocked = blocks(OuterRef("pk"), OuterRef(OuterRef("batch__workflow")))
    others = Server.objects.soon_answering().filter(
        ~Q(pk=server), ~Exists(failed), ~unfit, ~blocked
    )
    return Exists(others)


def incapable(server: Any, needs: Any) -> Exists:
    """Return whether a server (id, or OuterRef) is known to lack what is needed (id, OuterRef)."""
    return Exists(Capability.objects.filter(server=server, needs=needs, is_capable=False))


def blocks(server: Any, workflow: Any) -> Exists:
    """Return whether a server (id, or OuterRef) is blocked for a workflow (id, OuterRef)."""
    return Exists(Block.objects.filter(server=server, workflow=workflow))


def batches_for(server: Any) -> BatchQuerySet:
    """Return the batches with a run that the server is fit for."""
    able = lacks_nothing(server, batch=OuterRef("pk"), needs=OuterRef("needs"))
    some = Exists(runs_for(_deeper(server)).filter(batch=OuterRef("pk")))
    # In this order: else PostgreSQL looks at each plan of what the server cannot run.
    return _open_to(server).filter(Case(When(able, then=some), default=False))


def batches_fit_for(server: Any) -> BatchQuerySet:
    """Return the batches that the server is fit for; what is left of one may be for others."""
    able = lacks_nothing(server, batch=OuterRef("pk"), needs=OuterRef("needs"))
    return _open_to(server).filter(
        able, Exists(PlanRun.objects.ready().filter(batch=OuterRef("pk")))
    )


def _open_to(server: Any) -> BatchQuerySet:
    blocked = blocks(server, OuterRef("workflow"))
    has_storage = ~Exists(troubles())
    return Batch.objects.filter(
        ~blocked, has_storage, n_queued__gt=0, mode=Mode.AUTO, paused_at=None
    )


def lacks_nothing(server: Any, *, batch: Any, needs: Any) -> Q:
    """Return whether a server lacks nothing for a batch, or for a plan with needs of its own.

    All are what a subquery of the query's rows would write. It keeps a batch of 10,000 plans from
    being looked at plan by plan by servers that can run none of them.
    """
    own = ready_for(_deeper(server)).filter(batch=batch, needs__isnull=False)
    return Q(~incapable(server, needs)) | Q(Exists(own))


def _deeper(server: Any) -> Any:
    return server if isinstance(server, int) else OuterRef(server)


def takers() -> QuerySet[Server]:
    """Return the servers that take work, not known to be down, for which there is some."""
    work = batches_for(OuterRef(OuterRef("pk")))
    return Server.objects.answering().filter(Exists(work))
