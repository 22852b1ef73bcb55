"""Claiming: which queued run a driver takes next."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import (
    Attempt,
    Batch,
    Capability,
    PlanRun,
    RunGroup,
    Server,
    ServerDefinitions,
    Workflow,
)
from generation.models.run_group import RunGroupQuerySet
from generation.selectors import claimable
from generation.selectors.prepared_queries import PreparedRows, PreparedTuples
from generation.services import prompt_graphs, requested_workflows, transitions
from generation.services.server_leases import Lease
from generation.states import ServerHealth
from generation.workflows.contract import Contract
from generation.workflows.errors import GraphError
from wording import say

#: Groups that one claim tries.
LOOKED_AT = 20
#: How often in a row a group may be passed over because a server holds another group's models.
PASSED_OVER_MOST = 32


class Candidate(NamedTuple):
    """A group of a batch's runs that the server can run."""

    pk: int
    batch_id: int
    priority: int
    model_key: str
    n_passed_over: int
    spellings: list[list[str]] | None  #: how the server writes the names of its models
    defined_at: datetime | None  #: when the latest definitions were read, whichever server's


class Desk:
    """Where one driver asks for work, as long as it holds its lease.

    What does not change meanwhile is kept: workflows, which are frozen, and their parameters.
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._server = lease.server
        self._workflows: dict[int, Workflow] = {}
        self._contracts: dict[int, tuple[datetime | None, Contract]] = {}
        #: What was known of the batch of each attempt whose graph is not built yet.
        self._claimed: dict[int, Candidate] = {}

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
                self._remember(candidate)
                return attempt
        return None

    def _idle_servers(self) -> list[int]:
        """Return the other servers that wait for work, if there is not enough for all of them."""
        idle = [pk for (pk,) in _IDLE.rows(self._server.pk)]
        is_enough = not idle or claimable.runs()[: len(idle) + 1].count() > len(idle)
        return [] if is_enough else idle

    def _in_turn(self, left_to: list[int]) -> Iterator[Candidate]:
        """Yield groups to be tried in this order.

        The first in turn may be passed over, a limited number of times until it is served, for one
        of the same priority that needs the very models which the server loaded last.
        """
        server_id, held = self._server.pk, self._server.last_model_key
        rows = _fair(server_id, held, left_to) if left_to else _FAIR.rows(server_id, held)
        fair = [Candidate(*row) for row in rows[:LOOKED_AT]]
        if fair and held and fair[0].model_key not in ("", held):
            loaded = self._loaded(fair, left_to)
            if loaded is not None and _pass_over(fair[0]):
                yield loaded
        yield from fair
        if len(fair) == LOOKED_AT:
            # None of them had a plan for this server: all that is left of them is for others.
            tried = [candidate.pk for candidate in fair]
            further = claimable.groups_for(server_id).exclude(pk__in=tried)
            others = _without(_in_order(further, server_id, held), left_to)
            yield from (Candidate(*row) for row in others[:LOOKED_AT])

    def _loaded(self, fair: Sequence[Candidate], left_to: list[int]) -> Candidate | None:
        """Return what is next of the first one's priority, but with the models that are loaded."""
        first, held = fair[0], self._server.last_model_key
        alike = (each for each in fair if (each.priority, each.model_key) == (first.priority, held))
        if (near := next(alike, None)) is not None or len(fair) < LOOKED_AT:
            return near
        asked = self._server.pk, first.pk, held
        rows = _same(*asked, left_to) if left_to else _SAME.rows(*asked)
        return next((Candidate(*row) for row in rows), None)

    def _remember(self, candidate: Candidate) -> None:
        """Record which models the server will have loaded, and that the group was served."""
        server, key = self._server, candidate.model_key
        if candidate.n_passed_over:
            RunGroup.objects.filter(pk=candidate.pk).update(n_passed_over=0)
        if key and key != server.last_model_key:
            mine = Server.objects.leased(server.pk, self._lease.token)
            mine.update(last_model_key=key)
            server.last_model_key = key

    def _claim(self, candidate: Candidate) -> Attempt | None:
        """Claim a group's next run; None when it has none for this server."""
        choose = partial(self._choose, candidate)
        attempt = transitions.claim(candidate.batch_id, choose, self._server, self._lease.token)
        if attempt is not None:
            self._claimed[attempt.pk] = candidate
        return attempt

    def _choose(self, candidate: Candidate, batch: Batch) -> PlanRun | None:
        run = _first(candidate, self._server)
        if run is None or batch.workflow_id is None:
            return None
        run.batch, batch.workflow = batch, self._workflow(batch.workflow_id)
        if run.own_workflow_id is not None:
            run.own_workflow = self._workflow(run.own_workflow_id)
        return run

    # Graphs ---------------------------------------------------------------------------------------

    def build(self, attempt: Attempt) -> PlanFailure | None:
        """Build and store the graph of an attempt that was claimed; return why it cannot be.

        Also of one whose driver left before it did so.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        run = attempt.run
        spellings, contract = self._known(attempt)
        needs_panel = prompt_graphs.needs_panel(run, contract)
        panel = prompt_graphs.panel_of(run) if needs_panel else None
        if needs_panel and panel is None:
            return failure("no_panel", say("The plan has no panel."))
        try:
            graph = prompt_graphs.build(attempt, contract, spellings, panel)
        except GraphError as error:
            return failure(
                "invalid_graph", say("{workflow}: {error}", workflow=run.workflow, error=error)
            )
        transitions.set_graph(attempt, graph, panel)
        return None

    def _known(self, attempt: Attempt) -> tuple[list[list[str]], Contract]:
        """Return how the server spells the models of an attempt, and its workflow's contract."""
        candidate = self._claimed.pop(attempt.pk, None)
        workflow = self._workflow(attempt.run.workflow_id or 0)
        if candidate is not None:
            return candidate.spellings or [], self._contract(workflow, candidate.defined_at)
        known = Capability.objects.filter(server=self._server, needs__groups=attempt.run.group_id)
        spellings = known.values_list("spellings", flat=True).first()
        return spellings or [], requested_workflows.contract(workflow)

    def _workflow(self, pk: int) -> Workflow:
        if pk not in self._workflows:
            self._workflows[pk] = Workflow.objects.get(pk=pk)
        return self._workflows[pk]

    def _contract(self, workflow: Workflow, defined_at: datetime | None) -> Contract:
        """Return the workflow's contract, read anew once any server's definitions were read."""
        known_at, contract = self._contracts.get(workflow.pk, (None, None))
        if contract is None or known_at != defined_at:
            contract = requested_workflows.contract(workflow)
            self._contracts[workflow.pk] = defined_at, contract
        return contract


def _fair(
    server_id: int, held: str, left_to: Sequence[int] = ()
) -> QuerySet[RunGroup, tuple[Any, ...]]:
    """Return what the server can run in the order of its turn, as the fields of a `Candidate`.

    Without what one of the servers `left_to` could run. What is left of a group may be for others:
    looking at its plans one by one would cost each claim more.
    """
    return _without(_in_order(claimable.groups_fit_for(server_id), server_id, held), left_to)


def _in_order(
    found: RunGroupQuerySet, server_id: int, held: str
) -> QuerySet[RunGroup, tuple[Any, ...]]:
    """Order groups by their batches' turn; those of one batch, what no server has loaded first.

    So two servers that begin with one batch load different models, and the group that a server
    passes over first, and counts, is one that no other server is working on.
    """
    known = Capability.objects.filter(needs=OuterRef("needs"), server=server_id)
    read = ServerDefinitions.objects.of_enabled().order_by("-read_at")
    elsewhere = Server.objects.taking_work().filter(last_model_key=OuterRef("needs__model_key"))
    holders = Case(
        When(needs__model_key="", then=0),
        When(needs__model_key=held, then=2),
        When(Exists(elsewhere.exclude(pk=server_id)), then=1),
        default=0,
    )
    groups = found.in_turn(within=holders).annotate(
        priority=F("batch__priority"),
        model_key=Coalesce(F("needs__model_key"), Value("")),
        spellings=Subquery(known.values("spellings")[:1]),
        defined_at=Subquery(read.values("read_at")[:1]),
    )
    return groups.values_list(*Candidate._fields)


def _without(
    found: QuerySet[RunGroup, tuple[Any, ...]], left_to: Sequence[int]
) -> QuerySet[RunGroup, tuple[Any, ...]]:
    return found.filter(_none_can_run(left_to)) if left_to else found


def _same(
    server_id: int, first_id: int, held: str, left_to: Sequence[int] = ()
) -> QuerySet[RunGroup, tuple[Any, ...]]:
    """Return what is next of the first group's priority, but with the models that are loaded."""
    priority = RunGroup.objects.filter(pk=first_id).values("batch__priority")
    groups = _fair(server_id, held, left_to)
    return groups.filter(batch__priority=Subquery(priority), needs__model_key=held)[:1]


def _fair_of_all(server_id: int, held: str) -> QuerySet[RunGroup, tuple[Any, ...]]:
    return _fair(server_id, held)[:LOOKED_AT]


def _same_of_all(server_id: int, first_id: int, held: str) -> QuerySet[RunGroup, tuple[Any, ...]]:
    return _same(server_id, first_id, held)


def _idle(server_id: int) -> QuerySet[Server, tuple[Any, ...]]:
    """Return the other servers that are driven and have nothing to do."""
    busy = Attempt.objects.under_way().filter(server=OuterRef("pk"))
    waiting = Server.objects.taking_work().driven().filter(~Exists(busy), health=ServerHealth.UP)
    return waiting.exclude(pk=server_id).values_list("pk")


_FAIR = PreparedTuples(_fair_of_all)
_SAME = PreparedTuples(_same_of_all)
_IDLE = PreparedTuples(_idle)


def _none_can_run(servers: Iterable[int]) -> Q:
    lacking = claimable.incapable(OuterRef("pk"), OuterRef(OuterRef("needs")))
    blocked = claimable.blocks(OuterRef("pk"), claimable.workflow_of(deep=True))
    return ~Q(Exists(Server.objects.filter(~lacking, ~blocked, pk__in=servers)))


def _pass_over(candidate: Candidate) -> bool:
    """Count that a group is passed over; False when that has happened too often."""
    patient = RunGroup.objects.filter(pk=candidate.pk, n_passed_over__lt=PASSED_OVER_MOST)
    return bool(patient.update(n_passed_over=F("n_passed_over") + 1))


def _next(group_id: int) -> QuerySet[PlanRun]:
    # Of a group that may be claimed from: whether it is paused or cannot be stored is known.
    return PlanRun.objects.ready().filter(group=group_id).order_by("position")[:1]


_FIRST = PreparedRows(_next, by=int)


def _first(candidate: Candidate, server: Server) -> PlanRun | None:
    """Return the first run of a group that the server is fit for."""
    first = _FIRST.first(candidate.pk)
    if first is None or _is_untried(first):
        # Nobody has failed it: there is no need to ask who else could take it, which costs more.
        return first
    fit = claimable.runs_left_to(server.pk).filter(group=candidate.pk)
    return fit.order_by("position").first()


def _is_untried(run: PlanRun) -> bool:
    return run.n_attempts == run.tried_from
