"""Workflows as requests use them: found by name, frozen by their hashes, asked what they take."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from generation.comfyui.untrusted_json import storable
from generation.errors import InvalidRequest, Problem
from generation.models import NamedWorkflow, Workflow
from generation.models.version import PICTURES_MAX
from generation.services import node_definitions, workflow_file_parsing, workflow_library
from generation.workflows import contract as contracts
from generation.workflows import contract_choices, image_sizes, prompt_templates
from generation.workflows import substitution as params
from generation.workflows.contract import Contract
from generation.workflows.named_files import is_model_file
from generation.workflows.parameters import shown
from generation.workflows.remarks import Remark
from wording import say

FIELD = "workflow_json"
PANEL = "panel"
SEED = "seed"
#: Where drawn seeds end.
SEED_LIMIT = 2**53
#: What ComfyUI takes as a seed: 64 bits.
SEED_END = 2**64

Definitions = Sequence[Mapping[str, Any]]


def load(name: str) -> Workflow:
    """Return the frozen workflow that a name stands for now: see `find`.

    Raises:
        InvalidRequest: as `find`.
    """
    return freeze(find(name))


def freeze(workflow: Workflow) -> Workflow:
    """Return a workflow's row, written now when nothing has been asked of it before."""
    if workflow.pk is not None:
        return workflow
    frozen, _ = Workflow.objects.get_or_create(
        name=workflow.name,
        sha256=workflow.sha256,
        contract_sha256=workflow.contract_sha256,
        defaults={"graph": workflow.graph, "choices": workflow.choices},
    )
    return frozen


def find(name: str) -> Workflow:
    """Return the workflow that a name stands for now; writes nothing.

    It is no row yet when nothing has been asked of it as it is now: see `freeze`.

    Raises:
        InvalidRequest: there is none, it is no graph, or none that a plan can be made with.
    """
    row = workflow_library.current(name)
    if row is None:
        known = ", ".join(workflow_library.available()) or say("none")
        raise _refused(
            "unknown_workflow",
            say("There is no workflow {name!r:.100}. Known: {known}.", name=name, known=known),
        )
    if row.graph is None:
        raise _refused(f"workflow_{row.error['code']}", f"{row.name}: {row.error['detail']}")
    faults = faults_of(row)
    if faults:
        raise _refused(f"workflow_{faults[0].code}", storable(f"{row.name}: {faults[0].detail}"))
    workflow = from_row(row)
    frozen = Workflow.objects.filter(
        name=workflow.name, sha256=workflow.sha256, contract_sha256=workflow.contract_sha256
    )
    return frozen.first() or workflow


def from_row(row: NamedWorkflow) -> Workflow:
    """Return a workflow as it would be frozen now; it is no row, whether there is one or not."""
    return Workflow(
        name=row.name,
        sha256=row.sha256,
        graph=row.graph,
        contract_sha256=contract_choices.sha256(row.choices),
        choices=row.choices,
    )


def faults_of(row: NamedWorkflow) -> list[Remark]:
    """Return why no plan can be made with a graph on any server that is known; empty if one can."""
    known = node_definitions.known()
    return min((_faults(row, definitions) for definitions in known), key=len)


def _faults(row: NamedWorkflow, definitions: Mapping[str, Any]) -> list[Remark]:
    faults = contracts.faults(row.graph, definitions, row.choices)
    if definitions is not params.shipped_definitions():
        return faults
    # A server that is not known yet may have choices that are newer than ours.
    return [fault for fault in faults if fault.code != "not_in_list"]


def contract(workflow: Workflow, definitions: Definitions | None = None) -> Contract:
    """Return what a workflow takes and gives.

    Bounds come from the definitions that a server answered last, else from those shipped.
    `definitions`: see `node_definitions.known`; None reads them now.
    """
    return _contract(workflow, (definitions or node_definitions.known())[0])


def _contract(workflow: Workflow, definitions: Mapping[str, Any]) -> Contract:
    limits = workflow_file_parsing.limits()
    return contracts.contract(workflow.graph, definitions, workflow.choices, limits)


def parameters(
    workflow: Workflow, definitions: Definitions | None = None
) -> Mapping[str, params.Parameter]:
    """Return the parameters of a workflow by name, with types, bounds and defaults."""
    return contract(workflow, definitions).parameters


def defaults(contract: Contract) -> dict[str, Any]:
    """Return the workflow's own values, but for those that each plan brings: panel and seed."""
    return {
        name: parameter.default
        for name, parameter in contract.parameters.items()
        if name != SEED and parameter.type != "IMAGE"
    }


def seed_bounds(contract: Contract) -> tuple[int, int] | None:
    """Return the least and the largest seed that can be drawn; None where nothing takes one.

    Below 2^53, so that a JavaScript client reads a seed exactly.
    """
    seed = contract.parameters.get(SEED)
    if seed is None:
        return None
    low = 0 if seed.minimum is None else max(0, int(seed.minimum))
    high = SEED_LIMIT - 1 if seed.maximum is None else min(int(seed.maximum), SEED_LIMIT - 1)
    return low, max(low, high)


def draw_seed(bounds: tuple[int, int]) -> str:
    """Return a seed within these bounds, see `seed_bounds`."""
    low, high = bounds
    return str(low + secrets.randbelow(high - low + 1))


def open_questions(contract: Contract) -> list[Problem]:
    """Return what has to be answered in the graph before a plan can be made with it."""
    asked = contract.questions
    return [Problem(FIELD, f"open_{question.code}", question.detail) for question in asked]


def check_params(
    workflow: Workflow, given: Mapping[str, Any], definitions: Definitions | None = None
) -> list[Problem]:
    """Return what is wrong with parameters for a workflow, each by name; empty when all fit.

    `definitions`: see `node_definitions.known`; None reads them now.
    """
    return checker(workflow, definitions)(given, "params") if given else []


#: Returns what is wrong with values that stand at a place of a payload, such as `params`.
Checker = Callable[[Mapping[str, Any], str], list[Problem]]


def checker(workflow: Workflow, definitions: Definitions | None = None) -> Checker:
    """Return a function that checks parameters for a workflow, however often it is called.

    One server that can take them is enough. What a server's lists do not name is no problem here:
    the preflight says which server has it. The panel is not a parameter that a request can set: it
    is the plan's own. `definitions`: see `node_definitions.known`; None reads them now.
    """
    shipped = params.shipped_definitions()
    read = [
        (_contract(workflow, known).parameters, known is not shipped)
        for known in definitions or node_definitions.known()
    ]

    def check(given: Mapping[str, Any], place: str) -> list[Problem]:
        problems = (_problems(given, known, place, is_live=is_live) for known, is_live in read)
        return min(problems, key=len)

    return check


def _problems(
    given: Mapping[str, Any], known: Mapping[str, params.Parameter], place: str, *, is_live: bool
) -> list[Problem]:
    found = [
        problem
        for problem in params.check(given, known)
        # One that is down may have it, or have got it since it was read.
        if not (problem.code == "not_in_list" and (is_live or is_model_file(given[problem.name])))
    ]
    problems = [Problem(f"{place}.{printable_key(p.name)}", p.code, p.detail) for p in found]
    problems.extend(unknown_fields(given, known, place))
    if SEED in given and not problems and not 0 <= int(given[SEED]) < SEED_END:
        seed = given[SEED]
        detail = say(
            "seed must be between 0 and {most}, not {seed}.",
            most=SEED_END - 1,
            seed=shown(seed),
        )
        problems.append(Problem(f"{place}.{SEED}", "out_of_bounds", detail))
    return problems


def unknown_fields(
    given: Mapping[str, Any], known: Mapping[str, params.Parameter], place: str
) -> list[Problem]:
    """Return a problem for each text with a field that no plan has."""
    texts = {name: text for name, text in given.items() if is_prompt_text(name, text, known)}
    fields = ", ".join(f"{{{name}}}" for name in prompt_templates.FIELDS)
    return [
        Problem(
            f"{place}.{printable_key(name)}",
            "unknown_field",
            say(
                "There is no field {{{unknown:.64}}}. Known: {fields}. A brace itself is {{{{.",
                unknown=unknown[0],
                fields=fields,
            ),
        )
        for name, text in texts.items()
        if (unknown := prompt_templates.unknown(text))
    ]


def is_prompt_text(name: str, value: object, known: Mapping[str, params.Parameter]) -> bool:
    """Tell whether a value is a text that may hold fields."""
    is_text = name in known and known[name].type == "STRING" and isinstance(value, str)
    return is_text and prompt_templates.has_any(str(value))


def places(given: Iterable[str], at: str = "params") -> dict[str, str]:
    """Return the place in a payload of each of these parameters."""
    return {name: f"{at}.{printable_key(name)}" for name in given}


def check_sizes(
    workflow: Workflow,
    values: Mapping[str, Any],
    asked_at: Mapping[str, str],
    found: Mapping[str, params.Parameter] | None = None,
) -> list[Problem]:
    """Return what is too large to be taken of a workflow with these parameters (checked before).

    `asked_at` is the place of each value that the request itself sets. If leaving one value out
    makes the picture small enough, that value is to blame, otherwise the workflow. `found` are the
    workflow's parameters.
    """
    known = parameters(workflow) if found is None else found
    fault = _too_large(workflow, values, known)
    if fault is None:
        return []
    node_id, words = fault
    without = (
        (place, _too_large(workflow, {k: v for k, v in values.items() if k != name}, known))
        for name, place in asked_at.items()
    )
    blamed = [place for place, rest in without if rest is None or rest[0] != node_id]
    return [Problem(place, "too_large", words) for place in blamed or [FIELD]]


def _too_large(
    workflow: Workflow, values: Mapping[str, Any], found: Mapping[str, params.Parameter]
) -> tuple[str, str] | None:
    """Return the first node that makes too much, and the words for it."""
    known = {name: value for name, value in values.items() if name in found}
    most = settings.MADSEA_IMAGE_MAX_PIXELS
    for size in image_sizes.sizes(params.apply(workflow.graph, known, found)):
        what = f"{size.width_px} × {size.height_px} pixels (node {size.node_id})"
        if size.pixels > most:
            words = say(
                "A picture of {what} is too large: at most {most:,} pixels are taken.",
                what=what,
                most=most,
            )
            return size.node_id, words
        if size.count > PICTURES_MAX:
            words = say(
                "{count} pictures in one prompt are too many: at most {most}.",
                count=size.count,
                most=PICTURES_MAX,
            )
            return size.node_id, words
        if size.count * size.pixels > most:
            words = say(
                "{count} times {what} is too large: at most {most:,} pixels together.",
                count=size.count,
                what=what,
                most=most,
            )
            return size.node_id, words
    return None


def none_apply(given: Mapping[str, Any], place: str = "params") -> list[Problem]:
    """Return a problem for each parameter given where there is no workflow to take it."""
    detail = say("There is no workflow that could take this parameter: name one in workflow_json.")
    return [Problem(at, "no_workflow", detail) for at in places(given, place).values()]


def printable_key(key: object) -> str:
    """Return a key that somebody made up so that an answer can name it: short, and plain text."""
    return storable(str(key))[:64]


def needs_panel(workflow: Workflow) -> bool:
    """Tell whether the workflow starts from the plan's panel."""
    return PANEL in parameters(workflow)


def _refused(code: str, detail: str) -> InvalidRequest:
    return InvalidRequest([Problem(FIELD, code, detail)])
