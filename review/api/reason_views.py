"""The words in which a project asks for retakes, over HTTP: read, and set as a whole."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.api import request_serializers, responses
from generation.api.parsers import StrictJSONParser
from generation.api.permission_classes import Takes
from generation.api.schema_generator import ref
from review.api import review_serializers
from review.models.retake_reasons import REASONS_MAX
from review.selectors import light_table
from review.services import reasons

_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "project_id": {"type": "string"},
        "reasons": {"type": "array", "items": {"type": "string"}, "maxItems": REASONS_MAX},
    },
    "required": ["project_id", "reasons"],
}
_EXAMPLE = {"project_id": "madsea-2025-ep202", "reasons": ["Frame differs", "Too dark"]}
_TOLD = OpenApiExample("Answer", _EXAMPLE, response_only=True, status_codes=["200"])

REASONS = extend_schema_view(
    get=extend_schema(
        operation_id="retake_reasons",
        summary="Read the words in which a project asks for retakes",
        responses={200: _ANSWER, 404: ref("Error")},
        examples=[_TOLD],
    ),
    patch=extend_schema(
        operation_id="set_retake_reasons",
        summary="Set the words in which a project asks for retakes",
        request=review_serializers.RetakeReasonsSent,
        responses={200: _ANSWER, 403: ref("Error"), 404: ref("Error")},
        examples=[
            OpenApiExample("Two", {"reasons": _EXAMPLE["reasons"]}, request_only=True),
            _TOLD,
        ],
    ),
)


@REASONS
class RetakeReasonsView(APIView):
    """`/api/projects/<project_id>/retake-reasons`."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {"patch": [reasons.TO_SET]}
    max_body_bytes = 64 * 2**10

    def get(self, _request: Request, project_id: str) -> Response:
        of = reasons.project(project_id)
        return Response({"project_id": of.code, "reasons": light_table.vocabulary(of)})

    def patch(self, request: Request, project_id: str) -> Response:
        of = reasons.project(project_id)
        sent = request_serializers.checked(review_serializers.RetakeReasonsSent, request)
        kept = reasons.write(of, sent["reasons"], by=responses.actor(request))
        return Response({"project_id": of.code, "reasons": kept.reasons})
