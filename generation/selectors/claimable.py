"""What could be claimed now: queued, nothing missing, not paused, and fit for a server.

A server is fit for a plan when it takes work, is not known to lack what the plan needs, is not
blocked for its workflow, and has not failed this very plan while another server can take it. What
a plan needs is known of its group: those of its batch that need the same.

`server` is an id, or an OuterRef as a subquery of the returned query's rows would write it.
"""

from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce

from generation.models import (
    Attempt,
    Block,
    Capability,
    PlanRun,
    RunGroup,
    Server,
    StorageTrouble,
)
from generation.models.run_group import RunGroupQuerySet
from generation.states import Mode

#: No attempt was made since it was requested or retried, so no server has failed or refused it.
_UNTRIED = Q(n_attempts=F("tried_from"))


def runs() -> QuerySet[PlanRun]:
    """Return every run that a server could be given now."""
    return PlanRun.objects.ready().filter(~Exists(troubles("batch__")), batch__paused_at=None)


def troubles(batch: str = "") -> QuerySet[StorageTrouble]:
    """Return the troubles that stop a batch's files being stored; `batch` leads from the rows."""
    return StorageTrouble.objects.of_project(OuterRef(f"{batch}episode__project__code"))


def runs_left_to(server: Any) -> QuerySet[PlanRun]:
    """Return the runs that the server has not failed, or that no other server can take.

    What their group needs and whether their batch is paused is not asked here.
    """
    blamed = Q(_failed_by(server), _another_can(server))
    return PlanRun.objects.ready().filter(_UNTRIED | ~blamed)


def can_go_elsewhere(run: PlanRun, server_id: int) -> bool:
    """Tell whether a server other than this one can take a run, which has not failed it."""
    return PlanRun.objects.filter(_another_can(server_id), pk=run.pk).exists()


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
    unfit = incapable(OuterRef("pk"), OuterRef(OuterRef("group__needs")))
    blocked = blocks(OuterRef("pk"), workflow_of(deep=True))
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


def workflow_of(*, deep: bool = False) -> Coalesce:
    """Return the workflow of the runs or groups around a subquery; `deep`: around two."""
    own, of_batch = "own_workflow", "batch__workflow"
    if deep:
        return Coalesce(OuterRef(OuterRef(own)), OuterRef(OuterRef(of_batch)))
    return Coalesce(OuterRef(own), OuterRef(of_batch))


def groups_for(server: Any) -> RunGroupQuerySet:
    """Return the groups with a run that the server is fit for."""
    some = Exists(runs_left_to(_deeper(server)).filter(group=OuterRef("pk")))
    # In this order: else PostgreSQL looks at each plan of what the server cannot run.
    able = ~incapable(server, OuterRef("needs"))
    return _open_to(server).filter(Case(When(able, then=some), default=False))


def groups_fit_for(server: Any) -> RunGroupQuerySet:
    """Return the groups that the server is fit for; what is left of one may be for others."""
    return _open_to(server).filter(~incapable(server, OuterRef("needs"))).ready()


def _open_to(server: Any) -> RunGroupQuerySet:
    blocked = blocks(server, workflow_of())
    has_storage = ~Exists(troubles("batch__"))
    return RunGroup.objects.filter(
        ~blocked,
        has_storage,
        batch__n_queued__gt=0,
        batch__mode=Mode.AUTO,
        batch__paused_at=None,
    )


def _deeper(server: Any) -> Any:
    return server if isinstance(server, int) else OuterRef(server)


def servers_with_work() -> QuerySet[Server]:
    """Return the servers that take work, not known to be down, for which there is some."""
    work = groups_for(OuterRef(OuterRef("pk")))
    return Server.objects.answering().filter(Exists(work))
