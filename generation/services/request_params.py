"""The values that a request's plans get: from where each comes, whether it fits, what it needs.

Over the workflow's own lie its contract's presets, the style's, the request's, a sequence's and a
plan's, in this order; a variant of light that one of the last three names lies just below its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from generation.models import Needs, Style, Workflow
from generation.parameter_sources import Sources, ValueSource, from_one
from generation.services import (
    capability,
    light_variants,
    node_definitions,
    plan_preflight,
    request_sequences,
    requested_workflows,
)
from generation.services.capability import NeedsReader
from generation.services.payload_reader import Reader
from generation.services.plan_preflight import PlanValues
from generation.services.request_fields import PAYLOAD
from generation.services.request_sequences import AskedPlan, PlacedValues
from generation.states import Mode
from generation.workflows.contract import Contract

#: A sequence and a plan of it.
PlanKey = tuple[str, str]


@dataclass(frozen=True)
class OwnValues:
    """What one plan gets that is not for all plans of its batch, and where it came from.

    `needs` is what rendering it needs of a server, None where that is what its batch needs.
    """

    params: Mapping[str, Any]
    sources: Sources
    needs: Needs | None = None


@dataclass(frozen=True)
class Values:
    """What all plans of a request get, and beside it `own`: what some of them get.

    `needs` is what rendering needs of a server, None in mode manuel; it may be no row yet.
    `needs_panel`: the workflow starts from the plan's panel; `seed_bounds` are the least and the
    largest seed that can be drawn, None where no picture depends on one. `is_read`: there is a
    workflow that these were read by; `seeds_at` are the places that give a seed.
    """

    params: Mapping[str, Any]
    sources: Sources
    own: Mapping[PlanKey, OwnValues] = field(default_factory=dict)
    needs: Needs | None = None
    needs_panel: bool = False
    seed_bounds: tuple[int, int] | None = None
    is_read: bool = False
    seeds_at: tuple[str, ...] = ()


def read(
    reader: Reader,
    asked: Sequence[AskedPlan],
    *,
    style: Style | None,
    workflow: Workflow | None,
    mode: Mode,
) -> Values:
    """Return the values of a request's plans; what is wrong with them is added to the problems."""
    given: dict[str, Any] = reader.payload.get("params", {})
    if not reader.take_kind("params", PAYLOAD["params"], given):
        return Values({}, {})
    request = PlacedValues(
        given, "params", request_sequences.variant(reader, reader.payload, "variant")
    )
    if workflow is None:
        reader.problems.extend(light_variants.none_apply([request, *_givens(asked)]))
        if mode == Mode.MANUEL and "workflow_json" not in reader.payload:
            for placed in [PlacedValues(given, "params"), *_givens(asked)]:
                reader.problems.extend(requested_workflows.none_apply(placed.params, placed.place))
        return Values(given, from_one(given, ValueSource.REQUEST))
    return _Reading(reader, workflow, mode).values(request, style, asked)


class _Reading:
    """Reads the values of one request, all for the same workflow."""

    def __init__(self, reader: Reader, workflow: Workflow, mode: Mode) -> None:
        definitions = node_definitions.known()
        self._reader, self._workflow, self._mode = reader, workflow, mode
        self._contract = requested_workflows.contract(workflow, definitions)
        self._check = requested_workflows.checker(workflow, definitions)

    def values(
        self, request: PlacedValues, style: Style | None, asked: Sequence[AskedPlan]
    ) -> Values:
        """Return the values of all plans, and of some."""
        contract, problems = self._contract, self._reader.problems
        before = len(problems)
        for placed in [request, *_givens(asked)]:
            problems.extend(self._check(placed.params, placed.place))
        light = light_variants.Light(style, self._workflow.name, contract)
        problems.extend(light.problems([request, *_givens(asked)], self._check))
        request, asked = light.on_all(request, asked)
        is_usable = len(problems) == before
        problems.extend(requested_workflows.open_questions(contract))
        draws = self._mode == Mode.AUTO
        params, sources = values_of_all(
            self._workflow, contract, style, request.params, draws=draws
        )
        sources |= request.sources
        of_style = {name: params[name] for name in params if sources[name] == ValueSource.STYLE}
        problems.extend(requested_workflows.unknown_fields(of_style, contract.parameters, "style"))
        own = {(plan.sequence_id, plan.plan): _of_one(plan) for plan in asked if _has_own(plan)}
        needs = None
        if self._mode == Mode.AUTO and is_usable:
            plans = list(_of_plans(params, request, asked))
            problems.extend(plan_preflight.too_large(self._workflow, contract.parameters, plans))
            wanted = capability.NeedsReader(self._workflow)
            problems.extend(plan_preflight.unrunnable(self._workflow, wanted, plans, "sequences"))
            needs = wanted.of(params)
            own = _with_needs(own, params, needs, wanted)
        return Values(
            params,
            sources,
            own,
            needs,
            needs_panel=requested_workflows.PANEL in contract.parameters,
            seed_bounds=requested_workflows.seed_bounds(contract),
            is_read=True,
            seeds_at=_seeds_at(sources, [request, *_givens(asked)]),
        )


def values_of_all(
    workflow: Workflow,
    contract: Contract,
    style: Style | None,
    given: Mapping[str, Any],
    *,
    draws: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Lay a request's values over the `defaults`; a seed that none gives may be drawn."""
    params, sources = defaults(contract, workflow.name, style)
    sources |= from_one(given, ValueSource.REQUEST)
    if requested_workflows.SEED in contract.parameters and draws:
        sources = from_one({requested_workflows.SEED: None}, ValueSource.DRAWN) | sources
    return {**params, **given}, sources


def defaults(
    contract: Contract, workflow_name: str, style: Style | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what lies over a workflow's own values where a request gives none, and its sources.

    The style's values hold for the workflows that it names; below them lie the contract's presets.
    """
    is_named = style is not None and workflow_name in style.workflow_names
    of_style = style.values if style and is_named else {}
    known = {name: value for name, value in of_style.items() if name in contract.parameters}
    presets = contract.presets
    sources = from_one(presets, ValueSource.PRESET) | from_one(known, ValueSource.STYLE)
    return {**presets, **known}, sources


def _seeds_at(sources: Sources, givens: Iterable[PlacedValues]) -> tuple[str, ...]:
    """Return the places that give a seed; that of a style is `style`."""
    of_style = ("style",) if sources.get(requested_workflows.SEED) == ValueSource.STYLE else ()
    given = (
        f"{placed.place}.{requested_workflows.SEED}"
        for placed in givens
        if requested_workflows.SEED in placed.params
    )
    return (*of_style, *given)


def _with_needs(
    own: Mapping[PlanKey, OwnValues], params: Mapping[str, Any], needs: Needs, wanted: NeedsReader
) -> dict[PlanKey, OwnValues]:
    """Return the plans' own values with what some of them need beside `needs`."""
    return {
        key: replace(values, needs=_unlike(needs, wanted.of({**params, **values.params})))
        for key, values in own.items()
    }


def _unlike(batch: Needs, plan: Needs) -> Needs | None:
    return None if plan.sha256 == batch.sha256 else plan


def _of_one(asked: AskedPlan) -> OwnValues:
    of_sequence, of_plan = asked.of_sequence.params, asked.of_plan.params
    sources = {
        **from_one(of_sequence, ValueSource.SEQUENCE),
        **asked.of_sequence.sources,
        **from_one(of_plan, ValueSource.PLAN),
        **asked.of_plan.sources,
    }
    return OwnValues({**of_sequence, **of_plan}, sources)


def _has_own(asked: AskedPlan) -> bool:
    return not (asked.of_sequence.is_empty and asked.of_plan.is_empty)


def _givens(asked: Iterable[AskedPlan]) -> list[PlacedValues]:
    """Return what sequences and plans give, each once."""
    of_sequences = {plan.of_sequence.place: plan.of_sequence for plan in asked}
    return [*of_sequences.values(), *(plan.of_plan for plan in asked if not plan.of_plan.is_empty)]


def _of_plans(
    params: Mapping[str, Any], request: PlacedValues, asked: Sequence[AskedPlan]
) -> Iterator[PlanValues]:
    """Yield the values of the plans that have no own ones, once; then of each that has."""
    everywhere = requested_workflows.places(request.params, request.place)
    own = [plan for plan in asked if _has_own(plan)]
    if len(own) < len(asked) or not asked:
        yield PlanValues(params, everywhere)
    for each in own:
        of_sequence, of_plan = each.of_sequence, each.of_plan
        yield PlanValues(
            {**params, **of_sequence.params, **of_plan.params},
            everywhere
            | requested_workflows.places(of_sequence.params, of_sequence.place)
            | requested_workflows.places(of_plan.params, of_plan.place),
        )
