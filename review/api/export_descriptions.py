"""What the OpenAPI schema says of what is taken away, read back in, and of the summary."""

from typing import Any

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)

from generation.api.schema_generator import ref
from review.api.descriptions import EXAMPLES
from review.selectors.light_table import Show
from review.selectors.summary import SummaryDocument
from review.sheets.job import PAGES

_WHOLE = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_SHOWN = [
    OpenApiParameter("episode_id", _WHOLE, required=True),
    OpenApiParameter(
        "sequence_id",
        str,
        description="Without it the whole episode.",
        examples=[OpenApiExample("A sequence", "SQ0010")],
    ),
    OpenApiParameter("show", str, enum=[show.value for show in Show], description="As `all`."),
    OpenApiParameter("style", str, description="The code of a style."),
]
_NAME = OpenApiParameter(
    "Content-Disposition", str, OpenApiParameter.HEADER, response=[200], description="Its name."
)
_TABLE = """plan;label;decision;comment;by;when;seen;file;version;sequence;episode;project
SQ0010-0010;1A;retake;The moon is too large.;supervisor;2026-11-26 09:12:04;retake;\
E202_SQ0010-0010_AI-concept_v0001.png;2;SQ0010;E202;madsea-2025-ep202
"""


def _file(name: str, summary: str, kind: str, *more: Any, **options: Any) -> Any:
    operation = extend_schema(
        operation_id=name,
        summary=summary,
        parameters=[*_SHOWN, *more, _NAME],
        responses={(200, kind): OpenApiTypes.BINARY, 404: ref("Error")},
        **options,
    )
    return extend_schema_view(get=operation)


ZIP = _file(
    "pictures_zip",
    "Take away the pictures that a filter of the light table shows, as one zip",
    "application/zip",
    OpenApiParameter(
        "Madsea-Missing",
        int,
        OpenApiParameter.HEADER,
        response=[200],
        description="How many files are not on disk any more: `_MISSING.txt` names them.",
    ),
)
SHEET = _file(
    "contact_sheet",
    "Print what a filter of the light table shows, as PDF",
    "application/pdf",
    OpenApiParameter("per_page", int, enum=list(PAGES), description="20 without it."),
)
TABLE = _file(
    "decisions_csv",
    "Write what a filter of the light table shows as a table that can be read back in",
    "text/csv",
    OpenApiParameter("separator", str, enum=[";", ",", "semicolon", "comma"]),
    examples=[OpenApiExample("Answer", _TABLE, response_only=True, media_type="text/csv")],
)


def _summary() -> dict[str, Any]:
    told: dict[str, Any] = resolve_type_hint(SummaryDocument)
    for name in ("since", "until"):
        told["properties"][name] |= {"format": "date-time"}
    return told


SUMMARY = extend_schema_view(
    get=extend_schema(
        operation_id="summary",
        summary="What has happened since yesterday evening, and what waits",
        parameters=[
            OpenApiParameter(
                "since",
                str,
                description="A moment such as 2026-11-25T18:00:00+01:00, or a day; without it"
                " yesterday at 18:00 in the studio's time.",
            )
        ],
        responses={200: _summary()},
        examples=[OpenApiExample("Answer", EXAMPLES["summary"], response_only=True)],
    )
)
