"""Storyboarder projects, as a folder or its zip: exact, with all traps of the format."""

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storyboards.reading import read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from tests import storyboard_files


def board(uid: str, number: int, **fields: Any) -> dict[str, Any]:
    """Return a board as the program writes it."""
    return {
        "uid": uid,
        "url": f"board-{number}-{uid}.png",
        "newShot": False,
        "shot": "9Z",
        "number": 100,
        "time": 4,
        "layers": {},
        **fields,
    }


def project(root: Path, boards: list[dict[str, Any]], **fields: Any) -> Path:
    """Write a project, with a posterframe for each board, and return its folder."""
    folder = root / "E202"
    (folder / "images").mkdir(parents=True)
    document = {"version": "3.0.0", "fps": 24, "boards": boards, **fields}
    (folder / "E202.storyboarder").write_text(json.dumps(document), encoding="utf-8")
    for seed, of in enumerate(boards):
        poster(folder, of).write_bytes(storyboard_files.jpeg(seed))
    return folder


def poster(folder: Path, of: dict[str, Any]) -> Path:
    return folder / "images" / f"{Path(of['url']).stem}-posterframe.jpg"


def zipped(folder: Path) -> Path:
    """Pack a folder as systems do, with what they leave beside it."""
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as into:
        for file in sorted(folder.rglob("*")):
            into.write(file, file.relative_to(folder.parent).as_posix())
        into.writestr("__MACOSX/E202/._E202.storyboarder", b"\0\5\x16\7")
        into.writestr("E202/.DS_Store", b"\0")
    return archive


def read_source(source: Path, pictures: Path) -> Storyboard:
    pictures.mkdir(exist_ok=True)
    return read(source, pictures, limits=ReadingLimits())


BOARDS = [
    board("AAAAA", 1, newShot=True, dialogue="« L’été »\r\nne\u0301", duration="1500", shot="1A"),
    board("BBBBB", 7, action="LABO\nPL", notes="raccord", shot="1B"),
    board("CCCCC", 3, newShot=True, duration=0, shot="2A"),
]


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_a_project_is_read_exactly(pack: Any, tmp_path: Path) -> None:
    source = pack(project(tmp_path, BOARDS, defaultBoardTiming="2001", aspectRatio="1.7778"))

    storyboard = read_source(source, tmp_path / "pictures")

    assert (storyboard.kind, storyboard.title, storyboard.doubts) == ("storyboarder", "E202", ())
    assert [(b.uid, b.label, b.start_ms, b.duration_ms) for b in storyboard.boards] == [
        ("AAAAA", "1A", 0, 1500),
        ("BBBBB", "1B", 1500, 2001),
        ("CCCCC", "2A", 3501, 0),
    ]
    assert [(b.dialogue, b.action, b.notes) for b in storyboard.boards] == [
        ("« L’été »\nné", "", ""),
        ("", "LABO\nPL", "raccord"),
        ("", "", ""),
    ]
    assert [b.doubts for b in storyboard.boards] == [(), (), ()]
    written = {file.read_bytes() for file in (tmp_path / "pictures").glob("*.jpg")}
    assert written == {storyboard_files.jpeg(seed) for seed in range(3)}


def test_labels_that_are_no_labels_are_counted(tmp_path: Path) -> None:
    boards = [
        board("AAAAA", 1, shot=None),
        board("BBBBB", 2, shot=None),
        board("CCCCC", 3, newShot=True, shot=None),
    ]

    read_boards = read_source(project(tmp_path, boards), tmp_path / "pictures").boards

    assert [b.label for b in read_boards] == ["1A", "1B", "2A"]


def layer(folder: Path, name: str, colour: str, box: tuple[int, int, int, int]) -> None:
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste(colour, box)
    image.save(folder / "images" / name)


def layered(tmp_path: Path) -> Path:
    """Return a project of one board with a reference below its ink."""
    layers = {
        "ink": {"url": "board-1-AAAAA-ink.png"},
        "reference": {"url": "board-1-AAAAA-reference.png"},
    }
    folder = project(tmp_path, [board("AAAAA", 1, layers=layers, shot="1A")])
    layer(folder, "board-1-AAAAA-reference.png", "#000000", (0, 0, 20, 20))
    layer(folder, "board-1-AAAAA-ink.png", "#ff0000", (10, 0, 30, 20))
    return folder


def colours(pictures: Path) -> list[Any]:
    """Return what the only PNG shows: reference alone, ink over it, ink alone, nothing."""
    [file] = pictures.glob("*.png")
    image = Image.open(file)
    return [image.getpixel((x, 10)) for x in (5, 15, 25, 35)]


def test_without_posterframe_layers_are_laid_over_one_another_on_white(tmp_path: Path) -> None:
    folder = layered(tmp_path)
    (folder / "images" / "board-1-AAAAA-posterframe.jpg").unlink()

    [only] = read_source(folder, tmp_path / "pictures").boards

    assert only.doubts == ()
    grey, *others = colours(tmp_path / "pictures")
    assert grey == (64, 64, 64)
    assert others == [(255, 0, 0), (255, 0, 0), (255, 255, 255)]


def test_a_posterframe_older_than_its_layers_is_not_taken(tmp_path: Path) -> None:
    folder = layered(tmp_path)
    os.utime(folder / "images" / "board-1-AAAAA-posterframe.jpg", (1e9, 1e9))

    [only] = read_source(folder, tmp_path / "pictures").boards

    assert [doubt.code for doubt in only.doubts] == ["posterframe_stale"]
    assert colours(tmp_path / "pictures")[3] == (255, 255, 255)


def test_an_old_file_has_its_drawing_in_the_board_s_own_picture(tmp_path: Path) -> None:
    old = board("AAAAA", 1, shot="1A")
    folder = project(tmp_path, [old])
    poster(folder, old).unlink()
    layer(folder, old["url"], "#0000ff", (0, 0, 40, 20))

    read_source(folder, tmp_path / "pictures")

    assert colours(tmp_path / "pictures") == [(0, 0, 255)] * 4


def test_a_picture_that_is_missing_or_damaged_is_a_doubt(tmp_path: Path) -> None:
    boards = [board("AAAAA", 1, shot="1A"), board("BBBBB", 2, shot="1B"), board("C", 3, shot="1C")]
    boards[2]["url"] = "../../secret.png"
    folder = project(tmp_path, boards[:2])
    document = {"boards": boards}
    (folder / "E202.storyboarder").write_text(json.dumps(document), encoding="utf-8")
    poster(folder, boards[0]).write_bytes(b"\xff\xd8\xff nothing")

    read_boards = read_source(folder, tmp_path / "pictures").boards

    codes = [[doubt.code for doubt in b.doubts] for b in read_boards]
    assert codes == [["picture_unknown"], [], ["picture_missing"]]


def test_scenes_follow_one_another_and_backups_are_none(tmp_path: Path) -> None:
    folder = project(tmp_path, BOARDS)
    whole = tmp_path / "script"
    for name in ("storyboards/Scene-10-B", "storyboards/Scene-2-A", "storyboards/Scene-2-A-backup"):
        shutil.copytree(folder, whole / name)

    storyboard = read_source(whole, tmp_path / "pictures")

    assert storyboard.title == "script"
    assert [b.position for b in storyboard.boards] == [1, 2, 3, 4, 5, 6]
    assert [b.begins_scene for b in storyboard.boards] == [False] * 3 + [True, False, False]
    assert [b.start_ms for b in storyboard.boards] == [0, 1500, 3500, 3500, 5000, 7000]
    codes = [[doubt.code for doubt in b.doubts] for b in storyboard.boards]
    assert codes == [[], [], [], ["uid_twice"], ["uid_twice"], ["uid_twice"]]


def refusal(source: Path, pictures: Path) -> UnreadableStoryboard:
    with pytest.raises(UnreadableStoryboard) as caught:
        read_source(source, pictures)
    return caught.value


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"boards": 3}', '{"boards": [1]}', "[" * 100_000]
)
def test_a_project_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    folder = project(tmp_path, BOARDS)
    (folder / "E202.storyboarder").write_text(content, encoding="utf-8")

    assert refusal(folder, tmp_path / "pictures").code == "broken"


def test_a_project_without_boards_or_pictures_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path, BOARDS)
    for file in (folder / "images").iterdir():
        file.unlink()
    assert refusal(folder, tmp_path / "pictures").code == "no_pictures"

    (folder / "E202.storyboarder").write_text('{"boards": []}', encoding="utf-8")
    assert refusal(folder, tmp_path / "pictures").code == "no_boards"


def test_a_project_s_file_stands_for_its_folder(tmp_path: Path) -> None:
    folder = project(tmp_path, BOARDS)

    storyboard = read_source(folder / "E202.storyboarder", tmp_path / "pictures")

    assert len(storyboard.boards) == 3
