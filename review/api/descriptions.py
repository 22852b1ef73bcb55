"""What the OpenAPI schema says of the review beyond what the code shows."""

import json
from pathlib import Path
from typing import Any

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)

from generation.api.schema_descriptions import KEY, replayed
from generation.api.schema_generator import page_of, ref
from generation.states import ReviewState
from review.api import review_serializers
from review.api.table_documents import TableDocument
from review.selectors.reviews import ReviewDocument
from review.services.retake_preview import RetakeDocument, StartedDocument
from review.states import Decision, Door

#: What a real web process answered, cut short.
EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("examples.json").read_text(encoding="utf-8")
)


def _review() -> dict[str, Any]:
    row: dict[str, Any] = resolve_type_hint(ReviewDocument)
    told = row["properties"]
    states = {"enum": [state.value for state in ReviewState]}
    told["decision"] |= {"enum": [decision.value for decision in Decision]}
    told["door"] |= {"enum": [door.value for door in Door]}
    told["made_at"] |= {"format": "date-time"}
    for place in (told, told["changed"]["items"]["properties"]):
        for name in ("seen", "was", "became"):
            if name in place:
                place[name] |= states
    return row


_ROW = _review()
_MADE = {
    "type": "object",
    "properties": {"reviews": {"type": "array", "items": _ROW}},
    "required": ["reviews"],
}


def _retake() -> dict[str, Any]:
    row: dict[str, Any] = resolve_type_hint(RetakeDocument)
    row["properties"]["review"] = _ROW
    return row


def _page(row: dict[str, Any]) -> dict[str, Any]:
    page = page_of("Error")
    page["properties"]["results"]["items"] = row
    return page


def _sent(name: str, *decisions: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, {"reviews": list(decisions)}, request_only=True)


_STARTED = {
    "type": "object",
    "properties": {"batches": {"type": "array", "items": resolve_type_hint(StartedDocument)}},
    "required": ["batches"],
}
_RETAKE = {
    "version": 12,
    "seen": "to_review",
    "decision": "retake",
    "comment": "The moon is too large.",
    "pin": {"x": 0.72, "y": 0.2},
}
_READ_BACK = extend_schema(
    operation_id="read_decisions",
    summary="Read a table of decisions back in: all of them, or none",
    parameters=[
        OpenApiParameter(
            "dry_run",
            str,
            enum=["0", "1", "false", "true"],
            description="1: say what would be decided and what was not understood; do nothing.",
        )
    ],
    request={"multipart/form-data": review_serializers.DecisionTable},
    responses={200: resolve_type_hint(TableDocument), 403: ref("Error"), 409: ref("Error")},
    examples=[
        OpenApiExample("Answer", EXAMPLES["read_back"], response_only=True, status_codes=["200"])
    ],
)
REVIEWS = extend_schema_view(
    read_table=_READ_BACK,
    list=extend_schema(
        operation_id="reviews",
        summary="List what was decided about versions, the newest first",
        responses={200: _page(_ROW)},
        examples=[OpenApiExample("Answer", EXAMPLES["listed"], response_only=True)],
    ),
    create=extend_schema(
        operation_id="decide",
        summary="Decide about versions: approve, retake, reopen, undo, comment",
        parameters=[KEY, replayed("This key's decisions were taken by an earlier request.")],
        request=review_serializers.Reviews,
        responses={201: _MADE, 409: ref("Error")},
        examples=[
            _sent("Approve", {"version": 12, "seen": "to_review", "decision": "approve"}),
            _sent("Retake", _RETAKE),
            _sent("Undo", {"version": 12, "seen": "approved", "decision": "undo"}),
            OpenApiExample("Answer", EXAMPLES["decided"], response_only=True, status_codes=["201"]),
        ],
    ),
)
RETAKES = extend_schema_view(
    list=extend_schema(
        operation_id="retakes",
        summary="List the plans that are to be made again, and what with",
        responses={200: _page(_retake())},
        examples=[OpenApiExample("Answer", EXAMPLES["retakes"], response_only=True)],
    ),
    create=extend_schema(
        operation_id="start_retakes",
        summary="Make plans again that are retakes",
        parameters=[KEY, replayed("This key's retakes were started by an earlier request.")],
        request=review_serializers.Retakes,
        responses={201: _STARTED, 409: ref("Error")},
        examples=[
            OpenApiExample(
                "Two of them",
                {
                    "retakes": [
                        {"version": 12, "seed": "new", "prompt_addition": "a smaller moon"},
                        {"version": 14, "seed": "same", "params": {"steps": 40}},
                    ]
                },
                request_only=True,
            ),
            OpenApiExample("Answer", EXAMPLES["started"], response_only=True, status_codes=["201"]),
        ],
    ),
)
