"""Boards become numbered plans: sequences by style or shot, steps of ten, nothing renumbered."""

from storyboards.services.numbering import (
    Place,
    Proposal,
    ReadingConvention,
    ToPlace,
    propose,
    style_of,
)

HABIT = ReadingConvention({"LABO": "labo"}, "ombres_chinoises")


def board(action: str = "EXT. RUE", label: str = "1A", **more: object) -> ToPlace:
    return ToPlace(label=label, action=action, **more)  # type: ignore[arg-type]


def numbered(proposals: list[Proposal]) -> list[str]:
    return [f"{each.sequence_id}-{each.plan or '----'}" for each in proposals]


def test_plans_are_numbered_in_steps_of_ten() -> None:
    assert numbered(propose([board(), board(), board()], HABIT)) == [
        "SQ0010-0010",
        "SQ0010-0020",
        "SQ0010-0030",
    ]


def test_a_sequence_begins_where_a_scene_does() -> None:
    boards = [board(), board(label="1A", begins_scene=True), board("LABO"), board("LABO")]

    assert numbered(propose(boards, HABIT)) == [
        "SQ0010-0010",
        "SQ0020-0010",
        "SQ0030-0010",
        "SQ0030-0020",
    ]


def test_a_board_that_a_person_has_going_on_begins_no_sequence() -> None:
    boards = [board(), board(begins_scene=True, begins=False)]

    assert numbered(propose(boards, HABIT)) == ["SQ0010-0010", "SQ0010-0020"]


def test_a_sequence_begins_where_the_style_changes() -> None:
    boards = [board(), board("LABO MODERNE\nPL"), board("LABO"), board("INT. CHAMBRE")]

    found = propose(boards, HABIT)

    assert numbered(found) == ["SQ0010-0010", "SQ0020-0010", "SQ0020-0020", "SQ0030-0010"]
    assert [each.style for each in found] == [
        "ombres_chinoises",
        "labo",
        "labo",
        "ombres_chinoises",
    ]


def test_a_word_that_only_begins_alike_is_another() -> None:
    assert style_of("LABORATOIRE DE NUIT", HABIT) == "ombres_chinoises"
    assert style_of("  « Labo – plan large", HABIT) == "labo"


def test_a_board_without_text_goes_on_with_the_style_before_it() -> None:
    found = propose([board("LABO"), board(""), board("LABO")], HABIT)

    assert {each.sequence_id for each in found} == {"SQ0010"}


def test_by_shot_a_sequence_begins_with_each_shot() -> None:
    habit = ReadingConvention({}, "ombres_chinoises", is_by_shot=True)
    boards = [board(label="1A"), board(label="1B"), board(label="2A")]

    assert numbered(propose(boards, habit)) == ["SQ0010-0010", "SQ0010-0020", "SQ0020-0010"]


def test_a_blank_board_is_left_out_and_takes_no_number() -> None:
    found = propose([board(), board("", is_blank=True), board()], HABIT)

    assert numbered(found) == ["SQ0010-0010", "SQ0010-----", "SQ0010-0020"]
    assert [each.is_selected for each in found] == [True, False, True]


def test_a_new_board_between_two_plans_gets_a_number_between_theirs() -> None:
    boards = [
        board(place=Place("SQ0010", "0010")),
        board(),
        board(place=Place("SQ0010", "0020")),
    ]

    assert numbered(propose(boards, HABIT))[1] == "SQ0010-0015"


def test_where_no_number_is_free_between_two_plans_the_next_free_one_is_taken() -> None:
    boards = [
        board(place=Place("SQ0010", "0010")),
        board(),
        board(place=Place("SQ0010", "0011")),
    ]

    assert numbered(propose(boards, HABIT)) == ["SQ0010-0010", "SQ0010-0020", "SQ0010-0011"]


def test_more_new_boards_than_free_numbers_follow_the_last_plan() -> None:
    new = [board() for _ in range(10)]
    boards = [board(place=Place("SQ0010", "0010")), *new, board(place=Place("SQ0010", "0020"))]

    found = numbered(propose(boards, HABIT))

    assert found[1:-1] == [f"SQ0010-{number:04d}" for number in range(30, 130, 10)]
    assert found[-1] == "SQ0010-0020"


def test_a_new_style_between_two_plans_gets_a_sequence_between_theirs() -> None:
    boards = [
        board(place=Place("SQ0010", "0010")),
        board("LABO"),
        board(place=Place("SQ0020", "0010")),
    ]

    assert numbered(propose(boards, HABIT))[1] == "SQ0015-0010"


def test_a_new_board_before_all_others_joins_the_sequence_that_follows() -> None:
    boards = [board(), board(place=Place("SQ0010", "0010"))]

    assert numbered(propose(boards, HABIT))[0] == "SQ0010-0005"


def test_numbers_of_plans_that_came_otherwise_are_never_proposed() -> None:
    assert numbered(propose([board()], HABIT, [Place("SQ0010", "0010")])) == ["SQ0020-0010"]


def test_a_full_sequence_takes_what_numbers_are_left() -> None:
    taken = [Place("SQ0010", f"{number:04d}") for number in range(10, 10_000, 10)]
    boards = [board(place=Place("SQ0010", "9990")), board()]

    assert numbered(propose(boards, HABIT, taken))[1] == "SQ0010-9999"
