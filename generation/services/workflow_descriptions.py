"""What is told of a workflow: the document of the API and of the admin."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from generation.errors import NotFound
from generation.models import NamedWorkflow
from generation.services import node_definitions, requested_workflows, workflow_library
from generation.workflows import contract_choices, named_files
from generation.workflows import graph as graphs
from generation.workflows.contract import Contract
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter
from generation.workflows.params_schema import schema
from generation.workflows.remarks import Remark
from generation.workflows.requirements import requirements
from wording import say

Node = TypedDict("Node", {"node": str, "class": str, "title": str})


class PanelDocument(TypedDict):
    """The input that takes a plan's panel."""

    node: str
    input: str
    title: str


class ResultDocument(TypedDict):
    """A node that saves or shows pictures; `images` is how many, null where nothing tells."""

    node: str
    kind: str
    images: int | None
    published: bool


class NeedsDocument(TypedDict):
    """What a server must have: node classes, model files, and pictures in its input folder."""

    classes: list[str]
    models: list[str]
    files: list[str]


class WarningDocument(TypedDict):
    """A warning: stable code, sentence, the node that it is about."""

    code: str
    detail: str
    node: str | None


class QuestionDocument(TypedDict):
    """A question that the graph does not answer, with the nodes that could be the answer."""

    code: str
    detail: str
    options: list[Node]


class FaultDocument(TypedDict):
    """Why a workflow cannot be used."""

    code: str
    detail: str
    node: str | None


class ContractDocument(TypedDict):
    """What a workflow takes and gives; without a graph `error` says why there is none."""

    workflow_json: str
    sha256: str | None
    contract_sha256: str | None
    needs_panel: bool
    panel: PanelDocument | None
    results: list[ResultDocument]
    needs: NeedsDocument
    parameters: Sequence[Parameter]
    schema: dict[str, Any] | None
    warnings: list[WarningDocument]
    questions: list[QuestionDocument]
    answers: Mapping[str, str]
    error: FaultDocument | None


def describe_all() -> list[ContractDocument]:
    """Return what is told of all workflows, by name; writes nothing."""
    return [describe(row) for row in workflow_library.all_current()]


def describe_one(name: str) -> ContractDocument:
    """Return what is told of a workflow; writes nothing.

    Raises:
        NotFound: there is none of this name.
    """
    return describe(current_workflow(name))


def current_workflow(name: str) -> NamedWorkflow:
    """Return the workflow of a name, as it is now; writes nothing.

    Raises:
        NotFound: there is none.
    """
    row = workflow_library.current(name)
    if row is None:
        raise NotFound(
            say("There is no workflow {name!r:.100}.", name=name), code="unknown_workflow"
        )
    return row


def graph(name: str) -> Graph:
    """Return the graph of a workflow, in API format, converted if it came in the editor's.

    Raises:
        NotFound: there is no such workflow, or no graph in it.
    """
    row = current_workflow(name)
    if row.graph is None:
        raise NotFound(f"{row.name}: {row.error['detail']}", code=f"workflow_{row.error['code']}")
    held: Graph = row.graph
    return held


def describe(row: NamedWorkflow) -> ContractDocument:
    """Return what is told of a workflow, whether it can be used or not."""
    return _blank(row) if row.graph is None else _described(row)


def _described(row: NamedWorkflow) -> ContractDocument:
    known = node_definitions.known()
    workflow = requested_workflows.from_row(row)
    contract = requested_workflows.contract(workflow, known)
    needed = requirements(row.graph, known[0])
    settable = contract.parameters.get(requested_workflows.PANEL)
    pictures = named_files.pictures(row.graph, known[0], but=settable.targets if settable else ())
    faults = requested_workflows.faults_of(row)
    return {
        "workflow_json": row.name,
        "sha256": row.sha256,
        "contract_sha256": workflow.contract_sha256,
        "needs_panel": settable is not None,
        "panel": _panel(row.graph, contract),
        "results": _results(contract),
        "needs": {
            "classes": list(needed.classes),
            "models": sorted({file for _, _, file in needed.files}),
            "files": sorted({name for _, _, name in pictures}),
        },
        "parameters": parameters(contract),
        "schema": schema(contract.parameters),
        "warnings": [*row.remarks, *(_said(warning) for warning in contract.warnings)],
        "questions": [
            {
                "code": asked.code,
                "detail": asked.detail,
                "options": [node_document(row.graph, node_id) for node_id in asked.options],
            }
            for asked in contract.questions
        ],
        "answers": contract_choices.answers_that_hold(row.graph, row.choices),
        "error": _fault(faults[0].code, faults[0].detail, faults[0].node) if faults else None,
    }


def _said(warning: Remark) -> WarningDocument:
    return {"code": warning.code, "detail": warning.detail, "node": warning.node or None}


def _blank(row: NamedWorkflow) -> ContractDocument:
    """Return what is told of a workflow without a graph: why there is none."""
    return {
        "workflow_json": row.name,
        "sha256": None,
        "contract_sha256": None,
        "needs_panel": False,
        "panel": None,
        "results": [],
        "needs": {"classes": [], "models": [], "files": []},
        "parameters": [],
        "schema": None,
        "warnings": [],
        "questions": [],
        "answers": {},
        "error": _fault(row.error["code"], row.error["detail"], row.error.get("node")),
    }


def _fault(code: str, detail: str, node_id: str | None) -> FaultDocument:
    return {"code": f"workflow_{code}", "detail": detail, "node": node_id or None}


def parameters(contract: Contract) -> list[Parameter]:
    """Return the parameters in the order that was chosen, then by name; the panel is none."""
    return sorted(
        (of for name, of in contract.parameters.items() if name != requested_workflows.PANEL),
        key=lambda of: (of.order is None, of.order or 0, of.name),
    )


def _panel(graph: Graph, contract: Contract) -> PanelDocument | None:
    if contract.panel is None:
        return None
    node_id, name = contract.panel
    return {"node": node_id, "input": name, "title": graphs.title(graph[node_id])}


def _results(contract: Contract) -> list[ResultDocument]:
    documents: list[ResultDocument] = [
        {
            "node": saver.node_id,
            "kind": saver.kind,
            "images": saver.images,
            "published": saver.node_id == contract.result,
        }
        for saver in contract.savers
    ]
    return sorted(documents, key=lambda result: not result["published"])


def node_document(graph: Graph, node_id: str) -> Node:
    """Return what is told of a node."""
    held = graph[node_id]
    return {"node": node_id, "class": held["class_type"], "title": graphs.title(held)}
