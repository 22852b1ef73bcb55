"""Claiming: which queued run a driver takes next."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import (
    Attempt,
    Batch,
    Capability,
    PlanRun,
    Server,
    ServerDefinitions,
    Workflow,
)
from generation.models.batch import BatchQuerySet
from generation.selectors import claimable
from generation.selectors.prepared_queries import Found, Listed
from generation.services import capability, prompt_graphs, transitions, workflows
from generation.services.leases import Lease
from generation.services.transitions import Work
from generation.states import ServerHealth
from generation.workflows.contract import Contract
from generation.workflows.errors import GraphError

#: Batches that one claim tries.
LOOKED_AT = 20
#: How often in a row a batch may be passed over because a server holds another batch's models.
PASSED_OVER_MOST = 32


class Candidate(NamedTuple):
    """A batch that the server can run."""

    pk: int
    priority: int
    model_key: str
    is_capable: bool  #: whether the server has what the batch needs, not only what a retry asks for
    spellings: list[list[str]] | None  #: how the server writes the names of its models
    defined_at: datetime | None  #: when the latest definitions were read, whichever server's


class _Unworkable(Exception):
    """A queued run that can be given to no server."""

    def __init__(self, run: PlanRun, why: PlanFailure) -> None:
        super().__init__(why.message)
        self.run, self.why = run, why


class Desk:
    """Where one driver asks for work, as long as it holds its lease.

    What does not change meanwhile is kept: workflows, which are frozen, and their parameters.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._server = lease.server
        self._workflows: dict[int, Workflow] = {}
        self._contracts: dict[int, tuple[datetime | None, Contract]] = {}

    def claim(self, *, in_flight: int) -> Attempt | None:
        """Claim the next queued run for the server; None when there is none for it now.

        Only what the server can run. Priority first, then the batch with the fewest running, then
        the least recently served; but at equal priority rather what needs the models that the
        server holds (see `_in_turn`). With something in flight already, what idle servers could
        take is left to them.

        Raises:
            Fenced: the lease is lost, or the server takes nothing now.
        """
        left_to = self._idle_servers() if in_flight else []
        for candidate in self._in_turn(left_to):
            if attempt := self._claim(candidate):
                self._remember(_model_key(candidate, attempt))
                return attempt
        return None

    def _idle_servers(self) -> list[int]:
        """Return the other servers that wait for work, if there is not enough for all of them."""
        idle = [pk for (pk,) in _IDLE.rows(self._server.pk)]
        is_enough = not idle or claimable.runs()[: len(idle) + 1].count() > len(idle)
        return [] if is_enough else idle

    def _in_turn(self, left_to: list[int]) -> Iterator[Candidate]:
        """Yield batches to be tried in this order.

        The first in turn may be passed over, a limited number of times until it is served, for one
        of the same priority that needs the very models which the server loaded last.
        """
        server_id = self._server.pk
        rows = _fair(server_id, left_to) if left_to else _FAIR.rows(server_id)
        fair = [Candidate(*row) for row in rows[:LOOKED_AT]]
        held = self._server.last_model_key
        if fair and held and fair[0].model_key not in ("", held):
            asked = server_id, fair[0].pk, held
            for row in _same(*asked, left_to) if left_to else _SAME.rows(*asked):
                if _pass_over(fair[0]):
                    yield Candidate(*row)
        yield from fair
        if len(fair) == LOOKED_AT:
            # None of them had a plan for this server: all that is left of them is for others.
            tried = [candidate.pk for candidate in fair]
            further = _in_order(claimable.batches_for(server_id).exclude(pk__in=tried), server_id)
            yield from (Candidate(*row) for row in _without(further, left_to)[:LOOKED_AT])

    def _remember(self, key: str) -> None:
        """Record which models the server will have loaded when it comes to this plan."""
        server = self._server
        if key and key != server.last_model_key:
            mine = Server.objects.leased(server.pk, self._lease.token)
            mine.update(last_model_key=key)
            server.last_model_key = key

    def _claim(self, candidate: Candidate) -> Attempt | None:
        """Claim a batch's next run; one that cannot be made is rejected, and the next tried."""
        choose = partial(self._choose, candidate)
        while True:
            try:
                return transitions.claim(candidate.pk, choose, self._server, self._lease.token)
            except _Unworkable as found:
                # Outside the claim's transaction, which was rolled back.
                if not transitions.reject(found.run, found.why):
                    return None

    def _choose(self, candidate: Candidate, batch: Batch) -> tuple[PlanRun, Work] | None:
        run = _first(batch, self._server, candidate)
        if run is None or batch.workflow_id is None:
            return None
        run.batch, batch.workflow = batch, self._workflow(batch.workflow_id)
        try:
            work = self._work(run, batch.workflow, candidate)
        except GraphError as error:
            why = failure("invalid_graph", f"{batch.workflow.name}: {error}")
            raise _Unworkable(run, why) from error
        if batch.needs_panel and work.panel is None:
            raise _Unworkable(run, failure("no_panel", "The plan has no panel."))
        return run, work

    def _workflow(self, pk: int) -> Workflow:
        if pk not in self._workflows:
            self._workflows[pk] = Workflow.objects.get(pk=pk)
        return self._workflows[pk]

    def _work(self, run: PlanRun, workflow: Workflow, candidate: Candidate) -> Work:
        spellings = candidate.spellings or []
        if run.needs_id:
            spellings = capability.spellings(run.needs_id, self._server)
        return prompt_graphs.work(
            run, workflow, self._contract(workflow, candidate.defined_at), spellings
        )

    def _contract(self, workflow: Workflow, defined_at: datetime | None) -> Contract:
        """Return the workflow's contract, read anew once any server's definitions were read."""
        known_at, contract = self._contracts.get(workflow.pk, (None, None))
        if contract is None or known_at != defined_at:
            contract = workflows.contract(workflow)
            self._contracts[workflow.pk] = defined_at, contract
        return contract


def _fair(server_id: int, left_to: Sequence[int] = ()) -> QuerySet[Batch, tuple[Any, ...]]:
    """Return what the server can run in the order of its turn, as the fields of a `Candidate`.

    Without what one of the servers `left_to` could run. What is left of a batch may be for others:
    looking at its plans one by one would cost each claim more.
    """
    return _without(_in_order(claimable.batches_fit_for(server_id), server_id), left_to)


def _in_order(found: BatchQuerySet, server_id: int) -> QuerySet[Batch, tuple[Any, ...]]:
    known = Capability.objects.filter(needs=OuterRef("needs"), server=server_id)
    read = ServerDefinitions.objects.of_enabled().order_by("-read_at")
    batches = found.in_turn().annotate(
        model_key=Coalesce(F("needs__model_key"), Value("")),
        is_capable=~claimable.incapable(server_id, OuterRef("needs")),
        spellings=Subquery(known.values("spellings")[:1]),
        defined_at=Subquery(read.values("read_at")[:1]),
    )
    return batches.values_list(*Candidate._fields)


def _without(
    found: QuerySet[Batch, tuple[Any, ...]], left_to: Sequence[int]
) -> QuerySet[Batch, tuple[Any, ...]]:
    return found.filter(_none_can_run(left_to)) if left_to else found


def _same(
    server_id: int, first_id: int, model_key: str, left_to: Sequence[int] = ()
) -> QuerySet[Batch, tuple[Any, ...]]:
    """Return what is next of the first batch's priority, but with these models."""
    found = _fair(server_id, left_to).filter(
        ~claimable.incapable(server_id, OuterRef("needs")),
        priority=Subquery(Batch.objects.filter(pk=first_id).values("priority")),
        needs__model_key=model_key,
    )
    return found[:1]


def _same_of_all(server_id: int, first_id: int, model_key: str) -> QuerySet[Batch, tuple[Any, ...]]:
    return _same(server_id, first_id, model_key)


def _idle(server_id: int) -> QuerySet[Server, tuple[Any, ...]]:
    """Return the other servers that are driven and have nothing to do."""
    busy = Attempt.objects.under_way().filter(server=OuterRef("pk"))
    waiting = Server.objects.taking_work().driven().filter(~Exists(busy), health=ServerHealth.UP)
    return waiting.exclude(pk=server_id).values_list("pk")


_FAIR = Listed(lambda server_id: _fair(server_id)[:LOOKED_AT])
_SAME = Listed(_same_of_all)
_IDLE = Listed(_idle)


def _none_can_run(servers: Iterable[int]) -> Q:
    batch, needs = OuterRef(OuterRef("pk")), OuterRef(OuterRef("needs"))
    some = claimable.ready_for(OuterRef(OuterRef("pk"))).filter(batch=batch)
    blocked = claimable.blocks(OuterRef("pk"), OuterRef(OuterRef("workflow")))
    able = claimable.lacks_nothing(OuterRef("pk"), batch=batch, needs=needs)
    return ~Q(Exists(Server.objects.filter(able, Exists(some), ~blocked, pk__in=servers)))


def _pass_over(candidate: Candidate) -> bool:
    """Count that a batch is passed over; False when that has happened too often."""
    patient = Batch.objects.filter(pk=candidate.pk, n_passed_over__lt=PASSED_OVER_MOST)
    return bool(patient.update(n_passed_over=F("n_passed_over") + 1))


_FIRST = Found(lambda batch: claimable.runs().filter(batch=batch).order_by("position")[:1], by=int)


def _first(batch: Batch, server: Server, candidate: Candidate) -> PlanRun | None:
    """Return the first run of a batch that the server is fit for."""
    first = _FIRST.first(batch.pk)
    if first is None or (candidate.is_capable and not first.needs_id and _is_untried(first)):
        # Nobody has failed it: there is no need to ask who else could take it, which costs more.
        return first
    fit = claimable.runs_for(server.pk).filter(batch=batch)
    if not candidate.is_capable:
        fit = fit.filter(needs__isnull=False)
    return fit.order_by("position").first()


def _is_untried(run: PlanRun) -> bool:
    return run.n_attempts == run.tried_from


def _model_key(candidate: Candidate, attempt: Attempt) -> str:
    own = attempt.run.needs
    return own.model_key if own else candidate.model_key
