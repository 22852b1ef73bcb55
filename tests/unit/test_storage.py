"""Result files: staged, then linked to a name once, never over another file."""

import hashlib
import os
from pathlib import Path

import pytest

from generation import storage
from generation.storage import FileGone, NameTaken, StagedFileGone, StorageError

FINAL = "madsea/E202/SQ0010/AI-concept/E202_SQ0010-0010_AI-concept_v0001.png"


def link(staged: storage.StagedFile, final: str = FINAL) -> None:
    storage.link(staged.path, final, staged.sha256)


def open_as(descriptor: int) -> Path:
    """Return what an open file's or folder's path is."""
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def test_a_staged_file_is_whole_and_hidden(projects_root: Path) -> None:
    staged = storage.stage(b"content")

    assert (projects_root / staged.path).read_bytes() == b"content"
    assert staged.sha256 == hashlib.sha256(b"content").hexdigest()
    assert (staged.n_bytes, staged.path.startswith(".staging/")) == (7, True)


def test_a_linked_file_has_its_name_and_stays_staged(projects_root: Path) -> None:
    staged = storage.stage(b"content")

    link(staged)

    assert (projects_root / FINAL).read_bytes() == b"content"
    assert (projects_root / staged.path).exists()


def test_linking_twice_is_once(projects_root: Path) -> None:
    staged = storage.stage(b"content")
    link(staged)

    link(staged)

    assert storage.read(FINAL) == b"content"


def test_a_file_that_is_ours_needs_no_staged_twin_any_more() -> None:
    staged = storage.stage(b"content")
    link(staged)
    storage.discard(staged.path)

    link(staged)

    assert storage.read(FINAL) == b"content"


def test_another_file_under_the_name_is_never_replaced(projects_root: Path) -> None:
    staged = storage.stage(b"content")
    (projects_root / FINAL).parent.mkdir(parents=True)
    (projects_root / FINAL).write_bytes(b"an artist's")

    with pytest.raises(NameTaken):
        link(staged)

    assert storage.read(FINAL) == b"an artist's"


def test_a_staged_file_that_is_gone_is_an_error_of_the_storage() -> None:
    staged = storage.stage(b"content")
    storage.discard(staged.path)

    with pytest.raises(StorageError):
        link(staged)


def test_a_folder_under_the_name_is_an_error_of_the_storage(projects_root: Path) -> None:
    (projects_root / FINAL).mkdir(parents=True)

    with pytest.raises(StorageError):
        link(storage.stage(b"content"))


def test_a_dead_link_under_the_name_is_an_error_of_the_storage(projects_root: Path) -> None:
    (projects_root / FINAL).parent.mkdir(parents=True)
    (projects_root / FINAL).symlink_to("nowhere")

    with pytest.raises(StorageError):
        link(storage.stage(b"content"))


def test_a_file_in_place_of_staging_is_an_error_of_the_storage(projects_root: Path) -> None:
    (projects_root / ".staging").write_text("in the way")

    with pytest.raises(StorageError):
        storage.stage(b"content")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "..", "a/../.."])
def test_no_path_leads_out_of_the_projects_folder(path: str) -> None:
    with pytest.raises(StorageError, match="outside"):
        storage.absolute(path)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "..", "a/../.."])
def test_nothing_outside_the_projects_folder_is_opened(path: str) -> None:
    with pytest.raises(StorageError, match="outside"):
        storage.read(path)


def test_a_path_may_be_longer_than_it_has_to_be() -> None:
    link(storage.stage(b"content"))

    assert storage.read(f"./{FINAL.replace('/', '//')}") == b"content"


def test_a_staged_file_and_its_folder_are_synced_and_nothing_else(
    projects_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.discard(storage.stage(b"before, so that all folders are there").path)
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda at: synced.append(open_as(at)))

    staged = storage.stage(b"content")

    assert synced == [projects_root / staged.path, projects_root / ".staging"]


def test_discarding_what_is_gone_is_fine() -> None:
    storage.discard(".staging/gone")
    storage.discard("")


def test_reading_what_is_not_there_is_an_error_of_the_storage() -> None:
    with pytest.raises(StorageError):
        storage.read(FINAL)


def test_only_what_is_old_is_left_over(projects_root: Path) -> None:
    staged = storage.stage(b"content")

    assert storage.left_over(60) == []
    assert storage.left_over(0) == [staged.path]


def published(content: bytes = b"content") -> Path:
    """Return where a file was published."""
    link(storage.stage(content))
    return storage.absolute(FINAL)


def elsewhere(projects_root: Path) -> Path:
    """Return a folder outside the projects root."""
    folder = projects_root.parent / "elsewhere"
    folder.mkdir()
    return folder


def test_a_published_file_that_a_link_has_replaced_is_gone() -> None:
    file = published()
    file.unlink()
    file.symlink_to("/etc/passwd")

    with pytest.raises(FileGone, match="is a link"):
        storage.read(FINAL)


def test_a_published_file_that_a_pipe_has_replaced_is_gone_and_not_waited_for() -> None:
    file = published()
    file.unlink()
    os.mkfifo(file)

    with pytest.raises(FileGone, match="no plain file"):
        storage.read(FINAL)


def test_a_published_file_that_a_folder_has_replaced_is_gone() -> None:
    file = published()
    file.unlink()
    file.mkdir()

    with pytest.raises(FileGone):
        storage.read_in_pieces(FINAL)


@pytest.mark.parametrize("n_up", [1, 2, 3], ids=["task", "sequence", "episode"])
def test_no_folder_below_a_project_may_be_a_link(n_up: int, projects_root: Path) -> None:
    folder = published().parents[n_up - 1]
    folder.rename(elsewhere(projects_root) / "moved")
    folder.symlink_to(projects_root.parent / "elsewhere/moved")

    with pytest.raises(FileGone, match="is a link"):
        storage.read(FINAL)


def test_nothing_is_published_into_a_folder_that_is_a_link(projects_root: Path) -> None:
    outside = elsewhere(projects_root)
    (projects_root / FINAL).parents[1].mkdir(parents=True)
    (projects_root / FINAL).parent.symlink_to(outside)

    with pytest.raises(StorageError, match="is a link"):
        link(storage.stage(b"content"))

    assert list(outside.iterdir()) == []


def test_a_project_of_its_administrators_is_read_where_it_is_linked_to(projects_root: Path) -> None:
    published()
    (projects_root / "madsea").rename(elsewhere(projects_root) / "volume")
    (projects_root / "madsea").symlink_to(projects_root.parent / "elsewhere/volume")

    assert storage.read(FINAL) == b"content"


def test_nothing_is_staged_where_a_link_in_place_of_staging_leads(projects_root: Path) -> None:
    outside = elsewhere(projects_root)
    (projects_root / ".staging").symlink_to(outside)

    with pytest.raises(StorageError, match="is a link"):
        storage.stage(b"content")

    assert list(outside.iterdir()) == []


def test_what_a_staged_file_was_replaced_by_is_not_published(projects_root: Path) -> None:
    staged = storage.stage(b"content")
    (projects_root / staged.path).unlink()
    (projects_root / staged.path).symlink_to("/etc/passwd")

    with pytest.raises(StagedFileGone):
        link(staged)

    assert not os.path.lexists(projects_root / FINAL)


def test_a_link_under_the_name_is_no_file_that_was_found(projects_root: Path) -> None:
    (projects_root / FINAL).parent.mkdir(parents=True)
    (projects_root / FINAL).symlink_to("/etc/passwd")

    with pytest.raises(StorageError) as refused:
        link(storage.stage(b"content"))

    assert not isinstance(refused.value, NameTaken)


def test_a_file_that_has_grown_is_not_read(projects_root: Path) -> None:
    file = published()
    os.truncate(file, 3 * 2**30)

    with pytest.raises(FileGone, match="at most 7"):
        storage.read(FINAL, max_bytes=7)
