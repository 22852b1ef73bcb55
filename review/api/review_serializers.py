"""What clients send about versions: strict fields, and all their problems at once."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation.api.request_serializers import Flag, Number, Strict, StrictText, Whole
from generation.models.batch import NAME_MAX, VARIATIONS_MAX
from generation.models.style import PROMPT_MAX
from generation.states import ReviewState
from review.models.retake_reasons import REASONS_MAX
from review.models.review import COMMENT_MAX
from review.models.review_link import LABEL_MAX
from review.services.decisions import DECISIONS_MAX, AskedDecision
from review.services.links import (
    DAYS,
    DAYS_MAX,
    PASSWORD_MAX,
    PASSWORD_MIN,
    VERSIONS_MAX,
    NewLink,
)
from review.services.retakes import NEW, RETAKES_MAX, WantedRetake
from review.states import Decision
from wording import say


class _Inner(Strict):
    """An object in a list, or within another one."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError(say("Expected an object."), code="not_an_object")
        return super().to_internal_value(data)


class _Part(Number):
    """How far along the picture a place is."""

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        if not 0 <= number <= 1:
            raise ValidationError(say("Expected a number from 0 to 1."), code="out_of_bounds")
        return number


class Pin(_Inner):
    x = _Part(help_text="From the picture's left edge, 0, to its right one, 1.")
    y = _Part(help_text="From its upper edge, 0, to its lower one, 1.")


class OneDecision(_Inner):
    version = Whole(min_value=1, max_value=10**18 - 1, help_text="Its id.")
    decision = serializers.ChoiceField(list(Decision))
    seen = serializers.ChoiceField(
        list(ReviewState),
        required=False,
        help_text="The `review_state` that was shown; a comment does without.",
    )
    comment = StrictText(
        required=False,
        allow_blank=True,
        max_length=COMMENT_MAX,
        help_text="A retake, a reopening, a comment and the undo of another's decision need words.",
    )
    follows = Whole(
        required=False,
        min_value=1,
        max_value=10**18 - 1,
        help_text="The id of the advice that is taken over, with its words where none are sent.",
    )
    pin = Pin(required=False, help_text="The place on the picture that the comment is about.")


class Reviews(Strict):
    reviews = serializers.ListField(
        child=OneDecision(),
        allow_empty=False,
        max_length=DECISIONS_MAX,
        help_text="All of them are done, or none; about each version one.",
    )


class DecisionTable(Strict):
    file = serializers.FileField(
        allow_empty_file=True, max_length=255, help_text="CSV in UTF-8, as it was written."
    )


class Seed(serializers.Field[Any, Any, Any, Any]):
    """`new`, `same`, a number, or the text of its digits; its bounds are the workflow's."""

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, bool) or not isinstance(data, int | str):
            raise ValidationError("Expected 'new', 'same' or a whole number.", code="not_a_number")
        return data


class OneRetake(_Inner):
    version = Whole(min_value=1, max_value=10**18 - 1, help_text="Its id; it is a `retake`.")
    seed = Seed(required=False, help_text="`new` (without it), `same`, or another one.")
    prompt_addition = StrictText(
        required=False,
        allow_blank=True,
        max_length=PROMPT_MAX,
        help_text="Put behind the plan's prompt, with a comma.",
    )
    params = serializers.DictField(
        required=False, help_text="Laid over what was asked for the version."
    )


class Retakes(Strict):
    retakes = serializers.ListField(
        child=OneRetake(), allow_empty=False, max_length=RETAKES_MAX, help_text="All, or none."
    )
    variations = Whole(min_value=1, max_value=VARIATIONS_MAX, required=False)
    name = StrictText(max_length=NAME_MAX, required=False)


def wanted_retake(given: Mapping[str, Any]) -> WantedRetake:
    """Return a retake that passed `OneRetake`."""
    return WantedRetake(
        given["version"],
        given.get("seed", NEW),
        given.get("prompt_addition", ""),
        given.get("params", {}),
    )


class RetakeReasonsSent(Strict):
    reasons = serializers.ListField(
        child=StrictText(allow_blank=True),
        max_length=REASONS_MAX,
        help_text="All of them, in their order; each has 1 to 200 characters.",
    )


class NewReviewLink(Strict):
    episode_id = Whole(min_value=1, max_value=10**18 - 1)
    sequence_id = StrictText(required=False, max_length=64, help_text="Such as SQ0010; else all.")
    versions = serializers.ListField(
        child=Whole(min_value=1, max_value=10**18 - 1),
        required=False,
        allow_empty=False,
        max_length=VERSIONS_MAX,
        help_text="Ids; without it the picture that stands for each plan.",
    )
    label = StrictText(  # type: ignore[assignment]
        required=False, allow_blank=True, max_length=LABEL_MAX, help_text="For whom, or what for."
    )
    days = Whole(
        required=False, min_value=1, max_value=DAYS_MAX, help_text=f"How long; {DAYS} by default."
    )
    password = StrictText(required=False, min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)
    may_decide = Flag(required=False, help_text="Else what guests say is advice.")
    may_download = Flag(required=False)


def new_link(given: Mapping[str, Any]) -> NewLink:
    """Return what passed `NewReviewLink`."""
    named = {"sequence_id": "sequence", "versions": "version_ids"}
    return NewLink(**{named.get(key, key): value for key, value in given.items()})


def asked_decision(given: Mapping[str, Any]) -> AskedDecision:
    """Return a decision that passed `OneDecision`."""
    seen, pin = given.get("seen"), given.get("pin")
    return AskedDecision(
        given["version"],
        Decision(given["decision"]),
        ReviewState(seen) if seen else None,
        given.get("comment", ""),
        (pin["x"], pin["y"]) if pin else None,
        given.get("follows"),
    )
