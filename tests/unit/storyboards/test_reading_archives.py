"""Zips that people and enemies send: bounded, never unpacked to disk, refused with words."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storyboards.reading import read
from storyboards.reading.child_launch import read_in_child
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from tests import storyboard_files


def zip_of(root: Path, files: dict[str, bytes]) -> Path:
    archive = root / "E202.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in files.items():
            into.writestr(name, content)
    return archive


def read_zip(archive: Path, **limits: Any) -> Storyboard:
    pictures = archive.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    return read(archive, pictures, limits=replace(ReadingLimits(), **limits))


def refusal(archive: Path, **limits: Any) -> UnreadableStoryboard:
    with pytest.raises(UnreadableStoryboard) as caught:
        read_zip(archive, **limits)
    return caught.value


IMAGE = storyboard_files.jpeg(1)


def test_a_zip_of_images_is_read_without_what_systems_leave(tmp_path: Path) -> None:
    files = {"E202/10.jpg": IMAGE, "E202/9.jpg": IMAGE, "__MACOSX/E202/._9.jpg": b"x"}

    storyboard = read_zip(zip_of(tmp_path, files))

    assert [board.label for board in storyboard.boards] == ["9", "10"]
    assert storyboard.doubts == ()


@pytest.mark.parametrize(
    "name", ["../escaped.jpg", "a/../../escaped.jpg", "/etc/x.jpg", "..\\x.jpg", "C:/x.jpg"]
)
def test_a_name_that_leads_out_of_a_zip_refuses_it(name: str, tmp_path: Path) -> None:
    error = refusal(zip_of(tmp_path, {"1.jpg": IMAGE, name: IMAGE}))

    assert error.code == "unsafe_path"
    assert list(tmp_path.rglob("*escaped*")) == []


def test_a_link_in_a_zip_is_passed_over(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, {"1.jpg": IMAGE})
    link = zipfile.ZipInfo("2.jpg")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as into:
        into.writestr(link, "/etc/passwd")

    assert [board.label for board in read_zip(archive).boards] == ["1"]


def test_what_unfolds_to_very_much_is_refused(tmp_path: Path) -> None:
    error = refusal(zip_of(tmp_path, {"1.jpg": bytes(30 * 2**20)}))

    assert (error.code, error.data) == ("zip_bomb", {"file": "1.jpg"})


def test_a_zip_is_bounded_by_its_files_and_their_sizes(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, {f"{n}.jpg": IMAGE for n in range(40)})

    assert refusal(archive, archive_entries=39).code == "too_many_files"
    assert refusal(archive, archive_entries=2).code == "too_many_files"
    assert refusal(archive, picture_bytes=100).code == "too_large"
    assert refusal(archive, unpacked_bytes=2000).code == "too_large"
    assert refusal(archive, boards=39).code == "too_many_boards"
    assert len(read_zip(archive).boards) == 40


def test_a_zip_that_is_damaged_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, {"1.jpg": IMAGE})
    whole = archive.read_bytes()

    archive.write_bytes(whole[:-30])
    assert refusal(archive).code == "broken"
    archive.write_bytes(whole[:40] + bytes(200) + whole[240:])
    assert refusal(archive).code == "broken"


def test_a_zip_behind_a_password_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, {"1.jpg": IMAGE})
    content = bytearray(archive.read_bytes())
    content[content.rfind(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)

    assert refusal(archive).code == "encrypted"


def test_a_hostile_zip_is_refused_by_the_child_too(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, {"1.jpg": IMAGE, "../2.jpg": IMAGE})

    with pytest.raises(UnreadableStoryboard, match="would lie outside") as caught:
        read_in_child(archive, tmp_path / "into")

    assert caught.value.data == {"file": "../2.jpg"}
