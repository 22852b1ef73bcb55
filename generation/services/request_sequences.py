"""The `sequences` of a request: its plans in order, each with the values that it brings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from generation.services.payload_reader import CHECKS, Reader, kind_of
from generation.services.request_fields import PAYLOAD, PLAN, SEQUENCE, VARIANT
from wording import say

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class PlacedValues:
    """Values as they stand at a place of the payload, such as `sequences.0.params`.

    `variant` is the variant of light that is named beside them; once its values are laid under
    them, `sources` tells of each value that is not the place's own where it came from.
    """

    params: Mapping[str, Any]
    place: str
    variant: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def place_of_variant(self) -> str:
        """Where its variant stands."""
        return f"{self.place.removesuffix('params')}variant"

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not self.params and self.variant is None


@dataclass(frozen=True)
class AskedPlan:
    """One plan that is asked for, with the params of its sequence and its own; unchecked."""

    sequence_id: str
    plan: str
    of_sequence: PlacedValues
    of_plan: PlacedValues

    @property
    def key(self) -> tuple[str, str]:
        """Its sequence and its code."""
        return self.sequence_id, self.plan

    @property
    def place(self) -> str:
        """Where it stands in the payload."""
        return self.of_plan.place.removesuffix(".params")


def read(reader: Reader) -> list[AskedPlan]:
    """Return the plans that can be read, sequences that are named twice merged."""
    given = reader.payload.get("sequences", [])
    if not reader.take_kind("sequences", PAYLOAD["sequences"], given):
        return []
    if "sequences" in reader.payload and not given:
        reader.add("sequences", "empty", say("At least one sequence is needed."))
    if _are_too_many(given):
        detail = say(
            "At most {most:,} plans can be requested at once.",
            most=settings.MADSEA_PLANS_MAX,
        )
        reader.add("sequences", "too_many_plans", detail)
        return []
    placed = [
        line
        for index, sequence in enumerate(given)
        for line in _sequence(reader, f"sequences.{index}", sequence)
    ]
    return _merged(reader, placed)


def _are_too_many(given: list[Any]) -> bool:
    lists = [s.get("plans") for s in given if isinstance(s, dict)]
    n_plans = sum(len(plans) for plans in lists if isinstance(plans, list))
    return max(n_plans, len(given)) > settings.MADSEA_PLANS_MAX


def _merged(reader: Reader, placed: Iterable[tuple[str, AskedPlan]]) -> list[AskedPlan]:
    """Bring the plans of each sequence together; a plan that is named twice is a problem."""
    places: dict[tuple[str, str], str] = {}
    merged: dict[str, list[AskedPlan]] = {}
    for place, asked in placed:
        first = places.setdefault((asked.sequence_id, asked.plan), place)
        if first == place:
            merged.setdefault(asked.sequence_id, []).append(asked)
        else:
            detail = say(
                "Plan {plan} of {sequence_id} stands at {first} already.",
                plan=asked.plan,
                sequence_id=asked.sequence_id,
                first=first,
            )
            reader.add(place, "duplicate_plan", detail)
    return [asked for plans in merged.values() for asked in plans]


def _sequence(reader: Reader, place: str, sequence: object) -> list[tuple[str, AskedPlan]]:
    if not isinstance(sequence, dict):
        reader.add(
            place,
            "not_an_object",
            say("Expected an object, not {kind}.", kind=kind_of(sequence)),
        )
        return []
    reader.keys(sequence, SEQUENCE, f"{place}.")
    code = None
    if "sequence_id" in sequence:
        check = CHECKS[SEQUENCE["sequence_id"].rule]
        code = reader.named(f"{place}.sequence_id", check, sequence["sequence_id"])
    of_sequence = _given(reader, place, sequence)
    plans = _plans(reader, f"{place}.plans", sequence)
    if code is None:
        return []
    return [(at, AskedPlan(code, plan, of_sequence, of_plan)) for at, plan, of_plan in plans]


def _plans(
    reader: Reader, place: str, sequence: Mapping[str, Any]
) -> list[tuple[str, str, PlacedValues]]:
    given = sequence.get("plans", [])
    if not reader.take_kind(place, SEQUENCE["plans"], given):
        return []
    if "plans" in sequence and not given:
        reader.add(place, "empty", say("At least one plan is needed."))
    checked = (
        (f"{place}.{n}", *_plan(reader, f"{place}.{n}", plan)) for n, plan in enumerate(given)
    )
    return [(at, plan, of_plan) for at, plan, of_plan in checked if plan is not None]


def _plan(reader: Reader, place: str, given: object) -> tuple[str | None, PlacedValues]:
    """Read a plan: its code, or an object of its code and params."""
    check = CHECKS[PLAN["plan"].rule]
    if not isinstance(given, dict):
        return reader.named(place, check, given), PlacedValues(_NOTHING, place)
    reader.keys(given, PLAN, f"{place}.")
    plan = reader.named(f"{place}.plan", check, given["plan"]) if "plan" in given else None
    return plan, _given(reader, place, given)


def _given(reader: Reader, place: str, given: Mapping[str, Any]) -> PlacedValues:
    at = f"{place}.params"
    params = given.get("params", _NOTHING)
    is_usable = params is _NOTHING or reader.take_kind(at, PAYLOAD["params"], params)
    return PlacedValues(
        params if is_usable else _NOTHING, at, variant(reader, given, f"{place}.variant")
    )


def variant(reader: Reader, given: Mapping[str, Any], place: str) -> str | None:
    """Read which variant of light is named there; None where none is, or it is no text."""
    if "variant" not in given or not reader.take_kind(place, VARIANT, given["variant"]):
        return None
    return str(given["variant"])
