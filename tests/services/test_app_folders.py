"""Folders that apps above the engine keep below the projects root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from generation import storage
from generation.services import tree_audit, volumes
from generation.storage import StorageError, WrongVolume

pytestmark = pytest.mark.django_db
TOP = ".storyboards"


def put(folder: str = f"{TOP}/abc", name: str = "source", *pieces: bytes) -> Path:
    return storage.put(folder, name, pieces or (b"one ", b"two"), volumes.expected_marks())


def test_a_file_is_written_piece_by_piece_and_is_no_finding() -> None:
    assert put().read_bytes() == b"one two"
    assert tree_audit.audit_tree(storage.root()).findings == []


def test_a_file_that_cannot_be_written_whole_is_not_there() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("the sender has left")

    with pytest.raises(ValueError, match="left"):
        storage.put(f"{TOP}/abc", "source", broken(), volumes.expected_marks())

    assert list((storage.root() / TOP / "abc").iterdir()) == []


def test_a_file_that_is_there_is_not_overwritten() -> None:
    put()

    with pytest.raises(StorageError):
        put()


@pytest.mark.parametrize("folder", ["P1/E202", ".staging/abc", f"{TOP}/../P1", f"{TOP}//abc"])
def test_nothing_is_written_or_removed_elsewhere(folder: str) -> None:
    with pytest.raises(StorageError):
        put(folder)
    with pytest.raises(StorageError):
        storage.remove_tree(folder)


def test_nothing_is_written_where_the_volume_is_not_mounted() -> None:
    marks = volumes.expected_marks()
    (storage.root() / storage.MARK).unlink()

    with pytest.raises(WrongVolume):
        storage.put(f"{TOP}/abc", "source", [b"one"], marks)


def test_a_folder_is_listed_and_removed_with_all_that_is_in_it() -> None:
    put()

    assert list(storage.names_in(TOP)) == ["abc"]
    storage.remove_tree(f"{TOP}/abc")
    storage.remove_tree(f"{TOP}/abc")

    assert storage.names_in(TOP) == {}


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (storage.root() / TOP).symlink_to(tmp_path)

    with pytest.raises(StorageError):
        put()
    assert list(tmp_path.glob("abc")) == []
