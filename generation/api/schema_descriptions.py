"""What the OpenAPI schema says beyond what the code shows: summaries, bodies, answers, examples."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)

from generation.api import request_serializers
from generation.api.mime_types import CONTENT_TYPES
from generation.api.schema_generator import page_of, ref
from generation.api.serializers import (
    BatchShape,
    GraphShape,
    PlanShape,
    TokenShape,
    VersionShape,
    WorkflowShape,
)

#: What a real web process answered, cut short.
EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("examples.json").read_text(encoding="utf-8")
)
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
FILENAME = "E202_SQ0010-0010_AI-concept_v0001.png"
ONE_PLAN = {"batch_id": "9f1c2d3e4b5a6978", "sequence_id": "SQ0010", "plan": "0010"}
PANEL = {
    "project_id": "madsea-2025-ep202",
    "season": "S02",
    "episode": "E202",
    "sequence_id": "SQ0010",
    "plan": "0010",
    "file": "(the bytes of a PNG, JPEG or WebP)",
}
UPLOAD = ONE_PLAN | {"file": PANEL["file"]}

_EVENTS = """retry: 2616

id: 311
event: reset
data: {}

id: 312
event: changed
data: {"batches":[],"plans":[7],"versions":[4711]}

"""
_STATUS = ref("StatusDocument")
#: Where the state, or an earlier request, may be in the way.
_CONFLICT = {409: ref("Error")}
_PICTURES: dict[Any, Any] = {
    (200, kind): OpenApiTypes.BINARY for kind in sorted({*CONTENT_TYPES.values()})
}
_BATCH_ID = OpenApiParameter("batch_id", str, required=True)
_WHOLE = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_SINCE = OpenApiParameter(
    "since",
    _WHOLE,
    description="A revision: plans, logs and results hold what changed after it.",
)
_SEEN = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Of the client's own choice, new for each request: sent again with the same body,"
    " it gets the first answer and makes nothing. Kept for MADSEA_IDEMPOTENCY_H hours.",
)


def replayed(meaning: str) -> OpenApiParameter:
    """Return the header of an answer that an earlier request with the same key got."""
    return OpenApiParameter(
        "Idempotent-Replayed",
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        description=meaning,
        response=[201],
    )


_REPLAYED = replayed("This key's batch was made by an earlier request.")
_DRY_RUN = OpenApiParameter(
    "dry_run",
    {"type": "string", "enum": ["0", "1", "false", "true"]},
    description="1: say what the request would make (200), and make nothing.",
)


def _in_path(name: str, example: str, words: str) -> OpenApiParameter:
    examples = [OpenApiExample("Example", example)]
    place = OpenApiParameter.PATH
    return OpenApiParameter(name, str, place, required=True, description=words, examples=examples)


def _sent(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _got(name: str, status: int = 200) -> OpenApiExample:
    return OpenApiExample("Answer", EXAMPLES[name], response_only=True, status_codes=[status])


def reads(name: str, what: str) -> Callable[[type[Any]], type[Any]]:
    """Describe the list and the rows of a view; `what` is one row, as `a batch`."""
    described: Callable[[type[Any]], type[Any]] = extend_schema_view(
        list=extend_schema(summary=f"List {name}", examples=[_got(name)]),
        retrieve=extend_schema(summary=f"Read {what}", examples=[_got(name)]),
    )
    return described


GENERATE = extend_schema_view(
    create=extend_schema(
        operation_id="generate",
        summary="Ask for plans",
        parameters=[KEY, _REPLAYED, _DRY_RUN],
        request={"application/json": ref("GenerateRequest")},
        responses={200: ref("DryRunDocument"), 201: ref("CreatedDocument"), **_CONFLICT},
        examples=[
            _sent("Specification", EXAMPLE_REQUEST),
            _got("created", 201),
            _got("dry_run", 200),
        ],
    ),
    status=extend_schema(
        operation_id="status",
        summary="Follow a batch",
        parameters=[_BATCH_ID, _SINCE, _SEEN],
        responses={200: _STATUS, 304: None},
        examples=[_got("status")],
    ),
    retry=extend_schema(
        operation_id="retry",
        summary="Retry a plan, or all that failed",
        request=request_serializers.Retry,
        responses={200: _STATUS, **_CONFLICT},
        examples=[_sent("One plan", ONE_PLAN), _got("status")],
    ),
    cancel=extend_schema(
        operation_id="cancel",
        summary="Cancel a batch, or one plan of it",
        request=request_serializers.Cancel,
        responses={200: _STATUS, **_CONFLICT},
        examples=[
            _sent("Batch", {"batch_id": ONE_PLAN["batch_id"]}),
            _sent("One plan", ONE_PLAN),
            _got("status"),
        ],
    ),
    upload=extend_schema(
        operation_id="upload",
        summary="Upload the image of a plan",
        request={"multipart/form-data": request_serializers.Upload},
        responses={201: VersionShape, **_CONFLICT},
        examples=[_sent("One plan", UPLOAD), _got("version", 201)],
    ),
)
PANELS = extend_schema_view(
    create=extend_schema(
        operation_id="send_panel",
        summary="Send the storyboard panel of a plan",
        request={"multipart/form-data": request_serializers.Panel},
        responses={201: VersionShape, **_CONFLICT},
        examples=[_sent("One plan", PANEL), _got("version", 201)],
    )
)
TOKEN = extend_schema_view(
    create=extend_schema(
        operation_id="token",
        summary="Get a token",
        request=request_serializers.Credentials,
        responses={200: TokenShape, 429: ref("Error")},
        examples=[
            _sent("Somebody", {"username": "lea", "password": "correct horse battery staple"}),
            _got("token"),
        ],
        auth=[],
    )
)
BATCHES = extend_schema_view(
    list=extend_schema(summary="List batches, the newest first", examples=[_got("batches")]),
    retrieve=extend_schema(summary="Read a batch", examples=[_got("batches")]),
    partial_update=extend_schema(
        operation_id="steer",
        summary="Change a batch's priority, tries and name, pause or resume it",
        request=request_serializers.Steer,
        responses={200: BatchShape, **_CONFLICT},
        examples=[
            _sent("Pause", {"paused": True}),
            _sent("First of all", {"priority": 100}),
            _sent("Give up at once", {"max_tries": 1}),
            _sent("Call it otherwise", {"name": "Retakes of the forest"}),
            _got("batches"),
        ],
    ),
)
PLANS = extend_schema_view(
    list=extend_schema(summary="List plans", examples=[_got("plans")]),
    retrieve=extend_schema(summary="Read a plan, its texts and versions", examples=[_got("plans")]),
    partial_update=extend_schema(
        operation_id="write_plan",
        summary="Change what is known of a plan, put it on hold or omit it",
        request=request_serializers.PlanTexts,
        responses={200: PlanShape, **_CONFLICT},
        examples=[
            _sent("Texts", {"description": "a cat on the wall", "style": "labo"}),
            _sent("On hold", {"production_status": "on_hold", "text_revision": 1}),
            _got("plans"),
        ],
    ),
)
PLAN_TEXTS = extend_schema_view(
    list=extend_schema(
        operation_id="plan_texts",
        summary="What was changed of a plan, the newest first",
        examples=[_got("plan_texts")],
    )
)
VERSION = extend_schema_view(
    list=extend_schema(
        operation_id="versions",
        summary="List the published files, the newest first",
        examples=[_got("version")],
    ),
    retrieve=extend_schema(
        summary="Read a version, with fresh addresses", examples=[_got("version")]
    ),
)
RECIPE_OF_VERSION = extend_schema_view(
    retrieve=extend_schema(
        operation_id="recipe",
        summary="Read what made a version",
        responses={200: ref("Recipe")},
        examples=[_got("recipe")],
    )
)
RECIPES = extend_schema_view(
    retrieve=extend_schema(
        operation_id="recipe_by_hash",
        summary="Read what made the picture with a SHA-256: of its file, as served, of its pixels",
        parameters=[_in_path("sha256", EXAMPLES["version"]["sha256"], "One of its three hashes.")],
        responses={200: ref("FoundRecipe")},
        examples=[_got("found_recipe")],
    ),
    create=extend_schema(
        operation_id="recipe_lookup",
        summary="Read what made the picture in a file, renamed or without its metadata",
        request={"multipart/form-data": request_serializers.Lookup},
        responses={200: ref("FoundRecipe")},
        examples=[_sent("A file", {"file": PANEL["file"]}), _got("found_recipe")],
    ),
)
RERUN = extend_schema_view(
    create=extend_schema(
        operation_id="rerun",
        summary="Make a version's picture again",
        parameters=[KEY, _REPLAYED],
        request=request_serializers.Rerun,
        responses={201: ref("CreatedDocument"), **_CONFLICT},
        examples=[
            _sent("As it was", {}),
            _sent("With another seed", {"seed": "new"}),
            _sent(
                "Of other plans",
                {"plans": [{"sequence_id": "SQ0010", "plan": "0020"}], "seed": 1234},
            ),
            _got("rerun", 201),
        ],
    )
)
QUEUE = extend_schema_view(
    list=extend_schema(
        operation_id="queue",
        summary="The plans that wait for a server, in the order of their turn",
        parameters=[
            OpenApiParameter("batch_id", str),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
        responses={
            200: page_of(
                "QueueLine",
                reasons=resolve_type_hint(dict[str, str]),
                expected_end={"type": "string", "format": "date-time", "nullable": True},
            )
        },
        examples=[_got("queue")],
    )
)
LOGS = extend_schema_view(
    list=extend_schema(
        operation_id="logs",
        summary="The log of a batch, the oldest first",
        responses={200: page_of("LogLine")},
        examples=[_got("logs")],
    )
)
WORKFLOWS = extend_schema_view(
    list=extend_schema(
        operation_id="workflows",
        summary="List the workflows that a request can name",
        responses={200: WorkflowShape(many=True)},
        examples=[_got("workflow")],
    ),
    retrieve=extend_schema(
        operation_id="workflow",
        summary="Read a workflow",
        responses={200: WorkflowShape},
        examples=[_got("workflow")],
    ),
    graph=extend_schema(
        operation_id="workflow_graph",
        summary="Read the graph of a workflow, in ComfyUI's API format",
        responses={200: GraphShape},
        examples=[_got("graph")],
    ),
    create=extend_schema(
        operation_id="give_workflow",
        summary="Give a workflow, or a new export of one",
        request={"multipart/form-data": request_serializers.WorkflowFile},
        responses={200: WorkflowShape, 201: WorkflowShape, **_CONFLICT},
        examples=[
            _sent("One file", {"file": "(the bytes of the file)", "name": "Forest.json"}),
            _got("workflow", 201),
        ],
    ),
    partial_update=extend_schema(
        operation_id="change_workflow",
        summary="Answer a workflow's questions, choose what it offers",
        request=request_serializers.ContractChange,
        responses={200: WorkflowShape, **_CONFLICT},
        examples=[
            _sent("Answer", {"answers": {"which_panel": "10"}}),
            _sent("Choose", {"parameters": {"steps": {"label": "Steps", "max": 60, "preset": 24}}}),
            _got("workflow"),
        ],
    ),
)
EVENTS = extend_schema_view(
    get=extend_schema(
        operation_id="events",
        summary="Listen to what changes of an episode, or of all (Server-Sent Events)",
        parameters=[
            OpenApiParameter(
                "episode_id",
                {"oneOf": [_WHOLE, {"type": "string", "enum": ["all"]}]},
                required=True,
                description="An id of `/api/episodes`; or `all`, for lists and overviews.",
            ),
            OpenApiParameter(
                "last_event_id",
                str,
                description="The id of the last event that was heard, where the header cannot be"
                " set.",
            ),
            OpenApiParameter(
                "Last-Event-ID",
                str,
                OpenApiParameter.HEADER,
                description="What was missed since is told first. Browsers send it by themselves.",
            ),
        ],
        responses={
            (200, "text/event-stream"): OpenApiTypes.STR,
            429: ref("Error"),
        },
        examples=[
            OpenApiExample("Answer", _EVENTS, response_only=True, media_type="text/event-stream"),
        ],
    )
)
FILES = extend_schema_view(
    get=extend_schema(
        operation_id="file",
        summary="A file, or its thumbnail",
        parameters=[
            OpenApiParameter("w", int, description="Width of a thumbnail in pixels."),
            _in_path("signed", "12", "A version's id for who is signed in, or a signature."),
            _in_path("filename", FILENAME, "The name of that version."),
        ],
        responses={**_PICTURES, 304: None},
    )
)


def one_of_each(endpoints: list[tuple[Any, ...]], **_: Any) -> list[tuple[Any, ...]]:
    """Leave out the second address of each endpoint, the one with a slash at its end."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]
