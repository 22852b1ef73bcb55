"""A new version of a storyboard finds its plans again."""

from storyboards.selectors.known_plans import KnownPlan
from storyboards.selectors.order_diff import moved
from storyboards.services.matching import ToMatch, match


def plan(number: int, **told: str) -> KnownPlan:
    texts = {"uid": "", "label": "", "dialogue": "", "action": "", "panel_sha256": ""} | told
    return KnownPlan(
        plan_id=number,
        sequence_id="SQ0010",
        plan=f"{number:04d}",
        notes="",
        position=number,
        style="",
        is_omitted=False,
        is_in_render=False,
        **texts,
    )


def board(**told: str) -> ToMatch:
    texts = {"uid": "", "label": "", "dialogue": "", "action": "", "picture_sha256": ""} | told
    return ToMatch(**texts)


def ids(found: dict[int, KnownPlan]) -> dict[int, int]:
    return {at: known.plan_id for at, known in found.items()}


def test_a_uid_counts_before_all_else() -> None:
    known = [plan(10, uid="AAAAA", panel_sha256="x"), plan(20, uid="BBBBB", panel_sha256="y")]

    found = match([board(uid="BBBBB", picture_sha256="x")], known)

    assert ids(found) == {0: 20}


def test_without_a_uid_the_picture_tells() -> None:
    known = [plan(10, label="1A", panel_sha256="x"), plan(20, label="1B", panel_sha256="y")]

    assert ids(match([board(label="1A", picture_sha256="y")], known)) == {0: 20}


def test_of_the_same_picture_the_first_is_the_first() -> None:
    known = [plan(10, panel_sha256="x"), plan(20, panel_sha256="x")]

    found = match([board(picture_sha256="x") for _ in range(3)], known)

    assert ids(found) == {0: 10, 1: 20}


def test_drawn_anew_a_board_is_known_by_label_and_text() -> None:
    known = [plan(10, label="1A", action="Il court."), plan(20, label="1A", action="Il dort.")]

    assert ids(match([board(label="1A", action="Il  dort.")], known)) == {0: 20}


def test_drawn_anew_and_pushed_on_a_board_is_known_by_a_text_that_tells() -> None:
    known = [plan(10, label="1A", action="Le savant ouvre la fenêtre.")]

    assert ids(match([board(label="3C", action="Le savant ouvre la fenêtre.")], known)) == {0: 10}


def test_drawn_and_written_anew_a_board_is_known_by_its_label_between_its_neighbours() -> None:
    known = [plan(10, panel_sha256="x"), plan(20, label="1B"), plan(30, panel_sha256="z")]
    boards = [board(picture_sha256="x"), board(label="1B"), board(picture_sha256="z")]

    assert ids(match(boards, known)) == {0: 10, 1: 20, 2: 30}


def test_another_board_in_a_plan_s_place_is_not_that_plan() -> None:
    known = [plan(10, panel_sha256="x"), plan(20, label="1B"), plan(30, panel_sha256="z")]
    boards = [board(picture_sha256="x"), board(label="9Z"), board(picture_sha256="z")]

    assert ids(match(boards, known)) == {0: 10, 2: 30}


def test_what_says_nothing_matches_nothing() -> None:
    assert match([board(), board()], [plan(10), plan(20)]) == {}


def test_the_fewest_that_explain_a_new_order_have_moved() -> None:
    assert moved([0, 1, 4, 2, 3]) == {2}
    assert moved([0, 1, 2]) == set()
    assert moved([]) == set()
    assert len(moved([3, 2, 1, 0])) == 3


def test_a_file_that_names_a_plan_is_that_plan_s_whatever_it_shows() -> None:
    known = [plan(10, panel_sha256="x"), plan(20, panel_sha256="y")]
    named = ToMatch("", "", "", "", "x", ("SQ0010", "0020"))

    assert ids(match([named], known)) == {0: 20}
