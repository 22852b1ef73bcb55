"""Making a picture again by its recipe: as it was, with another seed, or of other plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Attempt, Batch, PlanRun, Version, Workflow
from generation.parameter_sources import ValueSource
from generation.selectors import recipes
from generation.services import plan_preflight, preflight, prompt_graphs, requested_workflows
from generation.services.request_validation import NO_REASON, BatchRequest
from generation.states import Mode
from generation.workflows.contract import Contract
from wording import say

#: In place of a seed: each plan draws its own.
NEW = "new"

_ONE_SEED = say("Variations with one seed would all be the same: for several, set seed to 'new'.")

#: A plan of the version's episode: its sequence and its code.
Place = tuple[str, str]


@dataclass(frozen=True)
class _Origin:
    """A version that was rendered, and what it was rendered with."""

    version: Version
    batch: Batch
    workflow: Workflow
    run: PlanRun
    attempt: Attempt


def read(
    version_id: int,
    *,
    seed: int | str | None = None,
    plans: Sequence[Place] | None = None,
    variations: int = 1,
    force: bool = False,
    reason: str = "",
) -> BatchRequest:
    """Return the request that makes a version's picture again.

    `seed` is another one, or `NEW`; without it that of the version. `plans` are other plans of its
    episode, which start from their own panels; without them the version's own, from its panel.
    `variations` are so many seeds of each plan, which are drawn. `force`, with its `reason`: plans
    that are locked, too.

    Raises:
        NotFound: there is no such version.
        Conflict: no prompt made it.
        InvalidRequest: the seed, or the plans, cannot be taken; or no server can run it.
    """
    origin = _origin(recipes.version(version_id))
    contract = requested_workflows.contract(origin.workflow)
    problems = [*_seed_problems(origin, contract, seed), *_plan_problems(plans or ())]
    problems += _set_apart(origin.version, plans)
    if force and not reason.strip():
        problems.append(Problem("reason", "no_reason", NO_REASON))
    if variations > 1 and seed != NEW:
        problems.append(Problem(requested_workflows.SEED, "seed_of_variations", _ONE_SEED))
    problems += _needs_problems(origin)
    if problems:
        raise InvalidRequest(problems)
    params, sources = _values(origin, contract, seed)
    episode = origin.version.plan.sequence.episode
    return BatchRequest(
        project_id=episode.project.code,
        season=episode.season,
        episode=episode.code,
        sequences=_tree(plans or [_place(origin.version)]),
        style=origin.batch.style,
        workflow=origin.workflow,
        mode=Mode.AUTO,
        params=params,
        needs=origin.run.needed,
        needs_panel=prompt_graphs.needs_panel(origin.run, contract),
        seed_bounds=requested_workflows.seed_bounds(contract),
        sources=sources,
        variations=variations,
        reason=reason,
        force=force,
        rerun_of=origin.version,
    )


def _origin(version: Version) -> _Origin:
    batch, run, attempt = version.batch, version.run, version.attempt
    workflow = recipes.workflow_of(version)
    if attempt is None or run is None or batch is None or workflow is None:
        detail = say(
            "{version} was not rendered: there is nothing to make it again with.", version=version
        )
        raise Conflict(detail, code="not_rendered")
    return _Origin(version, batch, workflow, run, attempt)


def _place(version: Version) -> Place:
    return version.plan.sequence.code, version.plan.code


def _tree(plans: Sequence[Place]) -> dict[str, list[str]]:
    tree: dict[str, list[str]] = {}
    for sequence_id, plan in plans:
        tree.setdefault(sequence_id, []).append(plan)
    return tree


def _seed_problems(origin: _Origin, contract: Contract, seed: int | str | None) -> list[Problem]:
    if seed is None:
        return []
    if requested_workflows.SEED not in contract.parameters:
        detail = say("No picture of {workflow} depends on a seed.", workflow=origin.workflow.name)
        return [Problem(requested_workflows.SEED, "no_seed", detail)]
    if seed == NEW:
        return []
    problems = requested_workflows.check_params(origin.workflow, {requested_workflows.SEED: seed})
    return [Problem(requested_workflows.SEED, problem.code, problem.detail) for problem in problems]


def _plan_problems(plans: Sequence[Place]) -> list[Problem]:
    first: dict[Place, int] = {}
    problems: list[Problem] = []
    for index, place in enumerate(plans):
        if first.setdefault(place, index) != index:
            detail = say(
                "Plan {plan} of {sequence} stands at plans.{first} already.",
                plan=place[1],
                sequence=place[0],
                first=first[place],
            )
            problems.append(Problem(f"plans.{index}", "duplicate_plan", detail))
    return problems


def _needs_problems(origin: _Origin) -> list[Problem]:
    """Return why no server can run it; nothing where it is not known what it needs."""
    needs = origin.run.needed
    return list(preflight.check(origin.workflow, needs, {}, {})) if needs else []


def _set_apart(version: Version, plans: Sequence[Place] | None) -> list[Problem]:
    episode = version.plan.sequence.episode
    asked = {place: f"plans.{index}" for index, place in enumerate(plans or ())}
    places = asked or {_place(version): ""}
    return plan_preflight.set_apart(episode.project.code, episode.code, places)


def _values(
    origin: _Origin, contract: Contract, seed: int | str | None
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Return the values of a version's plan with their sources; of a new seed there is none yet."""
    params: dict[str, Any] = {**origin.run.values}
    sources: dict[str, str] = {**origin.run.value_sources}
    before = sources.pop(requested_workflows.SEED, ValueSource.DRAWN.value)
    params.pop(requested_workflows.SEED, None)
    if requested_workflows.SEED not in contract.parameters or seed == NEW:
        return params, sources
    if seed is None and not origin.attempt.seed:
        return params, sources
    chosen = int(origin.attempt.seed if seed is None else seed)
    source = before if seed is None else ValueSource.REQUEST.value
    return params | {requested_workflows.SEED: chosen}, sources | {requested_workflows.SEED: source}
