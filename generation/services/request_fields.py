"""What a request for plans may hold: the one table that it is read and described by.

`services.request_validation` checks payloads against it, and the OpenAPI schema is made of it. What
a name looks like stands in the nomenclature's own table. Source: specification, section 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.conf import settings

from generation.models.batch import (
    NAME_MAX,
    PRIORITY_HIGH,
    PRIORITY_LOW,
    REASON_MAX,
    VARIATIONS_MAX,
)
from generation.states import Mode
from nomenclature import rules


@dataclass(frozen=True)
class RequestField:
    """One key: of which kind its value is, what else it must be, and what it means.

    `kind` is the Python type of the decoded JSON; `rule` names a rule of the nomenclature;
    `choices` are the values that are allowed; `low` and `high` bound a number, or the length of a
    text. `of` describes the items of an array, which is never empty; `or_object` the keys of an
    object that may be given instead of the value.
    """

    kind: type
    is_required: bool = False
    rule: str = ""
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    of: "RequestField | Mapping[str, RequestField] | None" = None
    or_object: "Mapping[str, RequestField] | None" = None
    meaning: str = ""


Fields = Mapping[str, RequestField]

VARIANT = RequestField(
    str,
    meaning="One of the style's `variants` of light: its values, over the style's, below `params`.",
)
PLAN: Fields = MappingProxyType(
    {
        "plan": RequestField(str, is_required=True, rule="plan"),
        "params": RequestField(dict, meaning="For this plan alone, over those of its sequence."),
        "variant": VARIANT,
    }
)
SEQUENCE: Fields = MappingProxyType(
    {
        "sequence_id": RequestField(str, is_required=True, rule="sequence_id"),
        "plans": RequestField(
            list, is_required=True, of=RequestField(str, rule="plan", or_object=PLAN)
        ),
        "params": RequestField(dict, meaning="For these plans, over those of the request."),
        "variant": VARIANT,
    }
)
PAYLOAD: Fields = MappingProxyType(
    {
        "project_id": RequestField(str, is_required=True, rule="project_id"),
        "episode": RequestField(
            str, is_required=True, rule="episode", meaning="One of the season."
        ),
        "season": RequestField(str, is_required=True, rule="season"),
        "sequences": RequestField(
            list, is_required=True, of=SEQUENCE, meaning="No plan stands in it twice."
        ),
        "style": RequestField(str, is_required=True, meaning="One of `GET /api/styles`."),
        "workflow_json": RequestField(
            str, meaning="One of `GET /api/workflows`; without it the style's own."
        ),
        "params": RequestField(
            dict, meaning="What the workflow has: `schema` in `GET /api/workflows/{name}`."
        ),
        "variant": VARIANT,
        "mode": RequestField(
            str, choices=tuple(Mode), meaning="`auto` renders, `manuel` waits for uploads."
        ),
        "variations": RequestField(
            int, low=1, high=VARIATIONS_MAX, meaning="Pictures of each plan, each of its own seed."
        ),
        "priority": RequestField(
            int, low=PRIORITY_LOW, high=PRIORITY_HIGH, meaning="Higher goes first; else 0."
        ),
        "force": RequestField(
            bool, meaning="Approved plans are made anew, too: it takes a `reason`."
        ),
        "name": RequestField(str, high=NAME_MAX, meaning="What people call the batch."),
        "reason": RequestField(str, high=REASON_MAX, meaning="Why it is asked for."),
    }
)


def required(fields: Fields) -> list[str]:
    """Return the keys that must be there."""
    return [name for name, field in fields.items() if field.is_required]


def json_schema(fields: Fields) -> dict[str, Any]:
    """Return the JSON Schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": {name: _schema_of(field) for name, field in fields.items()},
        "required": required(fields),
        "additionalProperties": False,
    }


def name_schema(rule: str) -> dict[str, Any]:
    """Return the JSON Schema of a name of the nomenclature."""
    rule_of_name = rules.RULES[rule]
    return {
        "type": "string",
        "pattern": f"^(?:{rule_of_name.pattern.pattern})$",
        "description": f"{rule_of_name.expected[0].upper()}{rule_of_name.expected[1:]}.",
    }


def _schema_of(field: RequestField) -> dict[str, Any]:
    schema: dict[str, Any] = name_schema(field.rule) if field.rule else _SCHEMAS[field.kind].copy()
    low, high = _BOUNDS.get(field.kind, ("", ""))
    if field.low is not None:
        schema[low] = field.low
    if field.high is not None:
        schema[high] = field.high
    if field.choices:
        schema["enum"] = [str(choice) for choice in field.choices]
    if field.of is not None:
        schema["items"] = (
            _schema_of(field.of) if isinstance(field.of, RequestField) else json_schema(field.of)
        )
        schema |= {"minItems": 1, "maxItems": settings.MADSEA_PLANS_MAX}
    if field.meaning:
        schema["description"] = f"{schema.get('description', '')} {field.meaning}".strip()
    return schema if field.or_object is None else {"oneOf": [schema, json_schema(field.or_object)]}


#: What JSON Schema calls the bounds of a kind.
_BOUNDS: Mapping[type, tuple[str, str]] = {
    int: ("minimum", "maximum"),
    str: ("minLength", "maxLength"),
}
_SCHEMAS: Mapping[type, dict[str, Any]] = {
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    list: {"type": "array"},
    dict: {"type": "object", "additionalProperties": True},
}
