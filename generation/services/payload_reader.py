"""What reading a payload takes: every problem collected, each with its place in the payload."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.comfyui.untrusted_json import is_storable
from generation.errors import Problem
from generation.services import request_fields, requested_workflows
from generation.services.request_fields import PAYLOAD, Fields, RequestField
from generation.workflows.parameters import shown
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from wording import say

#: How a name is checked, by the rule of the nomenclature that its field names.
CHECKS: Mapping[str, Callable[[object], str]] = {
    "project_id": rules.check_project_id,
    "season": rules.check_season,
    "episode": rules.check_episode,
    "sequence_id": rules.check_sequence_id,
    "plan": rules.check_plan,
}
_KINDS: Mapping[type, tuple[str, str]] = {
    str: ("not_a_string", "a string"),
    list: ("not_an_array", say("an array")),
    dict: ("not_an_object", say("an object")),
    int: ("not_a_number", say("a whole number")),
    bool: ("not_a_boolean", say("true or false")),
}


@dataclass
class Reader:
    """Collects the problems of one payload."""

    payload: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def add(self, attr: str, code: str, detail: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(attr, code, detail))

    def refuses(self, *keys: str) -> bool:
        """Tell whether something at or below these keys of the payload cannot be taken."""
        return any(problem.attr.partition(".")[0] in keys for problem in self.problems)

    def keys(self, given: Mapping[str, Any], fields: Fields, place: str = "") -> None:
        """Check that the required keys are there, and no unknown ones."""
        for key in request_fields.required(fields):
            if key not in given:
                self.add(f"{place}{key}", "required", say("{key} is required.", key=key))
        for key in given:
            if key not in fields:
                detail = say("Unknown key. Known: {fields}.", fields=", ".join(fields))
                self.add(f"{place}{requested_workflows.printable_key(key)}", "unknown_key", detail)

    def named(self, attr: str, check: Callable[[object], str], value: object) -> str | None:
        """Return a value that a rule of the nomenclature takes; None where it does not."""
        try:
            return check(value)
        except NomenclatureError as error:
            self.add(
                attr,
                error.code,
                say(
                    "Expected {expected}; got {value}.", expected=error.expected, value=shown(value)
                ),
            )
            return None

    def name(self, key: str) -> str | None:
        """Return the name under a key of the payload; None where it is missing or none."""
        check = CHECKS[PAYLOAD[key].rule]
        return self.named(key, check, self.payload[key]) if key in self.payload else None

    def take_kind(self, attr: str, field: RequestField, value: object) -> bool:
        """Record a value that is not of its field's kind; return whether it is."""
        if isinstance(value, field.kind) and isinstance(value, bool) == (field.kind is bool):
            return True
        code, kind = _KINDS[field.kind]
        self.add(attr, code, say("Expected {kind}, not {value}.", kind=kind, value=kind_of(value)))
        return False

    def number(self, key: str, default: int) -> int:
        """Return the whole number under a key of the payload; the default where it is none."""
        field, value = PAYLOAD[key], self.payload.get(key, default)
        if not self.take_kind(key, field, value):
            return default
        low, high = field.low or 0, field.high or 0
        if low <= value <= high:
            return int(value)
        self.add(
            key,
            "out_of_bounds",
            say(
                "It must be between {low} and {high}, not {value}.",
                low=low,
                high=high,
                value=shown(value),
            ),
        )
        return default

    def flag(self, key: str) -> bool:
        """Return what is said under a key of the payload; False where it is nothing."""
        value = self.payload.get(key, False)
        return self.take_kind(key, PAYLOAD[key], value) and bool(value)

    def text(self, key: str) -> str:
        """Return the text under a key of the payload; empty where there is none that fits."""
        field, value = PAYLOAD[key], self.payload.get(key, "")
        if not self.take_kind(key, field, value):
            return ""
        high = field.high or 0
        if len(value) > high:
            self.add(
                key,
                "too_long",
                say("At most {high:,} characters; it has {n:,}.", high=high, n=len(value)),
            )
        elif not is_storable(value):
            self.add(key, "bad_text", say("It holds characters that are no text."))
        return str(value)


def kind_of(value: object) -> str:
    """Return what kind of JSON a value is, with its article."""
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return kinds.get(type(value), say("an array") if isinstance(value, list) else say("an object"))
