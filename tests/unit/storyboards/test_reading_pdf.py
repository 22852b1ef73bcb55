"""Storyboards as PDF: every board's picture, label, time and texts, and what is doubtful."""

import json
import unicodedata
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from storyboards.reading import read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Board, Storyboard, UnreadableStoryboard
from tests import storyboard_files
from tests.storyboard_files import Drawn

DATA = Path(__file__).parents[2] / "data" / "storyboards"
SAMPLES = {
    "below_4x4_landscape": 40,
    "below_a4l_3x2": 24,
    "belowfull_letter_3x1": 12,
    "classic_4x3_landscape_a4": 30,
    "classic_a4p_3x2": 40,
    "right_a4p_1x5": 20,
}


def clock(ms: int | None) -> str:
    minutes, seconds = divmod((ms or 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def one_spaced(text: str) -> str:
    lines = unicodedata.normalize("NFC", text).split("\n")
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def said(truth: dict[str, Any]) -> dict[str, Any]:
    """Return what the PDF shows of a board; only the later layouts print durations."""
    shown = truth.get("shown", truth)
    texts = {name: one_spaced(shown[name]) for name in ("dialogue", "action", "notes")}
    places = {name: truth[name] for name in ("page", "time", "sha256")}
    return {"label": truth["shot"], **texts, **places}


def found(board: Board, *, is_classic: bool) -> dict[str, Any]:
    texts = {name: one_spaced(getattr(board, name)) for name in ("dialogue", "action", "notes")}
    time = clock(board.start_ms if is_classic else board.duration_ms)
    digest = board.picture.sha256 if board.picture else ""
    return {
        "label": board.label,
        **texts,
        "page": board.page,
        "time": time,
        "sha256": digest,
    }


def read_file(source: Path, into: Path) -> Storyboard:
    return read(source, into, limits=ReadingLimits())


@pytest.mark.parametrize(("name", "n_boards"), SAMPLES.items())
def test_every_board_of_a_sample_is_read_whole(name: str, n_boards: int, tmp_path: Path) -> None:
    truth = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))

    boards = read_file(DATA / f"{name}.pdf", tmp_path).boards

    is_classic = name.startswith("classic")
    assert len(boards) == n_boards
    assert [found(board, is_classic=is_classic) for board in boards] == [said(t) for t in truth]


def test_a_picture_is_written_once_byte_for_byte(tmp_path: Path) -> None:
    boards = read_file(DATA / "classic_a4p_3x2.pdf", tmp_path).boards

    written = {file.stem: sha256(file.read_bytes()).hexdigest() for file in tmp_path.glob("*.jpg")}
    shown = {board.picture.sha256 for board in boards if board.picture}
    assert written == {digest: digest for digest in shown}
    assert len(shown) == len(boards) - 1


def test_durations_are_the_differences_of_the_times(tmp_path: Path) -> None:
    boards = [Drawn("1A", "0:00"), Drawn("1B", "0:02"), Drawn("2A", "1:00:05")]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, header="Boards: 3 | Shots: 2")

    read_boards = read_file(source, tmp_path).boards

    assert [board.start_ms for board in read_boards] == [0, 2000, 3_605_000]
    assert [board.duration_ms for board in read_boards] == [2000, 3_603_000, None]
    assert [board.doubts for board in read_boards] == [(), (), ()]


def codes(storyboard: Storyboard) -> list[list[str]]:
    return [[doubt.code for doubt in board.doubts] for board in storyboard.boards]


def test_labels_that_do_not_follow_and_times_that_fall_are_doubts(tmp_path: Path) -> None:
    boards = [
        Drawn("1A", "0:00"),
        Drawn("1C", "0:05"),
        Drawn("2B", "0:03"),
        Drawn("3A", ""),
        Drawn("", "0:09"),
    ]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, header="Boards: 5 | Shots: 3")

    storyboard = read_file(source, tmp_path)

    assert codes(storyboard) == [
        [],
        ["label_order"],
        ["label_order", "time_falls"],
        ["time_missing"],
        ["label_missing"],
    ]


def test_counts_of_the_header_that_are_not_so_are_doubts(tmp_path: Path) -> None:
    header = "Boards: 4 | Shots: 3 | Duration: 34425:00:15"
    source = storyboard_files.pdf(tmp_path / "a.pdf", [Drawn(), Drawn("1B", "0:02")], header=header)

    doubts = read_file(source, tmp_path).doubts

    assert [(doubt.code, dict(doubt.data)) for doubt in doubts] == [
        ("boards_count", {"said": 4, "found": 2}),
        ("shots_count", {"said": 3, "found": 1}),
    ]


def test_a_cut_text_is_a_doubt(tmp_path: Path) -> None:
    boards = read_file(DATA / "below_4x4_landscape.pdf", tmp_path).boards

    cut = [board for board in boards if "[…]" in board.dialogue + board.action + board.notes]
    assert cut
    assert all("text_cut" in {doubt.code for doubt in board.doubts} for board in cut)


def test_a_time_within_the_action_is_text(tmp_path: Path) -> None:
    board = Drawn("1A", "0:00", dialogue="Rien.", action="LABO\n13:09\nSuite")
    source = storyboard_files.pdf(tmp_path / "a.pdf", [board], header="Boards: 1 | Shots: 1")

    [only] = read_file(source, tmp_path).boards

    assert (only.start_ms, only.dialogue, only.action) == (0, "Rien.", "LABO\n13:09\nSuite")


def test_a_logo_on_each_page_is_no_board(tmp_path: Path) -> None:
    boards = [Drawn(f"{n}A", f"0:0{n - 1}", storyboard_files.jpeg(n)) for n in range(1, 8)]
    logo = storyboard_files.png(99)
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, logo=logo)

    storyboard = read_file(source, tmp_path)

    assert [board.label for board in storyboard.boards] == [board.label for board in boards]
    assert len(list(tmp_path.glob("*.jpg"))) == 7
    assert list(tmp_path.glob("*.png")) == []


def test_what_draws_all_texts_before_the_pictures_is_read_by_place(tmp_path: Path) -> None:
    boards = [
        Drawn("1A", "0:00", storyboard_files.jpeg(1), "Un", "LABO"),
        Drawn("1B", "0:02", storyboard_files.jpeg(2), "Deux", "PL"),
        Drawn("2A", "0:04", storyboard_files.jpeg(3), "Trois", "GP"),
    ]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, texts_first=True)

    storyboard = read_file(source, tmp_path)

    assert [(b.label, b.dialogue, b.action) for b in storyboard.boards] == [
        (board.label, board.dialogue, board.action) for board in boards
    ]
    assert [doubt.code for doubt in storyboard.doubts] == ["read_by_place"]


def test_a_picture_without_loss_becomes_a_png_of_the_same_pixels(tmp_path: Path) -> None:
    board = Drawn(picture=storyboard_files.png(7))
    source = storyboard_files.pdf(tmp_path / "a.pdf", [board])

    [only] = read_file(source, tmp_path).boards

    assert only.picture is not None
    assert (only.picture.suffix, only.picture.width, only.picture.height) == ("png", 160, 90)
    [written] = tmp_path.glob("*.png")
    assert storyboard_files.pixels(written.read_bytes()) == storyboard_files.pixels(board.picture)


def test_a_board_with_nothing_drawn_on_it_is_blank(tmp_path: Path) -> None:
    boards = [Drawn("1A", "0:00"), Drawn("2A", "0:02", storyboard_files.blank_jpeg())]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards)

    storyboard = read_file(source, tmp_path)

    assert [board.is_blank for board in storyboard.boards] == [False, True]


def test_a_picture_with_too_many_pixels_is_a_doubt_and_not_read(tmp_path: Path) -> None:
    source = storyboard_files.pdf(tmp_path / "a.pdf", [Drawn()])

    [only] = read(source, tmp_path, limits=replace(ReadingLimits(), picture_pixels=100)).boards

    assert only.picture is None
    assert [doubt.code for doubt in only.doubts] == ["picture_too_large"]


def refused(source: Path, **limits: Any) -> UnreadableStoryboard:
    with pytest.raises(UnreadableStoryboard) as caught:
        read(source, source.parent, limits=replace(ReadingLimits(), **limits))
    return caught.value


def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    source = storyboard_files.pdf(tmp_path / "a.pdf", [Drawn()], encrypt="secret")

    assert refused(source).code == "encrypted"


def test_a_pdf_of_400_pages_is_read_and_one_of_401_refused(tmp_path: Path) -> None:
    picture = storyboard_files.jpeg(1)
    most = storyboard_files.pages(tmp_path / "a.pdf", 400, picture)
    more = storyboard_files.pages(tmp_path / "b.pdf", 401, picture)

    assert len(read_file(most, tmp_path).boards) == 400
    error = refused(more)
    assert (error.code, error.data) == ("too_many_pages", {"pages": 401, "max_pages": 400})
    assert "401 pages; at most 400" in str(error)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty"), (b"%PDF-1.4\nnothing", "broken"), (b"Dear director,", "unknown_kind")],
)
def test_what_is_no_storyboard_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(content)

    assert refused(source).code == code


def test_a_pdf_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes((DATA / "classic_a4p_3x2.pdf").read_bytes()[:2000])

    assert refused(source).code in {"broken", "no_pictures"}


def test_a_pdf_without_pictures_is_refused(tmp_path: Path) -> None:
    source = storyboard_files.text_only(tmp_path / "a.pdf")

    assert refused(source).code == "no_pictures"


def test_a_file_that_is_too_large_or_drawn_of_too_many_pieces_is_refused(tmp_path: Path) -> None:
    source = storyboard_files.pdf(tmp_path / "a.pdf", [Drawn(action="one\ntwo")])

    assert refused(source, file_bytes=100).code == "too_large"
    assert refused(source, objects_per_page=3).code == "too_complex"
    assert refused(source, boards=0).code == "too_many_boards"
    assert refused(source, written_bytes=100).code == "too_large"


def test_a_text_that_is_cut_without_a_mark_is_a_doubt_and_so_is_its_like(tmp_path: Path) -> None:
    header = "Boards 4 / Shots 1 / Duration 0:08"
    boards = [
        Drawn("1A", "0:02", dialogue="It goes \non and "),
        Drawn("1B", "0:02", dialogue="It may \nas well."),
        Drawn("1C", "0:02", dialogue="It does not."),
        Drawn("1D", "0:02"),
    ]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, header=header)

    storyboard = read_file(source, tmp_path)

    assert codes(storyboard) == [["text_cut"], ["text_may_be_cut"], [], []]
    assert [board.dialogue for board in storyboard.boards[:2]] == [
        "It goes on and",
        "It may as well.",
    ]


def test_printed_durations_add_up_to_the_beginnings(tmp_path: Path) -> None:
    header = "Boards 3 / Shots 1 / Duration 0:08"
    boards = [Drawn("1A", "0:04"), Drawn("1B", "0:02"), Drawn("1C", "0:09")]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards, header=header)

    read_boards = read_file(source, tmp_path).boards

    assert [(b.start_ms, b.duration_ms) for b in read_boards] == [
        (0, 4000),
        (4000, 2000),
        (6000, 9000),
    ]


def test_a_page_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(storyboard_files.nested_pdf(levels=3, width=10))

    assert refused(source, objects_per_page=500).code == "too_complex"


def test_boards_of_two_pages_may_have_the_same_texts_at_the_same_place(tmp_path: Path) -> None:
    boards = [
        Drawn(f"{n}A", f"0:0{n - 1}", storyboard_files.jpeg(n), f"Dit {n}", "LABO\nencore")
        for n in range(1, 7)
    ]
    source = storyboard_files.pdf(tmp_path / "a.pdf", boards)

    read_boards = read_file(source, tmp_path).boards

    assert [board.action for board in read_boards] == ["LABO\nencore"] * 6
