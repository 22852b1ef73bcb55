"""What clients send to the small endpoints: strict fields, and all their problems at once."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from generation.models.batch import (
    NAME_MAX,
    PRIORITY_HIGH,
    PRIORITY_LOW,
    REASON_MAX,
    VARIATIONS_MAX,
)
from generation.services.batch_controls import TRIES_HIGH, TRIES_LOW
from generation.services.plan_attributes import FIELDS, NUMBERS, TEXTS
from generation.states import PlanStatus
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from wording import say


class StrictText(serializers.CharField):
    """A string that is one: no number passes for it, nothing is trimmed."""

    default_error_messages = {"not_a_string": say("Expected a string.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_a_string")
        return str(super().to_internal_value(data))


class Named(StrictText):
    """A name of the production tree, checked by the nomenclature's rule of that name."""

    def __init__(self, rule: str, **options: Any) -> None:
        super().__init__(**options)
        self.rule = rule
        self._check: Callable[[object], str] = getattr(rules, f"check_{rule}")

    def to_internal_value(self, data: Any) -> str:
        try:
            return self._check(data)
        except NomenclatureError as error:
            raise ValidationError(
                say("Expected {expected}.", expected=error.expected), code=error.code
            ) from None


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses unknown keys, together with everything else that is wrong."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            detail = ErrorDetail(say("Expected a JSON object."), "not_an_object")
            raise ValidationError({"non_field_errors": [detail]})
        cleaned: dict[str, Any] = {}
        problems: dict[str, Any] = {}
        try:
            cleaned = super().to_internal_value(data)
        except ValidationError as error:
            problems.update(error.detail if isinstance(error.detail, dict) else {})
        problems.update(self.other_problems(data))
        if problems:
            raise ValidationError(problems)
        return cleaned

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the problems that no single field sees, by their place."""
        known = ", ".join(self.fields)
        unknown = [key for key in data if key not in self.fields]
        return {
            f"{key:.64}": [
                ErrorDetail(say("Unknown key. Known: {known}.", known=known), "unknown_key")
            ]
            for key in unknown
        }


class Credentials(Strict):
    username = StrictText(max_length=150)
    password = StrictText(max_length=4096)


class Whole(serializers.IntegerField):
    """A whole number that is one: no text and no boolean passes for it."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise ValidationError(say("Expected a whole number."), code="not_a_number")
        return int(data)


class OnePlanOrAll(Strict):
    batch_id = StrictText(max_length=64)
    sequence_id = StrictText(required=False, max_length=64)
    plan = StrictText(required=False, max_length=64)
    variation = Whole(
        min_value=1,
        max_value=VARIATIONS_MAX,
        required=False,
        help_text="One of the plan's variations; without it all of them.",
    )

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        given = [key for key in ("sequence_id", "plan") if key in data]
        if len(given) == 1:
            missing = "plan" if given == ["sequence_id"] else "sequence_id"
            detail = say("sequence_id and plan go together: name both for one plan, none for all.")
            problems[missing] = [ErrorDetail(detail, "required")]
        if "variation" in data and not given:
            detail = say("A variation is one of a plan: name its sequence_id and plan.")
            problems["variation"] = [ErrorDetail(detail, "no_plan")]
        return problems


class Cancel(OnePlanOrAll):
    pass


class Retry(OnePlanOrAll):
    params = serializers.DictField(
        required=False, help_text="Overrides for these runs; the seed stays unless it is given."
    )
    workflow_json = StrictText(
        required=False,
        max_length=128,
        help_text="Another workflow for these runs, such as the corrected file.",
    )


class Flag(serializers.BooleanField):
    """`true` or `false`, and nothing that is like them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise ValidationError(say("Expected true or false."), code="not_a_boolean")
        return data


class Steer(Strict):
    priority = Whole(min_value=PRIORITY_LOW, max_value=PRIORITY_HIGH, required=False)
    paused = Flag(required=False)
    max_tries = Whole(min_value=TRIES_LOW, max_value=TRIES_HIGH, required=False)
    name = StrictText(max_length=NAME_MAX, required=False)

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        if not data:
            detail = say("Name at least one of {fields}.", fields=", ".join(self.fields))
            problems["non_field_errors"] = [ErrorDetail(detail, "required")]
        return problems


@extend_schema_field(OpenApiTypes.NUMBER)
class Number(serializers.Field[float, Any, float, Any]):
    """A finite number that is one: no text and no boolean passes for it."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not isfinite(data):
            raise ValidationError(say("Expected a number."), code="not_a_number")
        return data

    def to_representation(self, value: float) -> float:
        return value


class Answers(Strict):
    which_panel = StrictText(required=False, allow_null=True, allow_blank=True)
    which_result = StrictText(required=False, allow_null=True)
    painted_mask = StrictText(required=False, allow_null=True)


class ParameterChoice(Strict):
    offered = Flag(required=False, allow_null=True)
    label = StrictText(required=False, allow_null=True)  # type: ignore[assignment]
    order = Whole(required=False, allow_null=True)
    min = Number(required=False, allow_null=True)
    max = Number(required=False, allow_null=True)
    preset = serializers.JSONField(required=False, allow_null=True)


class WorkflowFile(Strict):
    file = serializers.FileField(
        allow_empty_file=True,
        max_length=255,
        help_text="API format, the editor's, or a PNG or WebP that ComfyUI saved.",
    )
    name = StrictText(required=False, help_text="Default: the file's own.")


class ContractChange(Strict):
    answers = Answers(required=False, help_text="The node that answers each question; null: none.")
    parameters = serializers.DictField(
        child=ParameterChoice(allow_null=True),
        required=False,
        help_text="What is chosen of each parameter; null takes it back.",
    )

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        if not data:
            detail = say("Name at least one of {fields}.", fields=", ".join(self.fields))
            problems["non_field_errors"] = [ErrorDetail(detail, "required")]
        return problems


class Upload(Strict):
    batch_id = StrictText(max_length=64)
    sequence_id = StrictText(max_length=64)
    plan = StrictText(max_length=64)
    variation = serializers.IntegerField(
        min_value=1,
        max_value=VARIATIONS_MAX,
        required=False,
        help_text="One of the plan's variations; without it the first.",
    )
    file = serializers.FileField(allow_empty_file=True, help_text="PNG, JPEG or WebP.")


class Panel(Strict):
    project_id = Named("project_id")
    season = Named("season")
    episode = Named("episode")
    sequence_id = Named("sequence_id")
    plan = Named("plan")
    file = serializers.FileField(allow_empty_file=True, help_text="PNG, JPEG or WebP.")

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        if "season" in data and "episode" in data:
            problems |= disagreement(data["season"], data["episode"])
        return problems


class PlanTexts(Strict):
    """What is written of a plan: what is left out stays as it is."""

    label = StrictText(max_length=TEXTS["label"], allow_blank=True, required=False)  # type: ignore[assignment]
    storyboard_uid = StrictText(
        max_length=TEXTS["storyboard_uid"], allow_blank=True, required=False
    )
    dialogue = StrictText(max_length=TEXTS["dialogue"], allow_blank=True, required=False)
    action = StrictText(
        max_length=TEXTS["action"],
        allow_blank=True,
        required=False,
        help_text="Place, camera and description follow it, unless somebody wrote them otherwise.",
    )
    place = StrictText(max_length=TEXTS["place"], allow_blank=True, required=False)
    camera = StrictText(max_length=TEXTS["camera"], allow_blank=True, required=False)
    description = StrictText(max_length=TEXTS["description"], allow_blank=True, required=False)
    notes = StrictText(max_length=TEXTS["notes"], allow_blank=True, required=False)
    duration_ms = Whole(
        min_value=0, max_value=NUMBERS["duration_ms"], required=False, allow_null=True
    )
    position = Whole(min_value=0, max_value=NUMBERS["position"], required=False, allow_null=True)
    style = StrictText(  # type: ignore[assignment]
        max_length=64, required=False, allow_null=True, help_text="One of `GET /api/styles`."
    )
    production_status = serializers.ChoiceField(list(PlanStatus), required=False)
    text_revision = Whole(
        min_value=0,
        required=False,
        help_text="The one that was read: 409 where somebody has changed the plan since.",
    )

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        if not set(data) - {"text_revision"}:
            detail = say("Name at least one of {fields}.", fields=", ".join(FIELDS))
            problems["non_field_errors"] = [ErrorDetail(detail, "required")]
        return problems


class Lookup(Strict):
    file = serializers.FileField(
        allow_empty_file=True, help_text="A PNG, JPEG or WebP, under whatever name."
    )


class PlanOfEpisode(Strict):
    sequence_id = Named("sequence_id")
    plan = Named("plan")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError(say("Expected an object."), code="not_an_object")
        return super().to_internal_value(data)


class Seed(serializers.Field[Any, Any, Any, Any]):
    """A seed, as a number or as the text of its digits, or `new`; its bounds are the workflow's."""

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, bool) or not isinstance(data, int | str):
            raise ValidationError(say("Expected a whole number, or 'new'."), code="not_a_number")
        return data


class Rerun(Strict):
    seed = Seed(required=False, help_text="Another seed, or `new`: each plan draws its own.")
    plans = serializers.ListField(
        child=PlanOfEpisode(),
        required=False,
        allow_empty=False,
        max_length=settings.MADSEA_PLANS_MAX,
        help_text="Other plans of the version's episode, which start from their own panels.",
    )
    variations = Whole(min_value=1, max_value=VARIATIONS_MAX, required=False)
    force = Flag(required=False, help_text="Approved plans, too: it takes a `reason`.")
    reason = StrictText(max_length=REASON_MAX, required=False, allow_blank=True)


def disagreement(season: object, episode: object) -> dict[str, Any]:
    """Return the problem of an episode that is not of its season, by its place; empty: it is."""
    try:
        rules.check_season(season)
        rules.check_episode(episode, season)
    except NomenclatureError as error:
        if error.code == "episode_not_in_season":
            return {
                "episode": [
                    ErrorDetail(say("Expected {expected}.", expected=error.expected), error.code)
                ]
            }
    return {}


def checked(shape: type[Strict], request: Request) -> dict[str, Any]:
    """Return what the client sent, checked by `shape`.

    Raises:
        ValidationError: with every problem.
    """
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
