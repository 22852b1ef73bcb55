"""Reading a request: the payload of `POST /api/generate_ai_concept`, checked whole.

Strings are strings: nothing is converted or trimmed. Every problem is reported at once, each with
its place in the payload (`sequences.1.plans.0`). Source: specification, section 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from generation.errors import InvalidRequest, Problem
from generation.models import Needs, Style, Version, Workflow
from generation.parameter_sources import Sources
from generation.services import (
    plan_preflight,
    request_params,
    request_sequences,
    requested_workflows,
)
from generation.services.payload_reader import Reader, kind_of
from generation.services.production_tree import Tree
from generation.services.request_fields import PAYLOAD
from generation.services.request_params import OwnValues, PlanKey, Values
from generation.services.request_sequences import AskedPlan
from generation.states import Mode
from generation.workflows.parameters import shown
from nomenclature import rules
from wording import say

#: Why a request that insists on locked plans is refused.
NO_REASON = "Say why approved plans are to be made anew: force takes a reason."


@dataclass(frozen=True)
class BatchRequest:
    """A request that can be taken.

    `sequences` maps each sequence to its plans in the order asked for; `params` are the style's
    defaults overlaid by the request's, with their `sources`; `own` is what some plans get beside
    them; `workflow` is None only in mode manuel; `needs` is what rendering needs of a server, None
    in mode manuel; both may be no rows yet; `needs_panel`: the workflow starts from the plan's
    panel; `seed_bounds` are the least and the largest seed that can be drawn, None where no picture
    depends on one. Each plan gets as many runs as there are `variations`; those that are locked get
    none but by `force`. `rerun_of` is the version
    whose recipe it follows.
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
    sources: Sources = field(default_factory=dict)
    own: Mapping[PlanKey, OwnValues] = field(default_factory=dict)
    variations: int = 1
    name: str = ""
    reason: str = ""
    priority: int = 0
    force: bool = False
    rerun_of: Version | None = None
    variant: str = ""

    @property
    def keys(self) -> list[PlanKey]:
        """Its plans, in the order asked for."""
        return [(code, plan) for code, plans in self.sequences.items() for plan in plans]


def read(given: object) -> BatchRequest:
    """Return the request that a decoded JSON payload makes.

    Raises:
        InvalidRequest: with every problem found, in the order of the payload's rules.
    """
    if not isinstance(given, dict):
        detail = say("The request must be a JSON object, not {kind}.", kind=kind_of(given))
        raise InvalidRequest([Problem("", "not_an_object", detail)])
    reader = Reader(given)
    reader.keys(given, PAYLOAD)
    project_id = reader.name("project_id")
    season = reader.name("season")
    episode = _episode(reader, season)
    asked = request_sequences.read(reader)
    _refuse_set_apart(reader, project_id, episode, asked)
    style = _style(reader)
    mode = _mode(reader)
    workflow = _workflow(reader, style, mode)
    values = request_params.read(reader, asked, style=style, workflow=workflow, mode=mode)
    variations = _variations(reader, asked, values, mode)
    name, reason = reader.text("name"), reader.text("reason")
    priority, force = reader.number("priority", 0), reader.flag("force")
    if force and not reason.strip():
        reader.add("reason", "no_reason", NO_REASON)
    if reader.problems:
        raise InvalidRequest(reader.problems)
    assert project_id and season and episode and style  # noqa: S101 - no problem, so all are there
    return BatchRequest(
        project_id,
        season,
        episode,
        _tree(asked),
        style,
        workflow,
        mode,
        values.params,
        values.needs,
        values.needs_panel,
        values.seed_bounds,
        values.sources,
        values.own,
        variations,
        name,
        reason,
        priority,
        force,
        variant=reader.payload.get("variant", ""),
    )


def _refuse_set_apart(
    reader: Reader, project_id: str | None, episode: str | None, asked: Sequence[AskedPlan]
) -> None:
    """Refuse plans that are on hold or omitted, where it can be read which are meant."""
    if project_id and episode and asked:
        places = {plan.key: plan.place for plan in asked}
        reader.problems.extend(plan_preflight.set_apart(project_id, episode, places))


def _tree(asked: list[AskedPlan]) -> dict[str, list[str]]:
    tree: dict[str, list[str]] = {}
    for plan in asked:
        tree.setdefault(plan.sequence_id, []).append(plan.plan)
    return tree


def _variations(reader: Reader, asked: Sequence[AskedPlan], values: Values, mode: Mode) -> int:
    """Read how many pictures of each plan are asked for: of several, each draws its seed."""
    variations = reader.number("variations", 1)
    if variations == 1:
        return 1
    most = settings.MADSEA_PLANS_MAX
    if mode == Mode.MANUEL:
        detail = say("An artist uploads one image of each plan in mode manuel: leave it out.")
        reader.add("variations", "no_variations", detail)
    elif variations * len(asked) > most:
        detail = say("At most {most:,} plans times variations can be requested at once.", most=most)
        reader.add("variations", "too_many_plans", detail)
    elif values.is_read and values.seed_bounds is None:
        detail = say("No picture of this workflow depends on a seed: all would be the same.")
        reader.add("variations", "no_variations", detail)
    detail = say("Each variation draws a seed of its own: leave out either the seed or variations.")
    for place in values.seeds_at:
        reader.add(place, "seed_of_variations", detail)
    return variations


def _episode(reader: Reader, season: str | None) -> str | None:
    if "episode" not in reader.payload:
        return None
    value = reader.payload["episode"]
    return reader.named("episode", lambda given: rules.check_episode(given, season), value)


def _style(reader: Reader) -> Style | None:
    if "style" not in reader.payload:
        return None
    value = reader.payload["style"]
    if not reader.take_kind("style", PAYLOAD["style"], value):
        return None
    known = {style.code: style for style in Style.objects.filter(is_active=True)}
    if value not in known:
        detail = say(
            "There is no style {value}. Known: {known}.",
            value=shown(value),
            known=", ".join(known) or say("none"),
        )
        reader.add("style", "unknown_style", detail)
    return known.get(value)


def _mode(reader: Reader) -> Mode:
    value = reader.payload.get("mode", Mode.AUTO.value)
    choices = PAYLOAD["mode"].choices
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(choices)
        reader.add(
            "mode",
            "unknown_mode",
            say("Expected one of {known}; got {value}.", known=known, value=shown(value)),
        )
        return Mode.AUTO
    return Mode(value)


def _workflow(reader: Reader, style: Style | None, mode: Mode) -> Workflow | None:
    name = reader.payload.get("workflow_json", style.workflow_name if style else "")
    if not reader.take_kind("workflow_json", PAYLOAD["workflow_json"], name):
        return None
    if "workflow_json" not in reader.payload and (mode == Mode.MANUEL or style is None):
        return None
    try:
        return requested_workflows.find(name)
    except InvalidRequest as error:
        reader.problems.extend(error.problems)
        return None
