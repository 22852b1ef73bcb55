"""The contract of a workflow, as a technical director answers and chooses it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation.errors import Conflict, InvalidRequest, NotFound, Problem
from generation.models import NamedWorkflow
from generation.services import (
    acts,
    node_definitions,
    permissions,
    workflow_file_parsing,
    workflow_library,
)
from generation.services import requested_workflows as services
from generation.workflows import contract as contracts
from generation.workflows import contract_choices
from generation.workflows.contract import Contract
from generation.workflows.contract_choices import (
    NONE_OF_THEM,
    PAINTED_MASK,
    WHICH_PANEL,
    WHICH_RESULT,
)
from generation.workflows.parameters import Parameter, check, shown
from wording import say

LABEL_MAX, ORDER_MAX = 100, 9_999
_NUMBERS = frozenset({"INT", "FLOAT", "SEED"})

Json = dict[str, Any]


def change(name: str, wanted: Mapping[str, Any], *, actor: User | None) -> NamedWorkflow:
    """Answer questions of a workflow and choose what it offers; return its row.

    `wanted` is `{"answers": {question: node id}, "parameters": {name: {"offered", "label",
    "order", "min", "max", "preset"}}}`: what it does not name stays, null takes a choice back, and
    an empty text answers `which_panel` with none of them. Batches keep what they have frozen.

    Raises:
        Forbidden: `actor` may not give workflows.
        NotFound: there is no such workflow.
        Conflict: it holds no graph, or somebody else has changed it meanwhile.
        InvalidRequest: with every choice that does not fit.
    """
    permissions.require(actor, *permissions.TO_CHANGE_WORKFLOW)
    row = _row(name)
    changed = _changed(row, wanted)
    unchanged = NamedWorkflow.objects.filter(pk=row.pk, changed_at=row.changed_at)
    with transaction.atomic():
        if not unchanged.update(choices=changed, changed_by=actor, changed_at=timezone.now()):
            detail = say(
                "Somebody else has just changed this workflow: look at it again, then change it."
            )
            raise Conflict(detail, code="changed_meanwhile")
        acts.record("change workflow", row, by=actor, before=row.choices, after=changed)
    row.refresh_from_db()
    return row


def _row(name: str) -> NamedWorkflow:
    row = workflow_library.stored_row(name)
    if row is None:
        raise NotFound(
            say("There is no workflow {name!r:.100}.", name=name), code="unknown_workflow"
        )
    if row.graph is None:
        detail = say("{row} cannot be used: {detail}", row=row.name, detail=row.error["detail"])
        raise Conflict(detail, code=f"workflow_{row.error['code']}")
    return row


def _changed(row: NamedWorkflow, wanted: Mapping[str, Any]) -> Json:
    """Return the choices of a row with what is wanted of them."""
    answered, problems = _answered(row, wanted.get("answers") or {})
    plain = _contract(row, {"answers": answered})
    chosen: Json = dict(row.choices.get("parameters", {}))
    for name, fields in (wanted.get("parameters") or {}).items():
        found, faults = _chosen(row, plain, name, fields)
        problems += faults
        chosen = {key: of for key, of in chosen.items() if key != name} | found
    changed: Json = {"answers": answered, "parameters": chosen}
    problems = problems or list(_too_large(row, changed))
    if problems:
        raise InvalidRequest(problems)
    return {key: of for key, of in changed.items() if of}


def _contract(row: NamedWorkflow, chosen: Json) -> Contract:
    known = node_definitions.known()[0]
    return contracts.contract(row.graph, known, chosen, workflow_file_parsing.limits())


def _answered(row: NamedWorkflow, wanted: Mapping[str, Any]) -> tuple[Json, list[Problem]]:
    """Return all answers, and what is wrong with those wanted: the result first, it leads on."""
    answered: Json = dict(row.choices.get("answers", {}))
    problems: list[Problem] = []
    for code in (WHICH_RESULT, WHICH_PANEL, PAINTED_MASK):
        if code not in wanted:
            continue
        answered.pop(code, None)
        node_id = wanted[code]
        if node_id is None:
            continue
        options = _options(code, _contract(row, {"answers": answered}))
        if node_id in options:
            answered[code] = contract_choices.answer(row.graph, node_id, filter(None, options))
        else:
            known = ", ".join(repr(option) for option in options) or say("nothing: it is not asked")
            detail = say("Expected {known}; got {node_id}.", known=known, node_id=shown(node_id))
            problems.append(Problem(f"answers.{code}", "not_an_option", detail))
    return answered, problems


def _options(code: str, contract: Contract) -> list[str]:
    """Return the nodes that can answer a question, whether it is open or not."""
    if code == WHICH_RESULT:
        return [saver.node_id for saver in contract.savers if saver.is_picture]
    if code == WHICH_PANEL:
        return [*contract.loaders, NONE_OF_THEM] if contract.loaders else []
    return [contract.panel[0]] if contract.panel else []


def _chosen(
    row: NamedWorkflow, plain: Contract, name: str, fields: Mapping[str, Any] | None
) -> tuple[Json, list[Problem]]:
    """Return all that is chosen of a parameter, by its name, and what is wrong with it."""
    place = f"parameters.{services.printable_key(name)}"
    parameter = plain.parameters.get(name)
    if fields is None:
        return {}, []
    if parameter is None or name == services.PANEL:
        offered = ", ".join(sorted(set(plain.parameters) - {services.PANEL})) or say("none")
        detail = say(
            "The workflow has no parameter {name}; it has {offered}.",
            name=shown(name),
            offered=offered,
        )
        return {}, [Problem(place, "unknown_parameter", detail)]
    chosen = {key: of for key, of in _kept(row, plain, name).items() if key not in fields}
    chosen |= {key: of for key, of in fields.items() if of is not None}
    if chosen.get("offered") is True:
        # As it is for whatever nobody has chosen otherwise.
        del chosen["offered"]
    problems = [
        Problem(f"{place}.{field}", code, detail)
        for field, code, detail in _faults(parameter, chosen)
    ]
    texts = {name: chosen["preset"]} if "preset" in chosen else {}
    problems += [
        Problem(f"{place}.preset", problem.code, problem.detail)
        for problem in services.unknown_fields(texts, plain.parameters, place)
    ]
    if not chosen:
        return {}, problems
    return {
        name: chosen | {"targets": contract_choices.anchors(row.graph, parameter.targets)}
    }, problems


def _kept(row: NamedWorkflow, plain: Contract, name: str) -> Json:
    """Return what was chosen of a parameter before, if it was about the same nodes."""
    kept = row.choices.get("parameters", {}).get(name, {})
    present = contract_choices.anchors(row.graph, plain.parameters[name].targets)
    is_about = any(anchor in present for anchor in kept.get("targets", []))
    return {key: of for key, of in kept.items() if key != "targets"} if is_about else {}


def _faults(parameter: Parameter, chosen: Json) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the choices of a parameter: field, code, sentence."""
    if len(chosen.get("label", "")) > LABEL_MAX:
        yield (
            "label",
            "too_long",
            say("A label has at most {label_max} characters.", label_max=LABEL_MAX),
        )
    if not 0 <= chosen.get("order", 0) <= ORDER_MAX:
        yield (
            "order",
            "out_of_bounds",
            say("order must be between 0 and {order_max}.", order_max=ORDER_MAX),
        )
    faults = list(_bound_faults(parameter, chosen))
    yield from faults
    if "preset" in chosen and not faults:
        bounded = contract_choices.with_choice(
            parameter, {key: chosen.get(key) for key in ("min", "max")}
        )
        for problem in check({parameter.name: chosen["preset"]}, {parameter.name: bounded}):
            yield "preset", problem.code, problem.detail


def _bound_faults(parameter: Parameter, chosen: Json) -> Iterator[tuple[str, str, str]]:
    low, high = parameter.minimum, parameter.maximum
    for field in ("min", "max"):
        bound = chosen.get(field)
        if bound is None:
            continue
        if parameter.type not in _NUMBERS:
            yield (
                field,
                "no_bounds",
                say("{parameter} is no number: it has no bounds.", parameter=parameter.name),
            )
        elif parameter.type != "FLOAT" and not isinstance(bound, int):
            yield (
                field,
                "wrong_type",
                say(
                    "{field} must be a whole number, not {bound}.", field=field, bound=shown(bound)
                ),
            )
        elif (low is not None and bound < low) or (high is not None and bound > high):
            detail = say(
                "{field} must be between {low} and {high}, as the node has it; not {bound}.",
                field=field,
                low=low,
                high=high,
                bound=bound,
            )
            yield field, "out_of_bounds", detail
    if {"min", "max"} <= chosen.keys() and chosen["min"] > chosen["max"]:
        yield (
            "max",
            "out_of_bounds",
            say("max must be at least min, which is {min}.", min=chosen["min"]),
        )


def _too_large(row: NamedWorkflow, changed: Json) -> Iterator[Problem]:
    """Yield the presets with which a picture would be larger than any that is taken."""
    row = row.unstored_copy()
    row.choices = changed
    workflow = services.from_row(row)
    presets = services.contract(workflow).presets
    places = {name: f"parameters.{name}.preset" for name in presets}
    problems = services.check_sizes(workflow, presets, places)
    # Where the graph itself is too large, no choice is to blame.
    yield from (problem for problem in problems if problem.attr != services.FIELD)
