"""What the OpenAPI schema says beyond what the code shows: bodies, answers, examples."""

from typing import Any

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)

from generation.api import requests
from generation.api.errors import ErrorDocument
from generation.api.shapes import BatchShape, GraphShape, VersionShape, WorkflowShape
from generation.selectors.batches import CreatedDocument
from generation.selectors.documents import StatusDocument
from generation.selectors.logs import LogLine
from generation.selectors.turns import QueueLine

EXAMPLE_REQUEST = {
    "project_id": "madsea-2025-ep202",
    "episode": "E202",
    "season": "S02",
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010", "0020", "0030"]}],
    "style": "ombres_chinoises",
    "workflow_json": "OmbresChinoises.json",
    "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
    "mode": "auto",
}
EXAMPLE_ANSWER = {
    "status": "started",
    "batch_id": "9f1c2d3e4b5a6978",
    "logs": [],
    "progress": 0,
    "results": [],
}
ONE_PLAN = {"batch_id": "9f1c2d3e4b5a6978", "sequence_id": "SQ0010", "plan": "0010"}

_ERROR = resolve_type_hint(ErrorDocument)
_STATUS = resolve_type_hint(StatusDocument)
_REFUSED = {400: _ERROR, 401: _ERROR}
_REFUSED_BY_STATE = _REFUSED | {404: _ERROR, 409: _ERROR}
_BATCH_ID = OpenApiParameter("batch_id", str, required=True)
_SINCE = OpenApiParameter(
    "since", int, description="A revision: plans, logs and results hold what changed after it."
)
_SEEN = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Of the client's own choice, new for each request: sent again with the same body,"
    " it gets the first answer and makes nothing. Kept for MADSEA_IDEMPOTENCY_H hours.",
)
_REPLAYED = OpenApiParameter(
    "Idempotent-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    description="This key's batch was made by an earlier request.",
    response=[201],
)


def _page_of(line: Any, **beside: Any) -> dict[str, Any]:
    address = {"type": "string", "format": "uri", "nullable": True}
    results = {"type": "array", "items": resolve_type_hint(line)}
    properties = {"count": {"type": "integer"}, "next": address, "previous": address, **beside}
    return {"type": "object", "properties": {**properties, "results": results}}


GENERATE = extend_schema_view(
    create=extend_schema(
        summary="Ask for plans",
        parameters=[_KEY, _REPLAYED],
        request=requests.GenerateRequest,
        responses={201: resolve_type_hint(CreatedDocument), 409: _ERROR, **_REFUSED},
        examples=[
            OpenApiExample("Specification", EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("Specification", EXAMPLE_ANSWER, response_only=True, status_codes=[201]),
        ],
    ),
    status=extend_schema(
        summary="Follow a batch",
        parameters=[_BATCH_ID, _SINCE, _SEEN],
        responses={200: _STATUS, 304: None, 404: _ERROR, **_REFUSED},
    ),
    retry=extend_schema(
        summary="Retry a plan, or all that failed",
        request=requests.Retry,
        responses={200: _STATUS, **_REFUSED_BY_STATE},
        examples=[OpenApiExample("One plan", ONE_PLAN, request_only=True)],
    ),
    cancel=extend_schema(
        summary="Cancel a batch, or one plan of it",
        request=requests.Cancel,
        responses={200: _STATUS, **_REFUSED_BY_STATE},
        examples=[
            OpenApiExample("Batch", {"batch_id": ONE_PLAN["batch_id"]}, request_only=True),
            OpenApiExample("One plan", ONE_PLAN, request_only=True),
        ],
    ),
    upload=extend_schema(
        summary="Upload the image of a plan",
        request={"multipart/form-data": requests.Upload},
        responses={201: VersionShape, **_REFUSED_BY_STATE},
    ),
)
PANELS = extend_schema_view(
    create=extend_schema(
        summary="Send the storyboard panel of a plan",
        request={"multipart/form-data": requests.Panel},
        responses={201: VersionShape, **_REFUSED},
    )
)
TOKEN = extend_schema_view(
    create=extend_schema(
        summary="Get a token",
        request=requests.Credentials,
        responses={
            200: resolve_type_hint(dict[str, str]),
            **_REFUSED,
            429: _ERROR,
        },
        examples=[
            OpenApiExample("Token", {"token": "c0ffee" + "0" * 34}, response_only=True),
        ],
        auth=[],
    )
)
BATCHES = extend_schema_view(
    partial_update=extend_schema(
        summary="Change a batch's priority and tries, pause or resume it",
        request=requests.Steer,
        responses={200: BatchShape, **_REFUSED_BY_STATE},
        examples=[
            OpenApiExample("Pause", {"paused": True}, request_only=True),
            OpenApiExample("First of all", {"priority": 100}, request_only=True),
            OpenApiExample("Give up at once", {"max_tries": 1}, request_only=True),
        ],
    )
)
QUEUE = extend_schema_view(
    list=extend_schema(
        summary="The plans that wait for a server, in the order of their turn",
        parameters=[
            OpenApiParameter("batch_id", str),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses={
            200: _page_of(QueueLine, reasons=resolve_type_hint(dict[str, str])),
            404: _ERROR,
            **_REFUSED,
        },
    )
)
LOGS = extend_schema_view(
    list=extend_schema(
        summary="The log of a batch", responses={200: _page_of(LogLine), 404: _ERROR, **_REFUSED}
    )
)
WORKFLOWS = extend_schema_view(
    list=extend_schema(summary="All workflows", responses={200: WorkflowShape(many=True)}),
    retrieve=extend_schema(summary="One workflow", responses={200: WorkflowShape, 404: _ERROR}),
    graph=extend_schema(
        summary="The graph of a workflow",
        responses={200: GraphShape, 400: _ERROR, 404: _ERROR},
    ),
)
FILES = extend_schema_view(
    get=extend_schema(
        summary="A file, or its thumbnail",
        parameters=[OpenApiParameter("w", int, description="Width of a thumbnail in pixels.")],
        responses={(200, "image/*"): OpenApiTypes.BINARY, 304: None, 404: _ERROR},
    )
)


def one_of_each(endpoints: list[tuple[Any, ...]], **_: Any) -> list[tuple[Any, ...]]:
    """Leave out the second address of each endpoint, the one with a slash at its end."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]
