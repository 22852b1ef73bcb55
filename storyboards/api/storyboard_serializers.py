"""What clients send about storyboards: strict fields, and all their problems at once."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation.api.request_serializers import Flag, Named, Strict, StrictText, Whole, disagreement
from generation.errors import InvalidRequest, Problem
from generation.services.plan_attributes import NUMBERS
from storyboards.services import editing, intake
from wording import say

#: The most boards of a storyboard; an episode has some hundreds.
BOARDS_MAX = 5_000
_RANGE = r"[0-9]{1,4}(-[0-9]{1,4})?"
POSITIONS = rf"{_RANGE}(,{_RANGE}){{0,499}}"


class NewStoryboard(Strict):
    file = serializers.FileField(
        allow_empty_file=True,
        max_length=255,
        help_text="A PDF, a zip of a Storyboarder project, or a zip of images, with or without a "
        "CSV of their texts; at most 500 MB.",
    )
    project_id = Named("project_id")
    season = Named("season")
    episode = Named("episode")
    pictures = serializers.ChoiceField(
        list(intake.PICTURES),
        required=False,
        help_text="Of several pictures of one plan: the first (default), the last, or all.",
    )

    def other_problems(self, data: Mapping[str, Any]) -> dict[str, Any]:
        problems = super().other_problems(data)
        if "season" in data and "episode" in data:
            problems |= disagreement(data["season"], data["episode"])
        return problems


class BoardChange(Strict):
    position = Whole(min_value=1, max_value=BOARDS_MAX)
    sequence_id = Named("sequence_id", required=False)
    plan = Named("plan", required=False)
    style = StrictText(required=False, allow_blank=True, max_length=64)  # type: ignore[assignment]
    selected = Flag(required=False)
    checked = Flag(required=False, help_text="Its doubts were looked at.")
    begins_sequence = Flag(
        required=False,
        help_text="true: a new sequence begins here; false: it goes on with the one above.",
    )
    label = StrictText(  # type: ignore[assignment]
        required=False, allow_blank=True, max_length=editing.TEXTS["label"]
    )
    dialogue = StrictText(required=False, allow_blank=True, max_length=editing.TEXTS["dialogue"])
    action = StrictText(required=False, allow_blank=True, max_length=editing.TEXTS["action"])
    notes = StrictText(required=False, allow_blank=True, max_length=editing.TEXTS["notes"])
    duration_ms = Whole(
        required=False, allow_null=True, min_value=0, max_value=NUMBERS["duration_ms"]
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError(say("Expected an object."), code="not_an_object")
        return super().to_internal_value(data)


class Boards(Strict):
    boards = serializers.ListField(child=BoardChange(), allow_empty=False, max_length=BOARDS_MAX)
    revision = Whole(
        required=False, min_value=1, help_text="What you have seen; if it is another now: 409."
    )


class Confirm(Strict):
    revision = Whole(
        required=False, min_value=1, help_text="What you have seen; if it is another now: 409."
    )


def positions(value: str | None) -> set[int] | None:
    """Return the boards that an answer is to tell, of `1-200,305`; None: all of them.

    Raises:
        InvalidRequest: it is no list of positions.
    """
    if value is None:
        return None
    if not re.fullmatch(POSITIONS, value):
        detail = say("Expected positions of boards, such as 1-200,305.")
        raise InvalidRequest([Problem("boards", "invalid", detail)])
    wanted: set[int] = set()
    for part in value.split(","):
        first, _, last = part.partition("-")
        wanted.update(range(int(first), int(last or first) + 1))
    return wanted
