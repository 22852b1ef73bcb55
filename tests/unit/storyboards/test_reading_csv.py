"""Pictures with a CSV of their texts beside them, as spreadsheets write it."""

import zipfile
from pathlib import Path

import pytest

from storyboards.reading import read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from tests import storyboard_files

FRENCH = (
    "Étiquette;Image;Dialogue;Action;Remarques;Durée (s)\r\n"
    '1A;case-2.jpg;"« Où est-il ? » ; dit-elle";"EXT. RUE - NUIT\nGP";œil;2,5\r\n'
    "1B;case-10.jpg;;LABO;;0:04\r\n"
    ";;;;;\r\n"
)
NAMES = ("case-2.jpg", "case-10.jpg")


def given(folder: Path, csv: bytes, names: tuple[str, ...] = NAMES, within: str = "E202/") -> Path:
    source = folder / "E202.zip"
    with zipfile.ZipFile(source, "w") as into:
        into.writestr(f"{within}boards.csv", csv)
        for seed, name in enumerate(names):
            into.writestr(within + name, storyboard_files.jpeg(seed))
    return source


def read_csv(folder: Path, csv: str | bytes, names: tuple[str, ...] = NAMES) -> Storyboard:
    content = csv.encode() if isinstance(csv, str) else csv
    return read(given(folder, content, names), folder, limits=ReadingLimits())


def doubts(storyboard: Storyboard) -> list[list[str]]:
    return [[each.code for each in board.doubts] for board in storyboard.boards]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_a_french_spreadsheet_is_read_whole(tmp_path: Path, encoding: str) -> None:
    storyboard = read_csv(tmp_path, FRENCH.encode(encoding))

    first, second = storyboard.boards
    assert (storyboard.kind, storyboard.title, storyboard.doubts) == ("csv", "E202", ())
    assert (first.label, second.label) == ("1A", "1B")
    assert first.dialogue == "« Où est-il ? » ; dit-elle"
    assert (first.action, first.notes) == ("EXT. RUE - NUIT\nGP", "œil")
    assert (first.duration_ms, second.duration_ms, second.start_ms) == (2500, 4000, 2500)
    assert doubts(storyboard) == [[], []]
    assert first.picture != second.picture
    assert (tmp_path / f"{first.picture.sha256}.jpg").read_bytes() == storyboard_files.jpeg(0)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "csv",
    [
        "picture,label,duration_ms\ncase-2.jpg,1A,1500\n",
        "label\tpicture\tduration\n1A\tcase-2.jpg\t1.5\n",
        'sep=;\r\n"LABEL";"File name";"Duration"\r\n1A;CASE-2.JPG;0:00:01.5\r\n',
        'Label,Picture,Duration\n1A,case-2,"1,5 s"\n',
    ],
)
def test_delimiters_and_columns_are_recognised(tmp_path: Path, csv: str) -> None:
    [board] = read_csv(tmp_path, csv, NAMES[:1]).boards

    assert (board.label, board.duration_ms, board.picture is not None) == ("1A", 1500, True)


def test_the_rows_tell_the_order_and_which_plans_they_are(tmp_path: Path) -> None:
    csv = "picture;sequence;plan\ncase-10.jpg;SQ0020;0030\ncase-2.jpg;20;30\n"

    boards = read_csv(tmp_path, csv).boards

    assert [(each.sequence_id, each.plan) for each in boards] == [("SQ0020", "0030"), ("", "")]


def test_what_does_not_fit_is_doubted(tmp_path: Path) -> None:
    csv = "label;picture;duration\n1A;case-2.jpg;bientôt\n1C;gone.jpg;2\n2A;;2\n"

    storyboard = read_csv(tmp_path, csv)

    assert doubts(storyboard) == [
        ["duration_unclear"],
        ["picture_file_missing", "label_order"],
        ["picture_missing"],
    ]
    [unnamed] = storyboard.doubts
    assert (unnamed.code, unnamed.data["files"]) == ("pictures_unnamed", ["E202/case-10.jpg"])


def test_labels_of_another_kind_are_taken_as_they_are(tmp_path: Path) -> None:
    storyboard = read_csv(tmp_path, "label;image\nplan 12;case-2.jpg\nplan 13;case-10.jpg\n")

    assert [board.label for board in storyboard.boards] == ["plan 12", "plan 13"]
    assert doubts(storyboard) == [[], []]


def test_a_text_that_was_kept_from_being_a_formula_is_as_it_was(tmp_path: Path) -> None:
    [board] = read_csv(tmp_path, "image,notes\ncase-2.jpg,'=vite\n", NAMES[:1]).boards

    assert board.notes == "=vite"


@pytest.mark.parametrize("csv", ["", "a;b\n1;2\n", 'picture\n"', "\0picture\0\n", "label\n1A\n"])
def test_a_file_that_names_no_pictures_is_left_out(tmp_path: Path, csv: str) -> None:
    storyboard = read_csv(tmp_path, csv, NAMES)

    assert (storyboard.kind, len(storyboard.boards)) == ("images", 2)
    assert [each.code for each in storyboard.doubts] == ["files_left_out"]


def test_a_table_leads_to_no_file_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(storyboard_files.jpeg(9))

    storyboard = read_csv(tmp_path, "image\n../secret.jpg\n/etc/passwd\ncase-2.jpg\n")

    assert [board.picture is None for board in storyboard.boards] == [True, True, False]


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    source = given(tmp_path, b"image\n" + b"case-2.jpg\n" * 6)

    with pytest.raises(UnreadableStoryboard) as refused:
        read(source, tmp_path, limits=ReadingLimits(boards=5))

    assert refused.value.code == "too_many_boards"
