"""What a plan puts into the fields of prompt texts: its names, and what is known of it.

Its texts are kept with the run when it is asked for: nothing of a request changes under a running
batch. Its names never change, and are read when the prompt is made.
"""

from collections.abc import Collection, Mapping
from typing import Any

from generation.models import Plan, PlanRun
from generation.services import requested_workflows
from generation.workflows import prompt_templates
from generation.workflows.parameters import Parameter
from generation.workflows.prompt_templates import NAMES, TEXTS


def used_fields(params: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that any text among some values has."""
    texts = (param for param in params.values() if isinstance(param, str))
    return frozenset(name for text in texts for name in prompt_templates.names(text))


def texts_of(plan: Plan, fields: Collection[str]) -> dict[str, str]:
    """Return what a plan tells for these fields, each in one line; its names are left out."""
    return {name: in_one_line(getattr(plan, name)) for name in TEXTS if name in fields}


def in_one_line(text: str) -> str:
    """Return a text as a prompt takes it: its lines one after the other."""
    return ", ".join(line.strip() for line in text.splitlines() if line.strip())


def of_run(run: PlanRun) -> dict[str, str]:
    """Return what the plan of a run puts into texts: as it was when the run was asked for."""
    plan = Plan.objects.select_related("sequence__episode").get(pk=run.plan_id)
    kept: dict[str, str] = run.texts
    return of_plan(plan) | kept


def of_plan(plan: Plan) -> dict[str, str]:
    """Return what a plan puts into texts now."""
    names = (plan.sequence.episode.code, plan.sequence.code, plan.code)
    return dict(zip(NAMES, names, strict=True)) | texts_of(plan, TEXTS)


def filled_params(
    params: Mapping[str, Any], found: Mapping[str, Parameter], values: Mapping[str, str]
) -> dict[str, str]:
    """Return those of some values that are prompt texts with fields, filled in.

    `found` are the workflow's parameters.

    Raises:
        GraphError: one has a field of which there is no value.
    """
    texts = {
        name: text
        for name, text in params.items()
        if requested_workflows.is_prompt_text(name, text, found)
    }
    return {name: prompt_templates.filled(text, values) for name, text in texts.items()}


def any_text(params: Mapping[str, Any], found: Mapping[str, Parameter]) -> bool:
    """Tell whether some value is a prompt text with fields."""
    return any(requested_workflows.is_prompt_text(name, params[name], found) for name in params)
