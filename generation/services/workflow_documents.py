"""What is told of a workflow: the document of the API and of the admin."""

from collections.abc import Sequence
from typing import Any, TypedDict

from generation.models import Workflow
from generation.services import workflows
from generation.workflows import graph as graphs
from generation.workflows.contract import Contract
from generation.workflows.parameters import Parameter
from generation.workflows.params_schema import schema
from generation.workflows.requirements import requirements

Node = TypedDict("Node", {"node": str, "class": str, "title": str})


class Panel(TypedDict):
    """The input that takes a plan's panel."""

    node: str
    input: str
    title: str


class Result(TypedDict):
    """A node that saves or shows pictures; `images` is how many, null where nothing tells."""

    node: str
    kind: str
    images: int | None
    published: bool


class Needs(TypedDict):
    """What a server must have: classes of nodes, and model files by the input that names them."""

    classes: list[str]
    models: list[str]


class Said(TypedDict):
    """A warning: stable code, sentence, the node that it is about."""

    code: str
    detail: str
    node: str | None


class Asked(TypedDict):
    """A question that the graph does not answer, with the nodes that could be the answer."""

    code: str
    detail: str
    options: list[Node]


class ContractDocument(TypedDict):
    """What a workflow takes and gives."""

    workflow_json: str
    sha256: str
    needs_panel: bool
    panel: Panel | None
    results: list[Result]
    needs: Needs
    parameters: Sequence[Parameter]
    schema: dict[str, Any]
    warnings: list[Said]
    questions: list[Asked]


def describe(workflow: Workflow) -> ContractDocument:
    """Return what is told of a workflow.

    Raises GraphError for a graph that cannot be read.
    """
    known = workflows.known_definitions()
    contract = workflows.contract(workflow, known)
    needed = requirements(workflow.graph, known[0])
    return {
        "workflow_json": workflow.name,
        "sha256": workflow.sha256,
        "needs_panel": workflows.PANEL in contract.parameters,
        "panel": _panel(workflow, contract),
        "results": _results(contract),
        "needs": {
            "classes": list(needed.classes),
            "models": sorted({file for _, _, file in needed.files}),
        },
        "parameters": [
            contract.parameters[name]
            for name in sorted(contract.parameters)
            if name != workflows.PANEL
        ],
        "schema": schema(contract.parameters),
        "warnings": [
            {"code": said.code, "detail": said.detail, "node": said.node or None}
            for said in contract.warnings
        ],
        "questions": [
            {
                "code": asked.code,
                "detail": asked.detail,
                "options": [_node(workflow, node_id) for node_id in asked.options],
            }
            for asked in contract.questions
        ],
    }


def _panel(workflow: Workflow, contract: Contract) -> Panel | None:
    if contract.panel is None:
        return None
    node_id, name = contract.panel
    return {"node": node_id, "input": name, "title": graphs.title(workflow.graph[node_id])}


def _results(contract: Contract) -> list[Result]:
    found: list[Result] = [
        {
            "node": saver.node_id,
            "kind": saver.kind,
            "images": saver.images,
            "published": saver.node_id == contract.result,
        }
        for saver in contract.savers
    ]
    return sorted(found, key=lambda result: not result["published"])


def _node(workflow: Workflow, node_id: str) -> Node:
    node = workflow.graph[node_id]
    return {"node": node_id, "class": node["class_type"], "title": graphs.title(node)}
