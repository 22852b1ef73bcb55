"""The graph that is posted for a run: its workflow's, with all that was asked for set in it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from generation.models import Attempt, Plan, PlanRun, Version, Workflow
from generation.services import workflows
from generation.services.transitions import Work
from generation.workflows import output_nodes, prompt_fields, requirements
from generation.workflows import substitution as params
from generation.workflows.contract import Contract
from generation.workflows.parameters import Parameter

FOLDER = output_nodes.FOLDER


def work(
    run: PlanRun,
    workflow: Workflow,
    contract: Contract,
    spellings: Iterable[Iterable[str]],
) -> Work:
    """Return what is to be posted for a run, under a new prompt id.

    `contract` is the workflow's, `spellings` how the server writes its models' names.

    Raises:
        GraphError: something was asked for that the graph does not have.
    """
    prompt_id = uuid4()
    panel = _panel(run) if run.batch.needs_panel else None
    values = _values(run, contract.parameters)
    if panel is not None:
        values[workflows.PANEL] = panel_name(panel)
    applied = params.apply(workflow.graph, values, contract.parameters)
    graph = requirements.respelled(applied, spellings)
    prefix = output_prefix(str(prompt_id))
    prefixed = params.set_output_prefix(graph, prefix, contract.result or "")
    return Work(prompt_id, prefixed, run.seed, panel)


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


def _panel(run: PlanRun) -> Version | None:
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
