"""Storyboard panels sent over HTTP, one at a time."""

from http import HTTPStatus
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import request_serializers, responses, schema_descriptions
from generation.api.parsers import BoundedMultiPartParser, content_of
from generation.api.permission_classes import Takes
from generation.api.serializers import VersionShape
from generation.selectors import results
from generation.services import image_staging, outside_images, permissions, production_tree


@schema_descriptions.PANELS
class PanelViewSet(ViewSet):
    """`POST /api/panels`."""

    parser_classes = [BoundedMultiPartParser]
    takes: ClassVar[Takes] = {"create": [permissions.TO_GIVE_IMAGES]}

    def create(self, request: Request) -> Response:
        asked = request_serializers.checked(request_serializers.Panel, request)
        content, filename = content_of(asked["file"]), asked["file"].name
        # First, so that a file that is no image leaves no plan behind.
        checked = image_staging.check(content, filename=filename)
        wanted = {asked["sequence_id"]: [asked["plan"]]}
        found = production_tree.ensure_plans(
            asked["project_id"], asked["season"], asked["episode"], wanted
        )
        plan = found[asked["sequence_id"], asked["plan"]]
        version = outside_images.publish_panel(plan, checked, actor=responses.actor(request))
        shown = results.version(version.pk)
        shape = VersionShape(shown, context={"origin": responses.origin(request)})
        return Response(shape.data, HTTPStatus.CREATED)
