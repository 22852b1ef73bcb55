"""How the OpenAPI schema is made: of what views, fields and documents say, and of nothing else.

Docstrings are for who reads the code and stay there. The statuses that any operation may answer are
added by one rule, and documents that pass no serializer are components made of their types.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import resolve_type_hint

from generation.api.errors import ErrorDocument
from generation.events import LEVELS
from generation.models import Version
from generation.selectors.batches import CreatedDocument
from generation.selectors.episode_changes import ChangesDocument
from generation.selectors.logs import LogLine
from generation.selectors.recipes import HASHES, FoundRecipe, Recipe
from generation.selectors.render_queue import QueueLine
from generation.selectors.status_documents import StatusDocument
from generation.services import request_fields
from generation.services.dry_runs import DryRunDocument
from generation.states import AttemptOutcome, BatchState, Mode, RunState, ServerHealth

Schema = dict[str, Any]
_UNSAFE = {"POST", "PATCH"}
_LEVELS = list(LEVELS)

#: The documents that are made without a serializer.
_DOCUMENTS: Mapping[str, Any] = {
    "Error": ErrorDocument,
    "ChangesDocument": ChangesDocument,
    "CreatedDocument": CreatedDocument,
    "DryRunDocument": DryRunDocument,
    "StatusDocument": StatusDocument,
    "LogLine": LogLine,
    "QueueLine": QueueLine,
    "Recipe": Recipe,
    "FoundRecipe": FoundRecipe,
}
_TIME: Schema = {"format": "date-time"}
_RECIPE: Mapping[str, Schema] = {
    "version.url": {"format": "uri"},
    "version.thumbnail_url": {"format": "uri"},
    "origin": {"enum": Version.Origin.values},
    "published_at": _TIME,
    "requested_at": _TIME,
    "attempts.outcome": {"enum": list(AttemptOutcome)},
    "attempts.begun_at": _TIME,
    "attempts.posted_at": _TIME,
    "attempts.finished_at": _TIME,
}
#: What their strings are, by the way to them.
_STRINGS: Mapping[str, Mapping[str, Schema]] = {
    "ChangesDocument": {"batches.status": {"enum": list(BatchState)}},
    "CreatedDocument": {
        "status": {"enum": [BatchState.STARTED.value]},
        "logs.level": {"enum": _LEVELS},
    },
    "StatusDocument": {
        "status": {"enum": list(BatchState)},
        "logs.level": {"enum": _LEVELS},
        "logs.time": {"format": "date-time"},
        "expected_end": _TIME,
        "logs_url": {"format": "uri"},
        "plans.status": {"enum": list(RunState)},
        "results.url": {"format": "uri"},
        "results.thumbnail_url": {"format": "uri"},
    },
    "DryRunDocument": {
        "mode": {"enum": list(Mode)},
        "servers.health": {"enum": list(ServerHealth)},
    },
    "LogLine": {"level": {"enum": _LEVELS}, "time": {"format": "date-time"}},
    "Recipe": _RECIPE,
    "FoundRecipe": {**_RECIPE, "matched_by": {"enum": list(HASHES)}},
    "QueueLine": {"requested_at": _TIME, "expected_end": _TIME},
}


class Described(AutoSchema):  # type: ignore[misc]
    """The schema of one operation."""

    def get_description(self) -> str:
        """Return nothing: what is to be read is given beside the operation's summary."""
        return ""

    def get_operation(self, *arguments: Any, **options: Any) -> Schema | None:
        """Return the operation with every status that it may answer."""
        operation: Schema | None = super().get_operation(*arguments, **options)
        if operation:
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            told = {int(status): answer for status, answer in operation["responses"].items()}
            wrong = {*self._statuses(), *(status for status in told if status >= 400)}
            told |= {status: _error(status) for status in wrong}
            operation["responses"] = {
                str(status): answer for status, answer in sorted(told.items())
            }
        return operation

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Where a schema is given as it is, it is that of the whole page.
        told = self.get_response_serializers() if serializer is None else serializer
        if isinstance(told, dict) and any(isinstance(each, dict) for each in told.values()):
            return False
        return bool(super()._is_list_view(serializer))

    def _statuses(self) -> list[int]:
        statuses = [400, 401, 404, 405, 406, 503]
        if self.method in _UNSAFE:
            statuses += [403, 408, 413, 415]
        return statuses


def ref(name: str) -> Schema:
    """Return what stands for a component."""
    return {"$ref": f"#/components/schemas/{name}"}


_WORDS: Mapping[int, str] = {
    400: "It cannot be done as it is asked: `errors` names each problem and its place.",
    401: "Nobody is signed in, or the token is not valid.",
    403: "The session's CSRF token is missing.",
    404: "There is no such thing.",
    405: "The address has no such method; `Allow` names those that it has.",
    406: "The answer is JSON, and `Accept` rules that out.",
    408: "The body has not come in time.",
    409: "Its state, or an earlier request with this key, does not allow it.",
    413: "The body is larger than this address takes.",
    415: "The body is of a kind that this address does not take.",
    429: "Too many at once: `Retry-After` says for how many seconds to wait.",
    503: "Something is away for the moment: `Retry-After` says when to try again.",
}
#: What a seed may be as a text.
SEED = "^(new|0|[1-9][0-9]{0,19})$"
_CODES: Mapping[int, str] = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timeout",
    409: "not_allowed_now",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    503: "database_unavailable",
}


def _error(status: int) -> Schema:
    line = {"code": _CODES[status], "detail": _WORDS[status], "attr": None}
    content = {"schema": ref("Error"), "example": {**line, "errors": [line]}}
    return {"description": _WORDS[status], "content": {"application/json": content}}


def page_of(name: str, **beside: Schema) -> Schema:
    """Return the schema of a page of a list of documents."""
    address = {"type": "string", "format": "uri", "nullable": True}
    properties = {"count": {"type": "integer"}, "next": address, "previous": address, **beside}
    properties["results"] = {"type": "array", "items": ref(name)}
    return {"type": "object", "properties": properties, "required": list(properties)}


class SeedSchema(OpenApiSerializerFieldExtension):  # type: ignore[misc]
    """Describes a seed: a number, the text of its digits, or `new`."""

    target_class = "generation.api.request_serializers.Seed"

    def map_serializer_field(self, _auto_schema: Any, _direction: Any) -> Schema:
        """Return what it may be."""
        return {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": SEED}]}


class NamedSchema(OpenApiSerializerFieldExtension):  # type: ignore[misc]
    """Describes a name by the rule that it is checked by."""

    target_class = "generation.api.request_serializers.Named"

    def map_serializer_field(self, _auto_schema: Any, _direction: Any) -> Schema:
        """Return the rule's pattern and words."""
        return request_fields.name_schema(self.target.rule)


def with_documents(result: Schema, **_: Any) -> Schema:
    """Add the components that pass no serializer, and forbid what is refused.

    Called by drf-spectacular when everything else is there.
    """
    schemas: Schema = result["components"]["schemas"]
    for name, component in schemas.items():
        if name.endswith("Request"):
            component["additionalProperties"] = False
    schemas |= {name: _document(name) for name in _DOCUMENTS}
    for component in schemas.values():
        _without_docstrings(component)
    schemas["GenerateRequest"] = request_fields.json_schema(request_fields.PAYLOAD)
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def _without_docstrings(schema: Any) -> None:
    """Take off what stands there of classes; each property keeps its own words."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.pop("description", None)
        for below in schema.values():
            _without_docstrings(below)


def _document(name: str) -> Schema:
    schema: Schema = resolve_type_hint(_DOCUMENTS[name])
    for way, more in _STRINGS.get(name, {}).items():
        place = schema
        for step in way.split("."):
            place = place.get("items", place)["properties"][step]
        place |= {key: _plain(value) for key, value in more.items()}
    return schema


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [each.value if isinstance(each, StrEnum) else each for each in value]
