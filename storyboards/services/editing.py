"""A draft is corrected: what is typed into its boards, and where its sequences begin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation.errors import Conflict, InvalidRequest, Problem
from generation.models.production import LABEL_MAX, TEXT_MAX
from generation.services import acts, permissions
from generation.services.permissions import Needed
from nomenclature import rules
from nomenclature.errors import NomenclatureError
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.selectors import known_plans
from storyboards.services import numbering, proposals, transitions
from storyboards.services.numbering import NoNumberLeft, Place, ToPlace
from wording import say

#: What may be changed of a board, and the field that keeps it.
FIELDS: Mapping[str, str] = {
    "sequence_id": "sequence_code",
    "plan": "plan_code",
    "style": "style_code",
    "selected": "is_selected",
    "checked": "is_checked",
    "label": "label",
    "dialogue": "dialogue",
    "action": "action",
    "notes": "notes",
    "duration_ms": "duration_ms",
}
BEGINS = "begins_sequence"
TO_CORRECT = Needed(permissions.WRITE, say("correct storyboards"))
#: How long the texts may be: as a plan's.
TEXTS: Mapping[str, int] = {
    "label": LABEL_MAX,
    "dialogue": TEXT_MAX,
    "action": TEXT_MAX,
    "notes": TEXT_MAX,
}


def change(
    of: StoryboardImport,
    changes: Sequence[Mapping[str, Any]],
    *,
    revision: int | None = None,
    actor: User | None,
) -> None:
    """Change boards of a draft, each named by its `position`: some of `FIELDS`, or `BEGINS`.

    `begins_sequence`: true, and a new sequence begins at this board; false, and it goes on with the
    sequence above, with all that follow it in its own. Plans that exist keep their numbers.
    `revision`: what whoever changes it has seen.

    Raises:
        Forbidden: who changes it may not.
        InvalidRequest: with every problem, at its place in `boards`.
        Conflict: it is no draft, is being confirmed, or has another revision by now.
    """
    permissions.require(actor, *TO_CORRECT)
    with transaction.atomic():
        # Before its boards are read: whoever confirms it waits, or has it already.
        if not transitions.touch(of):
            raise refusal(of)
        held = StoryboardImport.objects.get(pk=of.pk)
        if revision is not None and held.revision != revision + 1:
            detail = say("Somebody has changed it meanwhile: read it again.")
            raise Conflict(detail, code="storyboard_changed", attr="revision")
        boards = list(held.boards.order_by("position"))
        _check(boards, changes)
        before = [_values(board) for board in boards]
        _write(held, boards, changes)
        other = [row for row, old in zip(boards, before, strict=True) if _values(row) != old]
        _store(other)
        _record(held, boards, before, actor)


def _store(boards: Sequence[DraftBoard]) -> None:
    """Write changed boards, whose import is locked: an UPDATE of many rows at once."""
    same = {"unique_fields": ["id"], "update_fields": [*FIELDS.values()]}
    DraftBoard.objects.bulk_create(boards, batch_size=500, update_conflicts=True, **same)  # type: ignore[arg-type]


def _values(board: DraftBoard) -> dict[str, Any]:
    return {name: getattr(board, field) for name, field in FIELDS.items()}


def _record(
    of: StoryboardImport,
    boards: Sequence[DraftBoard],
    before: Sequence[Mapping[str, Any]],
    actor: User | None,
) -> None:
    """Write down what was corrected, each by its board's position: `3.plan`."""
    was: dict[str, Any] = {}
    now: dict[str, Any] = {}
    for board, old in zip(boards, before, strict=True):
        for name, value in _values(board).items():
            if value != old[name]:
                key = f"{board.position}.{name}"
                was[key], now[key] = old[name], value
    if now:
        acts.record("correct", of, by=actor, before=was, after=now)


def refusal(of: StoryboardImport) -> Conflict:
    """Return why a draft cannot be changed, or confirmed, just now."""
    held = StoryboardImport.objects.filter(pk=of.pk).first()
    if held is None:
        return Conflict(say("It is deleted."), code="storyboard_deleted")
    if held.is_draft:
        detail = say("Somebody confirms it at this moment.")
        return Conflict(detail, code="storyboard_being_confirmed")
    detail = say("It is {state}: only a draft can be changed and confirmed.", state=held.state)
    return Conflict(detail, code=f"storyboard_{held.state}")


def _write(
    of: StoryboardImport, boards: list[DraftBoard], changes: Sequence[Mapping[str, Any]]
) -> None:
    at = {board.position: place for place, board in enumerate(boards)}
    for wanted in changes:
        board = boards[at[wanted["position"]]]
        for name, field in FIELDS.items():
            if name in wanted:
                setattr(board, field, wanted[name])
        if set(wanted) - {"position", "checked", "selected"} and "checked" not in wanted:
            # Who corrects a board has looked at it.
            board.is_checked = True
    try:
        for wanted in changes:
            if BEGINS in wanted:
                _begin(of, boards, at[wanted["position"]], begins=wanted[BEGINS])
        _number_the_selected(of, boards)
    except NoNumberLeft:
        problem = Problem("boards", "no_number_left", say("There is no free number left."))
        raise InvalidRequest([problem]) from None


def _begin(of: StoryboardImport, boards: list[DraftBoard], at: int, *, begins: bool) -> None:
    """Move the boundary of a sequence to above a board, or away from there."""
    if not at or begins == (boards[at].sequence_code != boards[at - 1].sequence_code):
        return
    run = _rest_of_sequence(boards, at)
    _place_anew(of, boards, {each: begins if each == at else False for each in run})


def _rest_of_sequence(boards: Sequence[DraftBoard], at: int) -> list[int]:
    end = at
    while end < len(boards) and boards[end].sequence_code == boards[at].sequence_code:
        end += 1
    return list(range(at, end))


def _number_the_selected(of: StoryboardImport, boards: list[DraftBoard]) -> None:
    """Give a number to boards that were blank and are wanted now."""
    bare = {
        at: False for at, board in enumerate(boards) if board.is_selected and not board.plan_code
    }
    if bare:
        _place_anew(of, boards, bare)


def _place_anew(of: StoryboardImport, boards: list[DraftBoard], begins: Mapping[int, bool]) -> None:
    """Number some boards anew, by their places; plans that exist stay what they are."""
    known = proposals.places(known_plans.of_episode(of.project_code, of.episode_code))
    standing = set(known)
    wanted = [
        _to_place(board, begins.get(at), is_free=at in begins and _place(board) not in standing)
        for at, board in enumerate(boards)
    ]
    proposed = numbering.propose(wanted, proposals.habit_of(of.project_code), known)
    for at in begins:
        boards[at].sequence_code = proposed[at].sequence_id
        boards[at].plan_code = proposed[at].plan


def _to_place(board: DraftBoard, begins: bool | None, *, is_free: bool) -> ToPlace:
    place = None if is_free else _place(board)
    return ToPlace(
        label=board.label,
        action=board.action,
        is_blank=not board.plan_code and not board.is_selected,
        place=place,
        style=board.style_code,
        begins=begins,
    )


def _place(board: DraftBoard) -> Place | None:
    if not (board.sequence_code and board.plan_code):
        return None
    return Place(board.sequence_code, board.plan_code)


# What may be sent ---------------------------------------------------------------------------------


def _check(boards: Sequence[DraftBoard], changes: Sequence[Mapping[str, Any]]) -> None:
    known = {board.position for board in boards}
    styles = proposals.usable_styles()
    seen: set[int] = set()
    problems: list[Problem] = []
    for index, wanted in enumerate(changes):
        place, position = f"boards.{index}", wanted["position"]
        if position not in known:
            detail = say(
                "There is no board at {position}: they are 1 to {n}.",
                position=position,
                n=len(boards),
            )
            problems.append(Problem(f"{place}.position", "unknown_board", detail))
        elif position in seen:
            detail = say("The board at {position} stands here twice.", position=position)
            problems.append(Problem(f"{place}.position", "duplicate_board", detail))
        seen.add(position)
        problems += _wrong(place, wanted, styles)
    if problems:
        raise InvalidRequest(problems)


def _wrong(place: str, wanted: Mapping[str, Any], styles: Mapping[str, str]) -> list[Problem]:
    problems: list[Problem] = []
    for name, check in (("sequence_id", rules.check_sequence_id), ("plan", rules.check_plan)):
        try:
            if wanted.get(name):
                check(wanted[name])
        except NomenclatureError as error:
            problems.append(
                Problem(
                    f"{place}.{name}",
                    error.code,
                    say("Expected {expected}.", expected=error.expected),
                )
            )
    style = wanted.get("style")
    if style and style not in styles:
        detail = say(
            "There is no style {style!r:.64}. Known: {styles}.",
            style=style,
            styles=", ".join(styles),
        )
        problems.append(Problem(f"{place}.style", "unknown_style", detail))
    for name, most in TEXTS.items():
        if len(wanted.get(name) or "") > most:
            detail = say("At most {most:,} characters.", most=most)
            problems.append(Problem(f"{place}.{name}", "max_length", detail))
    return problems
