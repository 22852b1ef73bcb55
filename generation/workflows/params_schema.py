"""The JSON Schema of what a workflow's `params` may be."""

from collections.abc import Mapping
from typing import Any

from generation.workflows.parameters import Parameter

_TYPES = {"INT": "integer", "FLOAT": "number", "STRING": "string", "BOOLEAN": "boolean"}


def schema(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the schema of an object of these parameters: any of them, and no other.

    Images are left out, as they cannot be given by name. A seed may be a text of digits.
    """
    given = {name: _of(parameter) for name, parameter in parameters.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: of for name, of in given.items() if of},
    }


def _of(parameter: Parameter) -> dict[str, Any]:
    """Return the schema of one parameter; empty for what cannot be given."""
    if parameter.type == "IMAGE" or not parameter.is_offered:
        return {}
    described = {"title": parameter.label} if parameter.label else {}
    return described | _type_of(parameter)


def _type_of(parameter: Parameter) -> dict[str, Any]:
    if parameter.type == "SEED":
        number = _number("integer", parameter)
        return {"anyOf": [number, {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}]}
    if parameter.type == "COMBO":
        return {"enum": list(parameter.options)} if parameter.options else {"type": "string"}
    kind = _TYPES[parameter.type]
    if kind == "string":
        return {"type": kind, "maxLength": parameter.max_characters}
    return {"type": kind} if kind == "boolean" else _number(kind, parameter)


def _number(kind: str, parameter: Parameter) -> dict[str, Any]:
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    return {"type": kind, **{name: bound for name, bound in bounds.items() if bound is not None}}
