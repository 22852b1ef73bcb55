"""What a retry lays over its runs: values, and another workflow where it names one.

Of another workflow all is read anew, by its contract: presets, the style's values, and over them
what the request, the sequence, the plan and retries have asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.errors import InvalidRequest, Problem
from generation.models import Batch, PlanRun, Workflow
from generation.parameter_sources import ValueSource, from_one
from generation.services import capability, plan_preflight, request_params, requested_workflows
from generation.services.plan_preflight import PlanValues
from generation.states import Mode
from wording import say

#: Who asked for what a plan has beside its batch.
_OWN = (ValueSource.SEQUENCE, ValueSource.PLAN, ValueSource.RETRY)


@dataclass(frozen=True)
class Overrides:
    """Values for runs, and the workflow that they are made with from now on; None: as before."""

    params: Mapping[str, Any] = field(default_factory=dict)
    workflow: Workflow | None = None


NONE = Overrides()


def read(
    batch: Batch,
    runs: Sequence[PlanRun],
    params: Mapping[str, Any] | None = None,
    workflow_json: str | None = None,
) -> Overrides:
    """Return the overrides for runs of a batch that a retry takes.

    Raises:
        InvalidRequest: a value does not fit the workflow, there is none of this name, it cannot be
            used or asks something, it does not take what was asked for before, no server could run
            it, or a plan's variations would all be the same.
    """
    given = params or {}
    if workflow_json is None:
        problems = _value_problems(batch, given, runs)
        overrides = Overrides(given)
    elif batch.mode == Mode.MANUEL:
        detail = say("Its plans are made by hand, in mode manuel: leave it out.")
        problems = [Problem(requested_workflows.FIELD, "no_workflow", detail)]
        overrides = Overrides(given)
    else:
        overrides = Overrides(given, requested_workflows.find(workflow_json))
        problems = _Reading(batch, overrides).problems(runs)
    if problems:
        raise InvalidRequest(list(dict.fromkeys(problems)))
    return overrides


def workflow_replacer(overrides: Overrides) -> Callable[[Batch], Callable[[PlanRun], None]] | None:
    """Return a function for a locked batch that gives its runs the other workflow, or None."""
    if overrides.workflow is None:
        return None
    frozen = Overrides(overrides.params, requested_workflows.freeze(overrides.workflow))
    return lambda batch: _Reading(batch, frozen).remake


def panel_need_by_run(batch: Batch) -> Callable[[PlanRun], bool]:
    """Return a function for a batch: does this run start from its plan's panel?"""
    known: dict[int, bool] = {}

    def needs_panel(run: PlanRun) -> bool:
        if run.own_workflow is None:
            return batch.needs_panel
        pk = run.own_workflow.pk
        return known[pk] if pk in known else known.setdefault(pk, _has_panel(run.own_workflow))

    return needs_panel


def _has_panel(workflow: Workflow) -> bool:
    return requested_workflows.needs_panel(workflow)


def _value_problems(
    batch: Batch, params: Mapping[str, Any], runs: Sequence[PlanRun]
) -> list[Problem]:
    """Return what is wrong with values for runs, each of which keeps the workflow that it has."""
    if not params:
        return []
    problems: list[Problem] = []
    for workflow, of in _by_workflow(batch, runs):
        if workflow is None:
            problems += requested_workflows.none_apply(params)
            continue
        found = requested_workflows.check_params(workflow, params)
        if not found and batch.mode == Mode.AUTO:
            found = _unmakeable(workflow, params, [{**run.values, **params} for run in of])
        problems += found
    return problems or _same_seeds(batch, params, runs)


def _by_workflow(
    batch: Batch, runs: Sequence[PlanRun]
) -> list[tuple[Workflow | None, list[PlanRun]]]:
    """Return the runs by what they are made with; where there are none, the batch's workflow."""
    workflow_ids = sorted({run.own_workflow_id or 0 for run in runs}) or [0]
    own = Workflow.objects.in_bulk(workflow_ids)
    return [
        (own.get(pk, batch.workflow), [run for run in runs if (run.own_workflow_id or 0) == pk])
        for pk in workflow_ids
    ]


def _same_seeds(batch: Batch, params: Mapping[str, Any], runs: Sequence[PlanRun]) -> list[Problem]:
    plans = [run.plan_id for run in runs]
    if (
        batch.mode != Mode.AUTO
        or requested_workflows.SEED not in params
        or len(set(plans)) == len(plans)
    ):
        return []
    detail = say(
        "The variations of a plan would all be the same: give one variation a seed, not all."
    )
    return [Problem(f"params.{requested_workflows.SEED}", "seed_of_variations", detail)]


def _unmakeable(
    workflow: Workflow, params: Mapping[str, Any], values: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Return why plans cannot be made with these values, of which a retry gives some."""
    asked_at = requested_workflows.places(params)
    plans = [PlanValues(run_values, asked_at) for run_values in values]
    large = plan_preflight.too_large(workflow, requested_workflows.parameters(workflow), plans)
    wanted = capability.NeedsReader(workflow)
    return large or plan_preflight.unrunnable(workflow, wanted, plans, "params")


class _Reading:
    """Reads what runs of a batch get of a workflow that a retry names."""

    def __init__(self, batch: Batch, overrides: Overrides) -> None:
        assert overrides.workflow is not None  # noqa: S101 - read, and asked before
        self._batch, self._given = batch, overrides.params
        self._workflow = overrides.workflow
        self._contract = requested_workflows.contract(self._workflow)
        self._seed_bounds = requested_workflows.seed_bounds(self._contract)
        self._is_of_batch = self._workflow.pk == batch.workflow_id
        self._asked = {
            name: value
            for name, value in batch.params.items()
            if batch.sources.get(name, ValueSource.REQUEST) == ValueSource.REQUEST
        }

    def problems(self, runs: Sequence[PlanRun]) -> list[Problem]:
        """Return why these runs cannot be made with it."""
        own_problems = [
            *requested_workflows.open_questions(self._contract),
            *requested_workflows.check_params(self._workflow, self._given),
            *self._unfit(runs),
        ]
        if self._batch.variations > 1 and self._seed_bounds is None:
            detail = say(
                "No picture of this workflow depends on a seed: variations would be the same."
            )
            own_problems.append(Problem(requested_workflows.FIELD, "no_variations", detail))
        if own_problems:
            return own_problems
        values = [self._values(run)[0] for run in runs]
        unmakeable = _unmakeable(self._workflow, self._given, values)
        return unmakeable + _same_seeds(self._batch, self._given, runs)

    def _unfit(self, runs: Sequence[PlanRun]) -> list[Problem]:
        """Return what was asked for before, and is not given anew, that it does not take."""
        check = requested_workflows.checker(self._workflow)
        distinct = {repr(asked): asked for run in runs for asked in [self._asked_for(run)]}
        return [
            Problem(
                requested_workflows.FIELD,
                problem.code,
                say("{workflow}: {problem}", workflow=self._workflow.name, problem=problem.detail),
            )
            for asked in distinct.values()
            for problem in check(asked, requested_workflows.FIELD)
        ]

    def _asked_for(self, run: PlanRun) -> dict[str, Any]:
        asked = {**self._asked, **_own(run)}
        return {name: asked[name] for name in sorted(asked) if name not in self._given}

    def _values(self, run: PlanRun) -> tuple[dict[str, Any], dict[str, str]]:
        """Return all values of a run, and their sources."""
        style = self._batch.style
        params, sources = request_params.values_of_all(
            self._workflow, self._contract, style, self._asked, draws=True
        )
        own = _own(run)
        own_sources = {name: run.sources[name] for name in own}
        retried = from_one(self._given, ValueSource.RETRY)
        return {**params, **own, **self._given}, sources | own_sources | retried

    def remake(self, run: PlanRun) -> None:
        """Give a run the workflow, with values and a seed that fit it; writes nothing."""
        params, sources = self._values(run)
        run.seed = self._seed(run, params)
        run.own_workflow = None if self._is_of_batch else self._workflow
        if self._is_of_batch:
            params = {**_own(run), **self._given}
            sources = {name: sources[name] for name in params}
        run.params = {
            name: value for name, value in params.items() if name != requested_workflows.SEED
        }
        run.sources = sources

    def _seed(self, run: PlanRun, params: Mapping[str, Any]) -> str:
        """Return the seed that is asked for, else that which it had, if it fits, or a new one."""
        if requested_workflows.SEED in params:
            return str(params[requested_workflows.SEED])
        if self._seed_bounds is None:
            return ""
        low, high = self._seed_bounds
        fits = run.seed and low <= int(run.seed) <= high
        return run.seed if fits else requested_workflows.draw_seed(self._seed_bounds)


def _own(run: PlanRun) -> dict[str, Any]:
    """Return what a run was asked for beside what all of its batch were."""
    own = {name: run.params[name] for name in run.params if run.sources.get(name) in _OWN}
    if run.seed and run.sources.get(requested_workflows.SEED) in _OWN:
        own[requested_workflows.SEED] = int(run.seed)
    return own
