"""The workflows that a request can name, with their parameters."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import documentation
from generation.api.shapes import WorkflowShape
from generation.comfyui.errors import GraphError
from generation.errors import InvalidRequest, NotFound
from generation.services import workflows


@documentation.WORKFLOWS
class WorkflowViewSet(ViewSet):
    """The files of the workflows folder, as they are now; a broken one says what is wrong."""

    def list(self, _request: Request) -> Response:
        found = [_described(name) for name in workflows.available()]
        return Response(WorkflowShape(found, many=True).data)

    def retrieve(self, _request: Request, name: str) -> Response:
        if name not in workflows.available():
            raise NotFound(f"There is no workflow {name!r:.100}.", code="unknown_workflow")
        return Response(WorkflowShape(_described(name)).data)


def _described(name: str) -> dict[str, Any]:
    blank: dict[str, Any] = {"sha256": None, "needs_panel": False, "parameters": []}
    blank["workflow_json"] = name
    try:
        workflow = workflows.find(name)
        found = workflows.parameters(workflow)
    except InvalidRequest as error:
        return {**blank, "error": _fault(error.code, error.detail)}
    except GraphError as error:
        return {**blank, "error": _fault(error.code, str(error))}
    return {
        "workflow_json": name,
        "sha256": workflow.sha256,
        "needs_panel": workflows.PANEL in found,
        "parameters": [found[key] for key in sorted(found) if key != workflows.PANEL],
        "error": None,
    }


def _fault(code: str, detail: str) -> dict[str, str]:
    return {"code": code, "detail": detail}
