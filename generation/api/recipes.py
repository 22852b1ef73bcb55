"""What made a picture, by its version, by a hash, or by the file itself; and making it again."""

from typing import Any, ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import request_serializers, responses, schema_descriptions
from generation.api.parsers import StrictJSONParser, content_of
from generation.api.permission_classes import Takes
from generation.services import idempotency, permissions, recipe_lookup, recipe_reruns


@schema_descriptions.RECIPE_OF_VERSION
class VersionRecipeViewSet(ViewSet):
    """`/api/versions/<id>/recipe`."""

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(recipe_lookup.read(pk, origin=responses.origin(request)))


@schema_descriptions.RECIPES
class RecipeViewSet(ViewSet):
    """`/api/recipes/<sha256>`, and by a file `/api/recipes/lookup`."""

    def retrieve(self, request: Request, sha256: str) -> Response:
        return Response(recipe_lookup.find(sha256, origin=responses.origin(request)))

    def create(self, request: Request) -> Response:
        asked = request_serializers.checked(request_serializers.Lookup, request)
        found = recipe_lookup.look_up(content_of(asked["file"]), origin=responses.origin(request))
        return Response(found)


@schema_descriptions.RERUN
class RerunViewSet(ViewSet):
    """`POST /api/versions/<id>/rerun`."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {"create": [permissions.TO_ASK]}
    max_body_bytes = 2**20

    def create(self, request: Request, pk: int) -> Response:
        asked = request_serializers.checked(request_serializers.Rerun, request)
        plans = [(each["sequence_id"], each["plan"]) for each in asked.get("plans", [])]
        made = idempotency.make_once(
            {"rerun": pk, **cast(dict[str, Any], request.data)},
            lambda: recipe_reruns.read(
                pk,
                seed=asked.get("seed"),
                plans=plans or None,
                variations=asked.get("variations", 1),
                force=asked.get("force", False),
                reason=asked.get("reason", ""),
            ),
            key=request.headers.get(idempotency.HEADER),
            requester=responses.actor(request),
        )
        return responses.created(request, made)
