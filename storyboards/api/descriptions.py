"""What the OpenAPI schema says of storyboards beyond what the code shows."""

import json
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

from generation.api.mime_types import CONTENT_TYPES
from generation.api.schema_generator import page_of, ref
from storyboards.api import storyboard_serializers
from storyboards.selectors.documents import ImportDocument, StoryboardDocument

#: What a real web process answered, cut short.
EXAMPLES: dict[str, Any] = json.loads(
    Path(__file__).with_name("examples.json").read_text(encoding="utf-8")
)
_LISTED, _WHOLE = resolve_type_hint(ImportDocument), resolve_type_hint(StoryboardDocument)
_CONFLICT = {409: ref("Error")}
_PICTURES: dict[Any, Any] = {
    (200, kind): OpenApiTypes.BINARY for kind in sorted({*CONTENT_TYPES.values()})
}
_ID = OpenApiParameter(
    "storyboard_id",
    str,
    OpenApiParameter.PATH,
    required=True,
    description="As the answer to its file gave it.",
    examples=[OpenApiExample("Example", "9f1c2d3e4b5a6978")],
)

_BOARDS = OpenApiParameter(
    "boards",
    {"type": "string", "pattern": f"^{storyboard_serializers.POSITIONS}$"},
    OpenApiParameter.QUERY,
    description="The positions of the boards that are told; without it, all of them.",
    examples=[OpenApiExample("Example", "1-200,305")],
)


def _sent(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def _got(name: str, status: int = 200) -> OpenApiExample:
    return OpenApiExample("Answer", EXAMPLES[name], response_only=True, status_codes=[status])


def _page(row: dict[str, Any]) -> dict[str, Any]:
    page = page_of("Error")
    page["properties"]["results"]["items"] = row
    return page


STORYBOARDS = extend_schema_view(
    list=extend_schema(
        operation_id="storyboards",
        summary="List the storyboards that came in, the newest first",
        responses={200: _page(_LISTED)},
        examples=[_got("listed")],
    ),
    create=extend_schema(
        operation_id="give_storyboard",
        summary="Give an episode's storyboard, which is read then",
        request={"multipart/form-data": storyboard_serializers.NewStoryboard},
        responses={202: _LISTED},
        examples=[
            _sent(
                "A PDF",
                {
                    "file": "(the bytes of the file)",
                    "project_id": "madsea-2025-ep202",
                    "season": "S02",
                    "episode": "E202",
                },
            ),
            _got("reading", 202),
        ],
    ),
    retrieve=extend_schema(
        operation_id="storyboard",
        summary="Read a storyboard: how far it is, its boards, what they would do",
        parameters=[_ID, _BOARDS],
        responses={200: _WHOLE},
        examples=[_got("draft")],
    ),
    change_boards=extend_schema(
        operation_id="change_boards",
        summary="Correct boards of a draft, and where its sequences begin",
        parameters=[_ID, _BOARDS],
        request=storyboard_serializers.Boards,
        responses={200: _WHOLE, **_CONFLICT},
        examples=[
            _sent(
                "Two boards",
                {
                    "boards": [
                        {"position": 1, "style": "labo", "checked": True},
                        {"position": 2, "selected": False},
                    ]
                },
            ),
            _sent("A boundary", {"boards": [{"position": 12, "begins_sequence": True}]}),
            _got("draft"),
        ],
    ),
    confirm=extend_schema(
        operation_id="confirm_storyboard",
        summary="Make the plans of a draft, with their panels and texts",
        parameters=[_ID, _BOARDS],
        request=storyboard_serializers.Confirm,
        responses={200: _WHOLE, **_CONFLICT},
        examples=[
            _sent("As it is now", {}),
            _sent("As it was seen", {"revision": 7}),
            _got("draft"),
        ],
    ),
    destroy=extend_schema(
        operation_id="delete_storyboard",
        summary="Delete a storyboard that is not confirmed, with its files",
        parameters=[_ID],
        responses={204: None, **_CONFLICT},
    ),
)
PICTURE = extend_schema_view(
    get=extend_schema(
        operation_id="storyboard_picture",
        summary="A board's picture, or its thumbnail",
        parameters=[
            OpenApiParameter(
                "signed",
                str,
                OpenApiParameter.PATH,
                required=True,
                description="As an answer gave the address.",
                examples=[OpenApiExample("Example", "9f1c2d3e4b5a6978:1tJq9w:K5yF")],
            )
        ],
        responses=_PICTURES,
    )
)
