"""Dry runs: what a request would make, on which servers and in how long; nothing is written."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

from generation.models import Block, Episode, Needs, Plan, Sequence, Server, Version
from generation.parameter_sources import ValueSource, from_one
from generation.selectors import production
from generation.services import (
    capability,
    node_definitions,
    placeholder_values,
    plan_locks,
    production_tree,
    render_times,
    requested_workflows,
)
from generation.services.request_params import PlanKey
from generation.services.request_validation import BatchRequest
from generation.states import Mode, ServerHealth
from generation.workflows.contract import Contract
from generation.workflows.image_counts import can_decide, picture_count
from generation.workflows.substitution import apply
from generation.workflows.typed_graph import GraphView


class PlanOutlook(TypedDict):
    """One plan; `panel` is the file that it would start from, None where there is none.

    `params` and `sources` are what it gets beside what all get, where there is any; `filled` are
    its prompt texts with their fields filled in, where they have any.
    """

    sequence_id: str
    plan: str
    panel: str | None
    lacks_panel: bool
    params: NotRequired[dict[str, Any]]
    sources: NotRequired[dict[str, str]]
    filled: NotRequired[dict[str, str]]


class Lacking(TypedDict):
    """What a server lacks: its name, the class and input that ask for it, the closest it has."""

    name: str
    where: str
    closest: list[str]


class ApprovedPlan(TypedDict):
    """A plan that is approved: it is left out, or made anew where the request is forced."""

    sequence_id: str
    plan: str


class ServerOutlook(TypedDict):
    """One server; `can` tells whether it has what some plan needs, None where it was never read.

    `n_plans` is for how many plans it has all. `takes_work`: it is neither on its way out, nor set
    aside, nor blocked for this workflow. `render_s` is how long a plan of this workflow takes
    there, None where none was made lately.
    """

    name: str
    health: str
    takes_work: bool
    can: bool | None
    n_plans: int | None
    missing: list[Lacking]
    render_s: float | None


class New(TypedDict):
    """What the request would make of the production tree, and projects of a similar name."""

    project: str | None
    episode: str | None
    like: list[str]


class DryRunDocument(TypedDict):
    """What a request would make, and with what.

    `params` and `sources` are the values of all plans, the workflow's own among them. `pictures` is
    None where the workflow does not tell how many it makes; `seconds` is how long the servers that
    can and take work need if they do nothing else, None where nothing like it was made lately.
    """

    mode: str
    workflow_json: str | None
    variations: int
    pictures: int | None
    seconds: float | None
    params: dict[str, Any]
    sources: dict[str, str]
    plans: list[PlanOutlook]
    locked: list[ApprovedPlan]
    servers: list[ServerOutlook]
    new: New


def rehearse(request: BatchRequest) -> DryRunDocument:
    """Return what a request would make.

    Raises:
        InvalidRequest: the project exists in another spelling.
        Conflict: all of its plans are locked.
    """
    production_tree.check_spelling(request.project_id)
    request, locked = plan_locks.without_locked(request)
    contract = requested_workflows.contract(request.workflow) if request.workflow else None
    own = requested_workflows.defaults(contract) if contract and request.mode == Mode.AUTO else {}
    servers = _servers(request)
    news = production_tree.what_would_be_new(request.project_id, request.episode)
    return {
        "mode": request.mode.value,
        "workflow_json": request.workflow.name if request.workflow else None,
        "variations": request.variations,
        "pictures": _pictures(request, contract),
        "seconds": _seconds(servers, len(request.keys) * request.variations),
        "params": {**own, **request.params},
        "sources": {**from_one(own, ValueSource.WORKFLOW), **request.sources},
        "plans": _plans(request, contract),
        "locked": [{"sequence_id": code, "plan": plan} for code, plan in locked],
        "servers": servers,
        "new": {
            "project": news.project or None,
            "episode": news.episode or None,
            "like": list(news.like),
        },
    }


def _plans(request: BatchRequest, contract: Contract | None) -> list[PlanOutlook]:
    panels = _panels(request) if request.needs_panel and request.mode == Mode.AUTO else None
    texts = _filled_texts(request, contract)
    return [_plan(request, key, panels, texts.get(key)) for key in request.keys]


def _plan(
    request: BatchRequest,
    key: PlanKey,
    panels: Mapping[PlanKey, str] | None,
    texts: dict[str, str] | None,
) -> PlanOutlook:
    panel = (panels or {}).get(key)
    line: PlanOutlook = {
        "sequence_id": key[0],
        "plan": key[1],
        "panel": panel,
        "lacks_panel": panels is not None and panel is None,
    }
    if own := request.own.get(key):
        line |= {"params": dict(own.params), "sources": dict(own.sources)}
    if texts:
        line["filled"] = texts
    return line


def _filled_texts(
    request: BatchRequest, contract: Contract | None
) -> dict[PlanKey, dict[str, str]]:
    """Return the texts of plans as they would be sent, where they have fields."""
    parameters = contract.parameters if contract and request.mode == Mode.AUTO else {}
    given = [request.params, *(own.params for own in request.own.values())]
    if not any(placeholder_values.any_text(params, parameters) for params in given):
        return {}
    known = production.plans_of(request.project_id, request.episode, request.sequences)
    texts: dict[PlanKey, dict[str, str]] = {}
    for key in request.keys:
        values = placeholder_values.of_plan(known.get(key) or _new_plan(request, key))
        texts[key] = placeholder_values.filled_params(_values(request, key), parameters, values)
    return texts


def _new_plan(request: BatchRequest, key: PlanKey) -> Plan:
    """Return a plan that the request would make; it is no row."""
    episode = Episode(season=request.season, code=request.episode)
    return Plan(sequence=Sequence(episode=episode, code=key[0]), code=key[1])


def _panels(request: BatchRequest) -> dict[PlanKey, str]:
    """Return the file names of the newest panels of an episode's plans."""
    rows = Version.objects.panels().filter(
        plan__sequence__code__in=request.sequences,
        plan__sequence__episode__code=request.episode,
        plan__sequence__episode__project__code=request.project_id,
    )
    paths = rows.order_by("number").values_list("plan__sequence__code", "plan__code", "path")
    return {(code, plan): path.rpartition("/")[2] for code, plan, path in paths}


def _pictures(request: BatchRequest, contract: Contract | None) -> int | None:
    """Return how many pictures there will be: the values of a plan may decide how many it has."""
    keys = request.keys
    if request.workflow is None or request.mode == Mode.MANUEL:
        return len(keys)
    if contract is None or contract.result is None:
        return None
    graph, known = request.workflow.graph, contract.parameters
    definitions = node_definitions.known()[0]
    deciding = [name for name, held in known.items() if can_decide(graph, held.targets)]
    values = [_values(request, key) for key in keys]
    groups = Counter(
        tuple((n, value_set[n]) for n in deciding if n in value_set) for value_set in values
    )
    total = 0
    for chosen, n_plans in groups.items():
        view = GraphView(apply(graph, dict(chosen), known), definitions)
        images = picture_count(view, contract.result)
        if images is None:
            return None
        total += images * n_plans
    return total * request.variations


def _values(request: BatchRequest, key: PlanKey) -> Mapping[str, Any]:
    own = request.own.get(key)
    return {**request.params, **own.params} if own else request.params


def _servers(request: BatchRequest) -> list[ServerOutlook]:
    """Return what each server can do of a request, by what was read of it last."""
    if request.workflow is None or request.needs is None:
        return []
    servers = list(Server.objects.enabled().order_by("name"))
    ids = [server.pk for server in servers]
    groups = _needs(request, request.needs)
    lacks = [(capability.missing(needs, ids), n_plans) for needs, n_plans in groups]
    blocked = Block.objects.filter(workflow=request.workflow.pk, server__in=ids)
    barred = set(blocked.values_list("server_id", flat=True))
    taking = set(Server.objects.taking_work().values_list("pk", flat=True)) - barred
    medians = render_times.medians(request.workflow.name, ids)
    return [
        _server(
            server,
            [(found.get(server.pk), n_plans) for found, n_plans in lacks],
            takes_work=server.pk in taking,
            render_s=medians.get(server.pk),
        )
        for server in servers
    ]


def _needs(request: BatchRequest, of_all: Needs) -> list[tuple[Needs, int]]:
    """Return what plans need, and how many need just that."""
    own = [each.needs for each in request.own.values() if each.needs]
    distinct = {needs.sha256: needs for needs in own}
    counted = Counter(needs.sha256 for needs in own)
    n_others = len(request.keys) - len(own)
    groups = [(distinct[sha256], n_plans) for sha256, n_plans in counted.items()]
    return [*([(of_all, n_others)] if n_others else []), *groups]


def _server(
    server: Server,
    lacks: list[tuple[list[dict[str, Any]] | None, int]],
    *,
    takes_work: bool,
    render_s: float | None,
) -> ServerOutlook:
    known = [(missing, n_plans) for missing, n_plans in lacks if missing is not None]
    n_plans = sum(n_plans for missing, n_plans in known if not missing) if known else None
    return {
        "name": server.name,
        "health": server.health,
        "takes_work": takes_work,
        "can": None if n_plans is None else n_plans > 0,
        "n_plans": n_plans,
        "missing": _each_once(lack for missing, _ in known for lack in missing),
        "render_s": render_s,
    }


def _each_once(lacks: Iterable[Mapping[str, Any]]) -> list[Lacking]:
    told: dict[tuple[str, str], Lacking] = {
        (lack["where"], lack["name"]): {
            "name": lack["name"],
            "where": lack["where"],
            "closest": list(lack["closest"]),
        }
        for lack in lacks
    }
    return list(told.values())


def _seconds(servers: Iterable[ServerOutlook], n_runs: int) -> float | None:
    """Return how long it takes all servers together that can, take work, answer, and are known."""
    per_s = [
        1 / server["render_s"]
        for server in servers
        if server["can"]
        and server["takes_work"]
        and server["health"] == ServerHealth.UP
        and server["render_s"]
    ]
    return round(n_runs / sum(per_s), 1) if per_s else None
