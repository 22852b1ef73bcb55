"""The workflows that a request can name, and what a technical director chooses for them."""

from http import HTTPStatus
from typing import ClassVar

from django.urls import reverse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import request_serializers, responses, schema_descriptions
from generation.api.parsers import StrictJSONParser, content_of
from generation.api.permission_classes import Takes
from generation.api.serializers import WorkflowShape
from generation.services import (
    contract_editing,
    permissions,
    workflow_descriptions,
    workflow_imports,
)


@schema_descriptions.WORKFLOWS
class WorkflowViewSet(ViewSet):
    """The workflows as they are now; a broken one says what is wrong."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {
        "create": [permissions.TO_GIVE_WORKFLOW],
        "partial_update": [permissions.TO_CHANGE_WORKFLOW],
    }

    def create(self, request: Request) -> Response:
        asked = request_serializers.checked(request_serializers.WorkflowFile, request)
        imported = workflow_imports.take(
            content_of(asked["file"]),
            filename=asked["file"].name,
            name=asked.get("name"),
            actor=responses.actor(request),
        )
        status = HTTPStatus.CREATED if imported.is_new else HTTPStatus.OK
        shown = WorkflowShape(workflow_descriptions.describe(imported.row)).data
        place = reverse("workflows-one", args=[imported.row.name])
        return Response(shown, status, headers={"Location": f"{responses.origin(request)}{place}"})

    def list(self, _request: Request) -> Response:
        return Response(WorkflowShape(workflow_descriptions.describe_all(), many=True).data)

    def retrieve(self, _request: Request, name: str) -> Response:
        return Response(WorkflowShape(workflow_descriptions.describe_one(name)).data)

    @action(detail=True)
    def graph(self, _request: Request, name: str) -> Response:
        return Response({"graph": workflow_descriptions.graph(name)})

    def partial_update(self, request: Request, name: str) -> Response:
        wanted = request_serializers.checked(request_serializers.ContractChange, request)
        row = contract_editing.change(name, wanted, actor=responses.actor(request))
        return Response(WorkflowShape(workflow_descriptions.describe(row)).data)
