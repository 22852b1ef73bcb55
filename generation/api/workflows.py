"""The workflows that a request can name, with their parameters."""

from collections.abc import Mapping
from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import schema_descriptions
from generation.api.serializers import WorkflowShape
from generation.errors import InvalidRequest, NotFound
from generation.services import workflow_documents, workflows
from generation.workflows.errors import GraphError


@schema_descriptions.WORKFLOWS
class WorkflowViewSet(ViewSet):
    """The files of the workflows folder, as they are now; a broken one says what is wrong."""

    def list(self, _request: Request) -> Response:
        found = [_described(name) for name in workflows.available()]
        return Response(WorkflowShape(found, many=True).data)

    def retrieve(self, _request: Request, name: str) -> Response:
        _require(name)
        return Response(WorkflowShape(_described(name)).data)

    @action(detail=True)
    def graph(self, _request: Request, name: str) -> Response:
        """Return the graph in API format, converted if it came in the editor's."""
        _require(name)
        return Response({"graph": workflows.find(name).graph})


def _require(name: str) -> None:
    if name not in workflows.available():
        raise NotFound(f"There is no workflow {name!r:.100}.", code="unknown_workflow")


def _described(name: str) -> Mapping[str, Any]:
    try:
        return {**workflow_documents.describe(workflows.find(name)), "error": None}
    except InvalidRequest as error:
        return _broken(name, _fault(error.code, error.detail))
    except GraphError as error:
        return _broken(name, _fault(error.code, str(error)))


def _broken(name: str, fault: dict[str, str]) -> Mapping[str, Any]:
    blank: dict[str, Any] = {
        "workflow_json": name,
        "sha256": None,
        "needs_panel": False,
        "panel": None,
        "results": [],
        "needs": {"classes": [], "models": []},
        "parameters": [],
        "schema": None,
        "warnings": [],
        "questions": [],
    }
    return blank | {"error": fault}


def _fault(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}
