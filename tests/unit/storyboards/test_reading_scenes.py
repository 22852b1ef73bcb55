"""Several scenes in one storyboard: each with labels, times and counts of its own."""

from pathlib import Path

from storyboards.reading import read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_json import from_json, to_json
from storyboards.reading.storyboard_model import Storyboard
from tests import storyboard_files
from tests.storyboard_files import Drawn, jpeg

Scene = tuple[str, str, list[Drawn]]


def boards(*labels: str, first: int = 0) -> list[Drawn]:
    """Return boards of these labels, two seconds apart, each with a picture of its own."""
    return [
        Drawn(label, f"0:{2 * at:02}", jpeg(first + at), action=f"EXT. RUE\nPlan {first + at}")
        for at, label in enumerate(labels)
    ]


def one(title: str = "SCENE 1", header: str = "Boards: 4 | Shots: 2") -> Scene:
    return title, header, boards("1A", "1B", "2A", "2B")


def other(title: str = "SCENE 2", header: str = "Boards: 2 | Shots: 1") -> Scene:
    return title, header, boards("1A", "1B", first=10)


def read_scenes(folder: Path, *told: Scene) -> Storyboard:
    source = storyboard_files.scenes(folder / "a.pdf", list(told))
    return read(source, folder, limits=ReadingLimits())


def begun(storyboard: Storyboard) -> list[int]:
    return [board.position for board in storyboard.boards if board.begins_scene]


def doubted(storyboard: Storyboard) -> list[tuple[int, str]]:
    """Return the doubts of boards by their positions, and those of the whole at 0."""
    of_boards = [
        (board.position, each.code) for board in storyboard.boards for each in board.doubts
    ]
    return of_boards + [(0, each.code) for each in storyboard.doubts]


def test_a_scene_begins_where_heading_and_labels_begin_anew(tmp_path: Path) -> None:
    storyboard = read_scenes(
        tmp_path, one(), other(), ("SCENE 3", "Boards: 1 | Shots: 1", boards("1A"))
    )

    assert begun(storyboard) == [5, 7]
    assert doubted(storyboard) == []
    assert [board.label for board in storyboard.boards][4:] == ["1A", "1B", "1A"]
    assert [board.start_ms for board in storyboard.boards][4:] == [0, 2000, 0]
    assert [board.duration_ms for board in storyboard.boards][3:6] == [None, 2000, None]


def test_counts_of_a_scene_may_be_those_of_the_whole(tmp_path: Path) -> None:
    whole = "Boards: 6 | Shots: 3"

    assert doubted(read_scenes(tmp_path, one(header=whole), other(header=whole))) == []


def test_a_count_that_is_not_so_is_the_scenes_doubt(tmp_path: Path) -> None:
    storyboard = read_scenes(tmp_path, one(), other(header="Boards: 3 | Shots: 1"))

    [doubt] = storyboard.doubts
    assert (doubt.code, dict(doubt.data)) == ("boards_count", {"said": 3, "found": 2})


def test_labels_that_begin_anew_under_the_same_heading_are_doubted(tmp_path: Path) -> None:
    same = {"title": "E202", "header": ""}

    storyboard = read_scenes(tmp_path, one(**same), other(**same))

    assert begun(storyboard) == [5]
    assert doubted(storyboard) == [(5, "labels_begin_anew")]


def test_a_heading_that_changes_while_the_labels_go_on_is_doubted(tmp_path: Path) -> None:
    storyboard = read_scenes(
        tmp_path,
        ("LA FORGE", "", boards("1A", "1B", "1C", "1D", "1E", "1F")),
        ("LE PORT", "", boards("2A", "2B", "2C", first=10)),
    )

    assert begun(storyboard) == [7]
    assert doubted(storyboard) == [(7, "heading_changes")]


def test_a_heading_of_each_page_tells_no_scenes(tmp_path: Path) -> None:
    pages = [
        (title, "", boards(f"{at}A", f"{at}B", first=10 * at))
        for at, title in enumerate(["LUNDI", "MARDI", "JEUDI"], start=1)
    ]

    assert begun(read_scenes(tmp_path, *pages)) == []


def test_a_label_that_is_first_by_mistake_begins_no_scene(tmp_path: Path) -> None:
    storyboard = read_scenes(tmp_path, ("E202", "", boards("1A", "1B", "1A", "2A", "2B", "2C")))

    # After 1A comes 2A, as after 1B: it could be either.
    assert begun(storyboard) == [3]
    assert doubted(storyboard)[0] == (3, "labels_begin_anew")
    assert begun(read_scenes(tmp_path, ("E202", "", boards("1A", "2A", "1A", "2B", "2C")))) == []


def test_what_a_child_hands_over_tells_the_scenes(tmp_path: Path) -> None:
    storyboard = read_scenes(tmp_path, one(), other())

    assert from_json(to_json(storyboard)) == storyboard
