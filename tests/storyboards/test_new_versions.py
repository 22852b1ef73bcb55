"""A storyboard comes again: what is added, changed, moved and gone; nothing is renumbered."""

from typing import Any

import pytest

from generation.models import Plan, PlanRun, Version
from generation.states import PlanStatus
from storyboards.models import StoryboardImport
from storyboards.selectors import documents, drafts
from storyboards.selectors.drafts import Draft
from storyboards.services import confirmation
from tests import factories
from tests.review.deciding import approve, concepts
from tests.storyboards.boards import LABO, board, read

pytestmark = pytest.mark.django_db


def confirmed(boards: list[dict[str, Any]]) -> StoryboardImport:
    return confirmation.confirm(read(boards), actor=None)


def again(boards: list[dict[str, Any]]) -> Draft:
    """Read another version: positions are given anew, the labels and pictures are as they are."""
    return drafts.draft(read([told | {"position": at} for at, told in enumerate(boards, 1)]))


def changes(draft: Draft) -> list[str]:
    return [each.change.value for each in draft.boards]


def places(draft: Draft) -> list[str]:
    return [f"{each.board.sequence_code}-{each.board.plan_code}" for each in draft.boards]


def test_the_same_storyboard_changes_nothing() -> None:
    boards = [board(1), board(2), board(3, action=LABO)]
    first = confirmed(boards)
    draft = again(boards)
    made = confirmation.confirm(draft.of, actor=None).made

    assert changes(draft) == ["same"] * 3
    assert draft.of != first
    assert (made["new"], made["changed"], made["panels"], made["omitted"]) == (0, 0, 0, 0)


def test_a_board_that_was_drawn_anew_is_the_panel_s_next_version() -> None:
    boards = [board(1), board(2)]
    confirmed(boards)

    draft = again([board(1), board(2, drawing=9)])
    confirmation.confirm(draft.of, actor=None)

    assert [each.changes for each in draft.boards] == [(), ("picture",)]
    panels = Version.objects.panels().filter(plan__code="0020")
    assert [panel.number for panel in panels] == [2, 1]


def test_a_new_board_between_two_is_a_new_plan_between_them() -> None:
    confirmed([board(1), board(2)])

    draft = again([board(1), board(9), board(2)])
    confirmation.confirm(draft.of, actor=None)

    assert places(draft) == ["SQ0010-0010", "SQ0010-0015", "SQ0010-0020"]
    assert changes(draft) == ["same", "added", "same"]
    in_order = Plan.objects.order_by("position").values_list("code", flat=True)
    assert list(in_order) == ["0010", "0015", "0020"]


def test_a_board_that_is_gone_leaves_its_plan_omitted() -> None:
    confirmed([board(1), board(2), board(3)])

    draft = again([board(1), board(3)])
    confirmation.confirm(draft.of, actor=None)

    assert [plan.plan for plan in draft.gone] == ["0020"]
    gone = Plan.objects.get(code="0020")
    assert gone.production_status == PlanStatus.OMITTED
    assert Version.objects.panels().filter(plan=gone).exists()


def test_a_board_that_comes_back_brings_its_plan_back() -> None:
    confirmed([board(1), board(2)])
    confirmed([board(1)])

    confirmed([board(1), board(2, notes="De retour.")])

    assert Plan.objects.get(code="0020").production_status == PlanStatus.ACTIVE
    assert Plan.objects.count() == 2


def test_a_board_that_stands_elsewhere_is_moved_and_keeps_its_number() -> None:
    confirmed([board(number) for number in range(1, 6)])

    draft = again([board(number) for number in (1, 4, 2, 3, 5)])
    confirmation.confirm(draft.of, actor=None)

    assert changes(draft) == ["same", "moved", "same", "same", "same"]
    assert Plan.objects.get(code="0040").position == 2


def test_a_plan_that_is_being_rendered_is_said_to_be_so() -> None:
    confirmed([board(1), board(2)])
    factories.batch()

    draft = again([board(1, drawing=9), board(2)])

    assert PlanRun.objects.unfinished().exists()
    assert [each.known is not None and each.known.is_in_render for each in draft.boards] == [
        True,
        True,
    ]


def test_a_plan_that_is_approved_is_said_to_be_so_whether_it_changes_or_is_gone() -> None:
    confirmed([board(1), board(2), board(3)])
    for plan in Plan.objects.exclude(code="0010"):
        approve(*concepts(plan, 1))

    draft = again([board(1), board(2, drawing=9)])
    told = documents.draft_with_boards(draft)

    assert [each["approved"] for each in told["boards"]] == [False, True]
    assert [(each["plan"], each["approved"]) for each in told["gone"]] == [("0030", True)]


def test_texts_that_a_storyboard_does_not_tell_stay_as_they_are() -> None:
    confirmed([board(1, notes="Plus sombre.")])

    draft = again([board(1)])
    confirmation.confirm(draft.of, actor=None)

    assert changes(draft) == ["same"]
    assert Plan.objects.get().notes == "Plus sombre."


def test_ten_inserted_three_moved_five_drawn_anew_and_two_gone() -> None:
    first = [board(number) for number in range(1, 41)]
    confirmed(first)
    before = dict(Plan.objects.values_list("label", "code"))
    wanted = {number: board(number) for number in range(1, 41)}
    redrawn, moved, gone = (5, 6, 21, 30, 33), (10, 25, 38), (15, 28)
    for number in redrawn:
        wanted[number] = board(number, drawing=number + 100)
    order = [n for n in range(1, 41) if n not in {*gone, *moved}]
    order[3:3] = [moved[1]]
    order[30:30] = [moved[0]]
    order.append(moved[2])
    boards = [wanted[number] for number in order]
    new = [board(200 + number, drawing=150 + number) for number in range(10)]
    boards[1:1], boards[20:20], boards[40:40] = new[:4], new[4:7], new[7:]

    draft = again(boards)
    confirmation.confirm(draft.of, actor=None)

    assert changes(draft).count("added") == 10
    assert changes(draft).count("changed") == 5
    assert changes(draft).count("moved") == 3
    assert {plan.label for plan in draft.gone} == {"15A", "28A"}
    after = dict(Plan.objects.values_list("label", "code"))
    assert {label: after[label] for label in before} == before
    assert Plan.objects.count() == 50
    assert Version.objects.panels().filter(number=2).count() == 5
    listed = Plan.objects.exclude(production_status=PlanStatus.OMITTED).order_by("position")
    assert list(listed.values_list("label", flat=True)) == [told["label"] for told in boards]
