"""Folders and zips of images: natural order, the nomenclature's names, Storyboard Pro's exports."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from storyboards.reading import fcp_xml, read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from tests import storyboard_files


def folder_of(root: Path, *names: str) -> Path:
    """Write an image under each name, and return their folder."""
    folder = root / "E202"
    for seed, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(storyboard_files.jpeg(seed))
    return folder


def read_folder(folder: Path, **options: Any) -> Storyboard:
    pictures = folder.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    return read(folder, pictures, limits=ReadingLimits(), **options)


def test_images_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "scene-board-10.png", "scene-board-2.JPG", "scene-board-1.jpeg")

    storyboard = read_folder(folder)

    assert (storyboard.kind, storyboard.title) == ("images", "E202")
    labels = ["scene-board-1", "scene-board-2", "scene-board-10"]
    assert [board.label for board in storyboard.boards] == labels
    assert [board.position for board in storyboard.boards] == [1, 2, 3]
    assert [board.doubts for board in storyboard.boards] == [(), (), ()]


def test_names_of_the_nomenclature_say_the_plan_and_the_last_version_counts(
    tmp_path: Path,
) -> None:
    folder = folder_of(
        tmp_path,
        "E202_SQ0020-0010_extracted-raw_v0002.png",
        "E202_SQ0020-0010_extracted-raw_v0010.png",
        "SQ0010/E202_SQ0010-0020_extracted-raw.PNG",
    )

    boards = read_folder(folder).boards

    assert [(board.sequence_id, board.plan) for board in boards] == [
        ("SQ0010", "0020"),
        ("SQ0020", "0010"),
    ]
    assert boards[1].label == "E202_SQ0020-0010_extracted-raw_v0010"


PRO = [f"E202_SQ0040_{plan}_{number}.jpg" for plan in ("0010", "0020") for number in (1, 2)]


@pytest.mark.parametrize(
    ("taken", "labels", "plans"),
    [
        ("first", [PRO[0], PRO[2]], ["0010", "0020"]),
        ("last", [PRO[1], PRO[3]], ["0010", "0020"]),
        ("all", PRO, ["0010", "", "0020", ""]),
    ],
)
def test_of_several_pictures_of_a_plan_those_are_taken_that_were_asked_for(
    taken: str, labels: list[str], plans: list[str], tmp_path: Path
) -> None:
    storyboard = read_folder(folder_of(tmp_path, *PRO), pictures=taken)

    assert [f"{board.label}.jpg" for board in storyboard.boards] == labels
    assert [board.plan for board in storyboard.boards] == plans
    assert {board.sequence_id for board in storyboard.boards} == {"SQ0040"}
    [doubt] = storyboard.doubts
    assert (doubt.code, dict(doubt.data)) == ("several_pictures", {"plans": 2, "taken": taken})


XML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml>
<xmeml version="5"><sequence><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><media><video>
<track>
 <clipitem><start>0</start><end>50</end>
  <file id="a"><pathurl>file://localhost/D%3a/x/E202_SQ0040_0010_1.jpg</pathurl></file></clipitem>
 <clipitem><start>50</start><end>75</end>
  <file id="b"><name>E202_SQ0040_0010_2.jpg</name></file></clipitem>
 <clipitem><start>75</start><end>100</end>
  <file id="c"><name>E202_SQ0040_0020_1.jpg</name></file></clipitem>
 <clipitem><start>-1</start><end>110</end><file id="c"/></clipitem>
</track></video></media></sequence></xmeml>
"""


def test_an_xml_beside_them_tells_their_times(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *PRO)
    (folder / "E202.xml").write_text(XML, encoding="utf-8")

    first = read_folder(folder).boards
    every = read_folder(folder, pictures="all").boards

    assert [(b.start_ms, b.duration_ms) for b in first] == [(0, 3000), (3000, 1000)]
    assert [(b.start_ms, b.duration_ms) for b in every] == [
        (0, 2000),
        (2000, 1000),
        (3000, 1000),
        (None, None),
    ]


BOMB = """<?xml version="1.0"?><!DOCTYPE xmeml [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><xmeml>&b;</xmeml>"""
OUTSIDE = '<!DOCTYPE xmeml SYSTEM "file:///etc/passwd"><xmeml/>'


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (BOMB, "xml_declares_entities"),
        (OUTSIDE, "xml_declares_entities"),
        ("<x>", "xml_damaged"),
        ("<x/>", "xml_without_times"),
        ("<x>" * 100 + "</x>" * 100, "xml_too_large"),
    ],
)
def test_an_xml_that_is_not_read_is_a_doubt(xml: str, code: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "0010.png")
    (folder / "E202.xml").write_text(xml, encoding="utf-8")

    storyboard = read_folder(folder)

    assert len(storyboard.boards) == 1
    assert [(d.code, dict(d.data)) for d in storyboard.doubts] == [(code, {"file": "E202.xml"})]


def test_blank_is_what_shows_nothing_however_it_is_held(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.png", "2.png", "3.png", "4.jpg")
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    deep = Image.new("I;16", (20, 20), 65000)
    clear.save(folder / "1.png")
    deep.save(folder / "2.png")
    deep.putpixel((3, 3), 20000)
    deep.save(folder / "3.png")
    Image.new("CMYK", (20, 20)).save(folder / "4.jpg")

    boards = read_folder(folder).boards

    assert [board.is_blank for board in boards] == [True, True, False, True]
    assert [board.doubts for board in boards] == [(), (), (), ()]


def test_frames_of_ntsc_are_a_little_longer() -> None:
    [first, *_] = fcp_xml.clips(XML.replace("FALSE", "TRUE").encode())

    assert (first.start_ms, first.end_ms) == (0, 2002)


def test_what_is_no_image_is_left_out_and_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "0010.png", "0020.png", ".hidden.png", "Thumbs.db")
    (folder / "0020.png").write_bytes(b"no picture")
    (folder / "panel.tif").write_bytes(b"II*\0")
    (folder / "link.png").symlink_to("/etc/passwd")

    storyboard = read_folder(folder)

    codes = [[doubt.code for doubt in board.doubts] for board in storyboard.boards]
    assert codes == [[], ["picture_unknown"]]
    assert [(d.code, dict(d.data)) for d in storyboard.doubts] == [
        ("files_left_out", {"n": 1, "files": ["panel.tif"]})
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("panel.tif", "no_pictures"), ("E202.pdf", "zip_of_pdf")]
)
def test_a_folder_without_usable_images_is_refused(name: str, code: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, name)

    with pytest.raises(UnreadableStoryboard) as caught:
        read_folder(folder)

    assert caught.value.code == code
