"""The graph that is posted for a run: its workflow's, with all that was asked for set in it."""

from collections.abc import Iterable, Mapping
from typing import Any

from generation.models import Attempt, Plan, PlanRun, Version
from generation.services import workflows
from generation.workflows import output_nodes, prompt_fields, requirements
from generation.workflows import substitution as params
from generation.workflows.contract import Contract
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter

FOLDER = output_nodes.FOLDER


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
    workflow, values = attempt.run.batch.workflow, _values(attempt.run, contract.parameters)
    if workflow is None:
        raise GraphError("no_workflow", "Its batch has no workflow.")
    if panel is not None:
        values[workflows.PANEL] = panel_name(panel)
    applied = params.apply(workflow.graph, values, contract.parameters)
    graph = requirements.respelled(applied, spellings)
    return params.set_output_prefix(graph, prefix_of(attempt), contract.result or "")


def _values(run: PlanRun, found: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return all that was asked for: what the graph does not have is an error, never left out."""
    given = _filled(run, run.batch.params | run.params, found)
    if run.seed and workflows.SEED in found:
        given[workflows.SEED] = int(run.seed)
    return given


def _filled(run: PlanRun, given: dict[str, Any], found: Mapping[str, Parameter]) -> dict[str, Any]:
    """Put the plan's names into the texts that have fields for them."""
    texts = [name for name in given if workflows.is_prompt_text(name, given[name], found)]
    if not texts:
        return given
    codes = ("sequence__episode__code", "sequence__code", "code")
    names = Plan.objects.filter(pk=run.plan_id).values_list(*codes).get()
    values = dict(zip(prompt_fields.FIELDS, names, strict=True))
    return given | {name: prompt_fields.filled(given[name], values) for name in texts}


def panel_of(run: PlanRun) -> Version | None:
    """Return the panel that a run starts from: its plan's latest; None when it has none."""
    return Version.objects.panels().filter(plan=run.plan_id).first()


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
    workflow = attempt.run.batch.workflow
    found = workflows.parameters(workflow) if workflow else {}
    return params.apply(attempt.graph, {workflows.PANEL: name}, found)
