"""What the OpenAPI schema says of links for guests beyond what the code shows."""

from typing import Any

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from generation.api.schema_generator import page_of, ref
from review.api import review_serializers
from review.api.descriptions import EXAMPLES
from review.selectors.links import LinkDocument


def _link() -> dict[str, Any]:
    row: dict[str, Any] = resolve_type_hint(LinkDocument)
    told = row["properties"]
    told["state"] |= {"enum": ["open", "expired", "revoked"]}
    for name in ("made_at", "expires_at", "revoked_at", "last_used_at"):
        told[name] |= {"format": "date-time"}
    return row


_ROW = _link()
_URL = {"type": "string", "format": "uri", "description": "For the guest. It is told once."}
_MADE = {
    **_ROW,
    "properties": {**_ROW["properties"], "url": _URL},
    "required": [*_ROW["required"], "url"],
}


def _page() -> dict[str, Any]:
    page = page_of("Error")
    page["properties"]["results"]["items"] = _ROW
    return page


def _answer(name: str, status: str = "200") -> OpenApiExample:
    return OpenApiExample("Answer", EXAMPLES[name], response_only=True, status_codes=[status])


_WANTED = {"episode_id": 1, "sequence_id": "SQ0010", "label": "For the director", "days": 14}
LINKS = extend_schema_view(
    list=extend_schema(
        operation_id="review_links",
        summary="List links of guests, the newest first",
        responses={200: _page(), 403: ref("Error")},
        examples=[_answer("links")],
    ),
    retrieve=extend_schema(
        operation_id="review_link",
        summary="Read one link of guests",
        responses={200: _ROW, 403: ref("Error"), 404: ref("Error")},
        examples=[_answer("link")],
    ),
    create=extend_schema(
        operation_id="make_review_link",
        summary="Make a link by which guests judge pictures without an account",
        request=review_serializers.NewReviewLink,
        responses={201: _MADE, 403: ref("Error")},
        examples=[
            OpenApiExample("For the director", _WANTED, request_only=True),
            _answer("made_link", "201"),
        ],
    ),
    revoke=extend_schema(
        operation_id="revoke_review_link",
        summary="Revoke a link: it and its pictures lead nowhere from now on",
        request=None,
        responses={200: _ROW, 403: ref("Error"), 404: ref("Error")},
        examples=[_answer("revoked_link")],
    ),
)
