"""Whether plans can be made with the values that they get; what is equal is judged once."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from generation.errors import Problem
from generation.models import Workflow
from generation.selectors import production
from generation.services import preflight, requested_workflows
from generation.services.capability import NeedsReader
from generation.states import PlanStatus
from generation.workflows import image_sizes
from generation.workflows.parameters import Parameter
from wording import say

#: So many different sets of models one request may ask for: each is judged for each server.
MODEL_SETS_MOST = 256


class PlanValues(NamedTuple):
    """All values of a plan, and the place in the payload of each that a request gives."""

    values: Mapping[str, Any]
    asked_at: Mapping[str, str]


def too_large(
    workflow: Workflow, parameters: Mapping[str, Parameter], plans: Iterable[PlanValues]
) -> list[Problem]:
    """Return what is too large to be taken of the pictures of these plans."""
    sizing = _sizing(workflow, parameters)
    distinct: dict[object, PlanValues] = {}
    for plan in plans:
        distinct.setdefault(tuple(plan.values.get(name) for name in sizing), plan)
    problems = (
        problem
        for plan in distinct.values()
        for problem in requested_workflows.check_sizes(workflow, *plan, parameters)
    )
    return list(dict.fromkeys(problems))


def _sizing(workflow: Workflow, parameters: Mapping[str, Parameter]) -> list[str]:
    """Return the parameters that a picture's size can depend on."""
    return [
        name
        for name, parameter in parameters.items()
        if image_sizes.can_decide(
            workflow.graph, [*parameter.targets, *(each.target for each in parameter.scaled)]
        )
    ]


def unrunnable(
    workflow: Workflow, wanted: NeedsReader, plans: Iterable[PlanValues], asked_in: str
) -> list[Problem]:
    """Return why no server can render these plans; `asked_in` is the place of all of them."""
    distinct: dict[object, PlanValues] = {}
    for plan in plans:
        distinct.setdefault(wanted.deciding(plan.values), plan)
    if len(distinct) > MODEL_SETS_MOST:
        detail = say(
            "At most {most} different sets of models can be asked for at once.",
            most=MODEL_SETS_MOST,
        )
        return [Problem(asked_in, "too_many_models", detail)]
    problems = (
        problem
        for plan in distinct.values()
        for problem in preflight.check(workflow, wanted.of(plan.values), *plan)
    )
    return list(dict.fromkeys(problems))


_SET_APART = {
    PlanStatus.ON_HOLD: say("is on hold: nothing new is made of it until it is active again."),
    PlanStatus.OMITTED: say(
        "is omitted: nothing new is made of it. Make it active if it is wanted."
    ),
}


def set_apart(
    project_id: str, episode: str, places: Mapping[tuple[str, str], str]
) -> list[Problem]:
    """Return a problem for each plan that is on hold or omitted.

    `places` are the places in the payload of plans of an episode, by their sequences and codes.
    """
    return [
        apart(*key, status, place=places[key])
        for key, status in production.set_apart(project_id, episode).items()
        if key in places
    ]


def apart(sequence: str, plan: str, status: PlanStatus, *, place: str = "") -> Problem:
    """Return why nothing new is made of a plan that is on hold or omitted."""
    detail = say(
        "Plan {plan} of {sequence} {set_apart}",
        plan=plan,
        sequence=sequence,
        set_apart=_SET_APART[status],
    )
    return Problem(place, f"plan_{status}", detail)
