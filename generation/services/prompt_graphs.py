"""The graph that is posted for a run: its workflow's, with all that was asked for set in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from generation.models import Attempt, PlanRun, Version
from generation.services import placeholder_values, requested_workflows
from generation.workflows import output_names, requirements
from generation.workflows import substitution as params
from generation.workflows.contract import Contract
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter
from wording import say

FOLDER = output_names.FOLDER


def build(
    attempt: Attempt,
    contract: Contract,
    spellings: Iterable[Iterable[str]],
    panel: Version | None,
) -> Graph:
    """Return the graph that is to be posted for an attempt, under its prompt id.

    `contract` is its workflow's, `spellings` how the server writes its models' names.

    Raises:
        GraphError: something was asked for that the graph does not have.
    """
    run, workflow = attempt.run, attempt.run.workflow
    if workflow is None:
        raise GraphError("no_workflow", say("Its batch has no workflow."))
    model = _model(run)
    values = _values(run, contract.parameters) if model is None else _changed(run, model)
    if panel is not None:
        values[requested_workflows.PANEL] = panel_name(panel)
    base = workflow.graph if model is None else _unspelled(run, model)
    applied = params.apply(base, values, contract.parameters)
    graph = requirements.respelled(applied, spellings)
    return params.set_output_prefix(graph, prefix_of(attempt), contract.result or "")


def _values(run: PlanRun, found: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return all that was asked for: what the graph does not have is an error, never left out."""
    given = _filled(run, run.values, found)
    if run.seed and requested_workflows.SEED in found:
        given[requested_workflows.SEED] = int(run.seed)
    return given


def _filled(run: PlanRun, given: dict[str, Any], found: Mapping[str, Parameter]) -> dict[str, Any]:
    """Put what the plan tells into the texts that have fields for it."""
    if not placeholder_values.any_text(given, found):
        return given
    return given | placeholder_values.filled_params(given, found, placeholder_values.of_run(run))


def needs_panel(run: PlanRun, contract: Contract) -> bool:
    """Tell whether a run starts from its plan's panel; `contract` is its workflow's."""
    own = run.own_workflow_id is not None
    return requested_workflows.PANEL in contract.parameters if own else run.batch.needs_panel


def panel_of(run: PlanRun) -> Version | None:
    """Return the panel that a run starts from; None when it has none.

    It is its plan's newest, or the very one that was, where a picture is made again.
    """
    model = _model(run)
    if model is not None and model.panel is not None:
        return model.panel
    return Version.objects.panels().filter(plan=run.plan_id).first()


def _model(run: PlanRun) -> Attempt | None:
    """Return the attempt whose graph is posted again; None where a graph is made anew.

    A graph is made anew for another plan, because plan names may stand in its texts, and for a run
    to which a retry gave values or a workflow of its own.
    """
    followed = run.batch.rerun_of if run.batch.rerun_of_id is not None else None
    if followed is None or followed.plan_id != run.plan_id:
        return None
    if run.params or run.own_workflow_id is not None:
        return None
    return followed.attempt


def _changed(run: PlanRun, model: Attempt) -> dict[str, Any]:
    return {requested_workflows.SEED: int(run.seed)} if run.seed and run.seed != model.seed else {}


def _unspelled(run: PlanRun, model: Attempt) -> Graph:
    """Return the graph of an attempt with its models as the workflow names them."""
    needs = run.needed
    return requirements.unspelled(model.graph, needs.files if needs is not None else ())


def panel_name(panel: Version) -> str:
    """Return what a server calls a panel: by the hash of its master, which stays what it was."""
    return f"{FOLDER}/{panel.sha256}.{panel.extension}"


def output_prefix(prompt_id: str) -> str:
    """Return the file name prefix of one attempt: unique, so its file can be found by it."""
    return f"{FOLDER}/{prompt_id}"


def prefix_of(attempt: Attempt) -> str:
    """Return the file name prefix of an attempt, whatever id its server gave the prompt."""
    return output_prefix(str(attempt.prompt_id))


def with_panel(attempt: Attempt, name: str) -> Mapping[str, Any]:
    """Return an attempt's graph with the panel under the name that the server gave it."""
    workflow = attempt.run.workflow
    parameters = requested_workflows.parameters(workflow) if workflow else {}
    return params.apply(attempt.graph, {requested_workflows.PANEL: name}, parameters)
