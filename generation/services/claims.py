"""Claiming: which queued run a driver takes next, and the graph that it will post for it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from generation.comfyui import parameters as params
from generation.comfyui import requirements
from generation.comfyui.errors import GraphError
from generation.comfyui.values import Parameter
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt, Batch, Capability, PlanRun, Server, Version, Workflow
from generation.selectors import claimable
from generation.services import capability, transitions, versions, workflows
from generation.services.leases import Lease
from generation.services.transitions import Work
from generation.states import AttemptOutcome, ServerHealth, VersionState

#: The folder on a server that panels and outputs of ours live in.
FOLDER = "madsea"
BATCHES_LOOKED_AT = 20
#: How often in a row a batch may be passed over because a server holds another batch's models.
PASSED_OVER_MOST = 32


def claim_next(lease: Lease, *, in_flight: int) -> Attempt | None:
    """Claim the next queued run for a server; None when there is none for it now.

    Only what the server can run. Priority first, then the batch with the fewest running, then the
    least recently served; but at equal priority rather what needs the models that the server holds
    (see `_in_turn`). With something in flight already, what idle servers could take is left to
    them.

    Raises:
        Fenced: the lease is lost, or the server takes nothing now.
    """
    batches = _candidates(lease.server)
    if in_flight and (idle := _idle_servers(lease.server)):
        batches = batches.filter(_none_can_run(idle))
    for batch in _in_turn(batches, lease.server):
        if attempt := _claim(batch, lease):
            _remember(lease, batch)
            return attempt
    return None


def _first(batch: Batch, server: Server) -> PlanRun | None:
    """Return the first run of a batch that the server is fit for."""
    first = _ready(claimable.runs(), batch).first()
    if first is None or not first.n_tries:
        # Nobody has failed it: there is no need to ask who else could take it, which costs more.
        return first
    return _ready(claimable.runs_for(server.pk), batch).first()


def _ready(runs: QuerySet[PlanRun], batch: Batch) -> QuerySet[PlanRun]:
    return runs.filter(batch=batch).select_related("batch__workflow").order_by("position")


def _candidates(server: Server) -> QuerySet[Batch]:
    """Return what the server can run in the order of its turn.

    Each with `model_key`, and `spellings` of the server's own.
    """
    known = Capability.objects.filter(needs=OuterRef("needs"), server=server)
    fair = ("-priority", "n_running", F("served_at").asc(nulls_first=True), "pk")
    return (
        claimable.batches_fit_for(server.pk)
        .annotate(
            model_key=Coalesce(F("needs__model_key"), Value("")),
            spellings=Subquery(known.values("spellings")[:1]),
        )
        .order_by(*fair)
    )


def _in_turn(batches: QuerySet[Batch], server: Server) -> Iterator[Any]:
    """Yield batches to be tried in this order.

    The first in turn may be passed over, a limited number of times until it is served, for one of
    the same priority that needs the very models which the server loaded last.
    """
    fair: list[Any] = list(batches[:BATCHES_LOOKED_AT])
    held = server.last_model_key
    if fair and held and fair[0].model_key not in ("", held):
        same = batches.filter(priority=fair[0].priority, needs__model_key=held).first()
        if same is not None and _pass_over(fair[0]):
            yield same
    yield from fair


def _pass_over(batch: Batch) -> bool:
    """Count that a batch is passed over; False when that has happened too often."""
    patient = Batch.objects.filter(pk=batch.pk, n_passed_over__lt=PASSED_OVER_MOST)
    return bool(patient.update(n_passed_over=F("n_passed_over") + 1))


def _remember(lease: Lease, batch: Any) -> None:
    """Record which models the server will have loaded when it comes to this plan."""
    key, server = batch.model_key, lease.server
    if key and key != server.last_model_key:
        mine = Server.objects.filter(pk=server.pk, lease_token=lease.token)
        mine.update(last_model_key=key)
        server.last_model_key = key


def _idle_servers(server: Server) -> list[int]:
    """Return the other servers that wait for work, if there is not enough for all of them."""
    busy = Attempt.objects.filter(server=OuterRef("pk"), outcome=AttemptOutcome.OPEN)
    waiting = claimable.taking().filter(
        ~Exists(busy), health=ServerHealth.UP, lease_expires_at__gt=Now()
    )
    idle = list(waiting.exclude(pk=server.pk).values_list("pk", flat=True))
    is_enough = not idle or claimable.runs()[: len(idle) + 1].count() > len(idle)
    return [] if is_enough else idle


def _none_can_run(servers: Iterable[int]) -> Q:
    lacking = claimable.incapable(OuterRef("pk"), OuterRef(OuterRef("needs")))
    blocked = claimable.blocks(OuterRef("pk"), OuterRef(OuterRef("workflow")))
    return ~Q(Exists(Server.objects.filter(~lacking, ~blocked, pk__in=servers)))


class _Unworkable(Exception):
    """A queued run that can be given to no server."""

    def __init__(self, run: PlanRun, why: PlanFailure) -> None:
        super().__init__(why.message)
        self.run, self.why = run, why


def _claim(batch: Any, lease: Lease) -> Attempt | None:
    """Claim a batch's next run; one that cannot be made is rejected, and the one after it tried."""
    choose = partial(_choose, batch, lease.server)
    while True:
        try:
            return transitions.claim(batch.pk, choose, lease.server, lease.token)
        except _Unworkable as found:
            # Outside the claim's transaction, which was rolled back.
            if not transitions.reject(found.run, found.why):
                return None


def _choose(batch: Any, server: Server) -> tuple[PlanRun, Work] | None:
    run = _first(batch, server)
    workflow = run.batch.workflow if run else None
    if run is None or workflow is None:
        return None
    try:
        # A model that a retry asked for is not among those that the batch needs.
        mine = capability.spellings(run, server) if run.params else batch.spellings
        work = _work(run, workflow, mine or [])
    except GraphError as error:
        why = failure("invalid_graph", f"{workflow.name}: {error}")
        raise _Unworkable(run, why) from error
    if run.batch.needs_panel and work.panel is None:
        raise _Unworkable(run, failure("no_panel", "The plan has no panel."))
    return run, work


def _work(run: PlanRun, workflow: Workflow, spellings: Iterable[Iterable[str]]) -> Work:
    found = workflows.parameters(workflow)
    prompt_id = uuid4()
    panel = _panel(run) if run.batch.needs_panel else None
    values = _values(run, found)
    if panel is not None:
        values[workflows.PANEL] = panel_name(panel)
    graph = requirements.respelled(params.apply(workflow.graph, values, found), spellings)
    prefixed = params.set_output_prefix(graph, output_prefix(str(prompt_id)))
    return Work(prompt_id, prefixed, run.seed, panel)


def _values(run: PlanRun, found: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return all that was asked for: what the graph does not have is an error, never left out."""
    given: dict[str, Any] = run.batch.params | run.params
    if run.seed and workflows.SEED in found:
        given[workflows.SEED] = int(run.seed)
    return given


def _panel(run: PlanRun) -> Version | None:
    panels = Version.objects.filter(plan=run.plan_id, state=VersionState.PUBLISHED)
    return panels.filter(task=versions.PANEL).order_by("-number").first()


def panel_name(panel: Version) -> str:
    """Return what a server calls a panel that was uploaded under its content's hash."""
    return f"{FOLDER}/{panel.sha256}.{panel.extension}"


def output_prefix(prompt_id: str) -> str:
    """Return the file name prefix of one attempt: unique, so its file can be found by it."""
    return f"{FOLDER}/{prompt_id}"


def with_panel(attempt: Attempt, name: str) -> Mapping[str, Any]:
    """Return an attempt's graph with the panel under the name that the server gave it."""
    workflow = attempt.run.batch.workflow
    found = workflows.parameters(workflow) if workflow else {}
    return params.apply(attempt.graph, {workflows.PANEL: name}, found)
