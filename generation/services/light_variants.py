"""Variants of light: presets of a style that a request, a sequence or a plan may name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generation.errors import Problem
from generation.models import Style
from generation.parameter_sources import ValueSource, from_one
from generation.services import requested_workflows
from generation.services.request_sequences import AskedPlan, PlacedValues
from generation.services.requested_workflows import Checker
from generation.workflows.contract import Contract
from wording import say

UNKNOWN = "unknown_variant"


def none_apply(givens: Iterable[PlacedValues]) -> list[Problem]:
    """Return a problem for each variant that is named where no workflow renders."""
    detail = say("It holds for what a workflow renders, and none does: leave it out.")
    return [
        Problem(values.place_of_variant, UNKNOWN, detail)
        for values in givens
        if values.variant is not None
    ]


@dataclass(frozen=True)
class Light:
    """The variants that hold for a workflow in a style, and how they are laid under what is given.

    A variant takes the place of the one above it: what only that one has goes back to what style
    and workflow say.
    """

    style: Style | None
    workflow_name: str
    contract: Contract

    @property
    def _variants(self) -> Mapping[str, Any]:
        is_named = self.style is not None and self.workflow_name in self.style.workflow_names
        return self.style.variants if self.style is not None and is_named else {}

    def problems(self, givens: Iterable[PlacedValues], check: Checker) -> list[Problem]:
        """Return what is wrong with the variants that are named, each at its place."""
        return [problem for values in givens for problem in self._problems_of(values, check)]

    def _problems_of(self, given: PlacedValues, check: Checker) -> list[Problem]:
        if given.variant is None or self.style is None:
            return []
        if given.variant in self._variants:
            return check(self.values(given.variant), given.place_of_variant)
        detail = say(
            "The style {style} has no variant {variant!r:.64} for {workflow}. Known: {known}.",
            style=self.style.code,
            variant=given.variant,
            workflow=self.workflow_name,
            known=", ".join(sorted(self._variants)) or say("none"),
        )
        return [Problem(given.place_of_variant, UNKNOWN, detail)]

    def values(self, variant: str | None) -> dict[str, Any]:
        """Return what a variant gives the workflow's parameters; nothing where there is none."""
        preset = self._variants.get(variant or "", {}).get("params", {})
        return {name: preset[name] for name in preset if name in self.contract.parameters}

    def on_all(
        self, request: PlacedValues, asked: Sequence[AskedPlan]
    ) -> tuple[PlacedValues, list[AskedPlan]]:
        """Lay the variants that are named under the values that stand beside them."""
        lit = self._on(request, {})
        sequences: dict[str, PlacedValues] = {}
        plans = []
        for plan in asked:
            at = plan.of_sequence.place
            of_sequence = sequences.setdefault(at, self._on(plan.of_sequence, lit.sources))
            above = {**lit.sources, **of_sequence.sources}
            of_plan = self._on(plan.of_plan, above)
            plans.append(replace(plan, of_sequence=of_sequence, of_plan=of_plan))
        return lit, plans

    def _on(self, given: PlacedValues, above: Mapping[str, str]) -> PlacedValues:
        if given.variant is None:
            return given
        own = self.values(given.variant)
        left = [name for name in above if name not in own]
        before, sources = self._before(left)
        told = {**sources, **from_one(own, ValueSource.VARIANT)}
        return replace(
            given,
            params={**before, **own, **given.params},
            sources={name: of for name, of in told.items() if name not in given.params},
        )

    def _before(self, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what values are without any variant, and where each comes from."""
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        of_style = self.style.values if self.style is not None else {}
        presets = self.contract.presets
        for name in names:
            if name in of_style:
                values[name], sources[name] = of_style[name], ValueSource.STYLE.value
            elif name in presets:
                values[name], sources[name] = presets[name], ValueSource.PRESET.value
            elif name != requested_workflows.SEED:
                values[name] = self.contract.parameters[name].default
                sources[name] = ValueSource.WORKFLOW.value
        return values, sources
