"""Reading a request: the payload of `POST /api/generate_ai_concept`, checked whole.

Strings are strings: nothing is converted or trimmed. Every problem is reported at once, each with
its place in the payload (`sequences.1.plans.0`). Source: specification, section 1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from generation.errors import InvalidRequest, Problem
from generation.models import Needs, Style, Workflow
from generation.services import preflight, request_fields, workflows
from generation.services.production_tree import Tree
from generation.services.request_fields import PAYLOAD, SEQUENCE, Field, Fields
from generation.states import Mode
from generation.workflows.parameters import shown
from nomenclature import rules
from nomenclature.errors import NomenclatureError

_CHECKS: Mapping[str, Callable[[object], str]] = {
    "project_id": rules.check_project_id,
    "season": rules.check_season,
    "episode": rules.check_episode,
    "sequence_id": rules.check_sequence_id,
    "plan": rules.check_plan,
}
_KINDS: Mapping[type, tuple[str, str]] = {
    str: ("not_a_string", "a string"),
    list: ("not_an_array", "an array"),
    dict: ("not_an_object", "an object"),
}


@dataclass(frozen=True)
class BatchRequest:
    """A request that can be taken.

    `sequences` maps each sequence to its plans in the order asked for; `params` are the style's
    defaults overlaid by the request's; `workflow` is None only in mode manuel; `needs` is what
    rendering needs of a server, None in mode manuel; both may be no rows yet;
    `needs_panel`: the workflow starts from the plan's panel; `seed_bounds` are the least and the
    largest seed that can be drawn, None where no picture depends on one.
    """

    project_id: str
    season: str
    episode: str
    sequences: Tree
    style: Style
    workflow: Workflow | None
    mode: Mode
    params: Mapping[str, Any]
    needs: Needs | None
    needs_panel: bool
    seed_bounds: tuple[int, int] | None


@dataclass
class _Reader:
    """Collects the problems of one payload."""

    payload: Mapping[str, Any]
    problems: list[Problem] = field(default_factory=list)
    needs_panel: bool = False
    seed_bounds: tuple[int, int] | None = None

    def add(self, attr: str, code: str, detail: str) -> None:
        self.problems.append(Problem(attr, code, detail))

    def refuses(self, key: str) -> bool:
        """Tell whether something below this key of the payload cannot be taken."""
        return any(problem.attr.partition(".")[0] == key for problem in self.problems)

    def keys(self, given: Mapping[str, Any], fields: Fields, place: str = "") -> None:
        for key in request_fields.required(fields):
            if key not in given:
                self.add(f"{place}{key}", "required", f"{key} is required.")
        for key in given:
            if key not in fields:
                detail = f"Unknown key. Known: {', '.join(fields)}."
                self.add(f"{place}{workflows.named(key)}", "unknown_key", detail)

    def named(self, attr: str, check: Callable[[object], str], value: object) -> str | None:
        try:
            return check(value)
        except NomenclatureError as error:
            self.add(attr, error.code, f"Expected {error.expected}; got {shown(value)}.")
            return None

    def name(self, key: str) -> str | None:
        check = _CHECKS[PAYLOAD[key].rule]
        return self.named(key, check, self.payload[key]) if key in self.payload else None

    def is_of_kind(self, attr: str, field: Field, value: object) -> bool:
        if isinstance(value, field.kind):
            return True
        code, kind = _KINDS[field.kind]
        self.add(attr, code, f"Expected {kind}, not {_kind(value)}.")
        return False


def read(given: object) -> BatchRequest:
    """Return the request that a decoded JSON payload makes.

    Raises:
        InvalidRequest: with every problem found, in the order of the payload's rules.
    """
    if not isinstance(given, dict):
        detail = f"The request must be a JSON object, not {_kind(given)}."
        raise InvalidRequest([Problem("", "not_an_object", detail)])
    reader = _Reader(given)
    reader.keys(given, PAYLOAD)
    project_id = reader.name("project_id")
    season = reader.name("season")
    episode = _episode(reader, season)
    sequences = _sequences(reader)
    style = _style(reader)
    mode = _mode(reader)
    workflow = _workflow(reader, style, mode)
    params = _params(reader, style, workflow, mode)
    needs = _needs(reader, workflow, params) if workflow and mode == Mode.AUTO else None
    if reader.problems:
        raise InvalidRequest(reader.problems)
    assert project_id and season and episode and style  # noqa: S101 - no problem, so all are there
    return BatchRequest(
        project_id,
        season,
        episode,
        sequences,
        style,
        workflow,
        mode,
        params,
        needs,
        reader.needs_panel,
        reader.seed_bounds,
    )


def _check(key: str) -> Callable[[object], str]:
    return _CHECKS[SEQUENCE[key].rule]


def _episode(reader: _Reader, season: str | None) -> str | None:
    if "episode" not in reader.payload:
        return None
    value = reader.payload["episode"]
    return reader.named("episode", lambda given: rules.check_episode(given, season), value)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    return kinds.get(type(value), "an array" if isinstance(value, list) else "an object")


def _sequences(reader: _Reader) -> dict[str, list[str]]:
    given = reader.payload.get("sequences", [])
    merged: dict[str, list[str]] = {}
    if not reader.is_of_kind("sequences", PAYLOAD["sequences"], given):
        return merged
    if "sequences" in reader.payload and not given:
        reader.add("sequences", "empty", "At least one sequence is needed.")
    if _too_many(given):
        detail = f"At most {settings.MADSEA_PLANS_MAX:,} plans can be requested at once."
        reader.add("sequences", "too_many_plans", detail)
        return merged
    seen: dict[tuple[str, str], str] = {}
    for index, sequence in enumerate(given):
        _sequence(reader, f"sequences.{index}", sequence, merged, seen)
    return merged


def _too_many(given: list[Any]) -> bool:
    lists = [s.get("plans") for s in given if isinstance(s, dict)]
    n_plans = sum(len(plans) for plans in lists if isinstance(plans, list))
    return max(n_plans, len(given)) > settings.MADSEA_PLANS_MAX


def _sequence(
    reader: _Reader,
    place: str,
    sequence: object,
    merged: dict[str, list[str]],
    seen: dict[tuple[str, str], str],
) -> None:
    if not isinstance(sequence, dict):
        reader.add(place, "not_an_object", f"Expected an object, not {_kind(sequence)}.")
        return
    reader.keys(sequence, SEQUENCE, f"{place}.")
    code = None
    if "sequence_id" in sequence:
        code = reader.named(f"{place}.sequence_id", _check("sequence_id"), sequence["sequence_id"])
    plans = _plans(reader, f"{place}.plans", sequence)
    if code is None:
        return
    for at, plan in plans:
        first = seen.setdefault((code, plan), at)
        if first != at:
            reader.add(at, "duplicate_plan", f"Plan {plan} of {code} stands at {first} already.")
        else:
            merged.setdefault(code, []).append(plan)


def _plans(reader: _Reader, place: str, sequence: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = sequence.get("plans", [])
    if not reader.is_of_kind(place, SEQUENCE["plans"], given):
        return []
    if "plans" in sequence and not given:
        reader.add(place, "empty", "At least one plan is needed.")
    check = _CHECKS[request_fields.item_rule(SEQUENCE["plans"])]
    checked = [
        (f"{place}.{index}", reader.named(f"{place}.{index}", check, plan))
        for index, plan in enumerate(given)
    ]
    return [(at, plan) for at, plan in checked if plan is not None]


def _style(reader: _Reader) -> Style | None:
    if "style" not in reader.payload:
        return None
    value = reader.payload["style"]
    if not reader.is_of_kind("style", PAYLOAD["style"], value):
        return None
    known = {style.code: style for style in Style.objects.filter(is_active=True)}
    if value not in known:
        detail = f"There is no style {shown(value)}. Known: {', '.join(known) or 'none'}."
        reader.add("style", "unknown_style", detail)
    return known.get(value)


def _mode(reader: _Reader) -> Mode:
    value = reader.payload.get("mode", Mode.AUTO.value)
    choices = PAYLOAD["mode"].choices
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(choices)
        reader.add("mode", "unknown_mode", f"Expected one of {known}; got {shown(value)}.")
        return Mode.AUTO
    return Mode(value)


def _workflow(reader: _Reader, style: Style | None, mode: Mode) -> Workflow | None:
    name = reader.payload.get("workflow_json", style.workflow_name if style else "")
    if not reader.is_of_kind("workflow_json", PAYLOAD["workflow_json"], name):
        return None
    if "workflow_json" not in reader.payload and (mode == Mode.MANUEL or style is None):
        return None
    try:
        return workflows.find(name)
    except InvalidRequest as error:
        reader.problems.extend(error.problems)
        return None


def _params(
    reader: _Reader, style: Style | None, workflow: Workflow | None, mode: Mode
) -> Mapping[str, Any]:
    given: dict[str, Any] = reader.payload.get("params", {})
    if not reader.is_of_kind("params", PAYLOAD["params"], given):
        return {}
    if workflow is None:
        if mode == Mode.MANUEL and "workflow_json" not in reader.payload:
            reader.problems.extend(workflows.none_apply(given))
        return given
    definitions = workflows.known_definitions()
    reader.problems.extend(workflows.check_params(workflow, given, definitions))
    contract = workflows.contract(workflow, definitions)
    reader.problems.extend(workflows.open_questions(contract))
    found = contract.parameters
    reader.needs_panel = workflows.PANEL in found
    reader.seed_bounds = workflows.seed_bounds(contract)
    defaults = {
        key: value for key, value in (style.params if style else {}).items() if key in found
    }
    values = defaults | given
    if mode == Mode.AUTO and not reader.refuses("params"):
        reader.problems.extend(workflows.check_sizes(workflow, values, given))
    return values


def _needs(reader: _Reader, workflow: Workflow, params: Mapping[str, Any]) -> Needs | None:
    """Check that some server can run it; not where a parameter could not be set."""
    if reader.refuses("params"):
        return None
    given = [name for name in reader.payload.get("params", {}) if name in params]
    needs, problems = preflight.check(workflow, params, given)
    reader.problems.extend(problems)
    return needs
