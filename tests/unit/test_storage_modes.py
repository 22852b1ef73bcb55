"""Whose a published file is, and who may read it: as for any file made in its folder."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from generation import storage
from generation.storage import Target

FOLDER = "madsea/E202/SQ0010/AI-concept"
FINAL = f"{FOLDER}/E202_SQ0010-0010_AI-concept_v0001.png"
GROUP = 4242


@pytest.fixture
def mask() -> Iterator[int]:
    """The umask of a studio whose files are for its group."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def publish() -> None:
    staged = storage.stage(b"content", Target(FOLDER))
    storage.link(staged.path, FINAL, staged.sha256)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to any group")
def test_a_file_has_the_group_of_the_folder_that_gives_its_own(
    projects_root: Path, mask: int
) -> None:
    project = projects_root / "madsea"
    project.mkdir()
    os.chown(project, -1, GROUP)
    project.chmod(0o2770)

    publish()

    made = projects_root / FINAL
    assert (made.stat().st_gid, mode(made)) == (GROUP, 0o640)
    assert (made.parent.stat().st_gid, mode(made.parent)) == (GROUP, 0o2750)


def test_a_private_staging_folder_makes_no_file_private(projects_root: Path, mask: int) -> None:
    (projects_root / storage.STAGING).mkdir(mode=0o700)

    publish()

    assert mode(projects_root / FINAL) == 0o640


def test_a_folders_default_access_list_is_its_files(projects_root: Path, mask: int) -> None:
    folder = projects_root / FOLDER
    folder.mkdir(parents=True)
    # The owner may do all, one more user and the group may read and write, others nothing.
    entries = [(0x01, 7, -1), (0x02, 6, GROUP), (0x04, 6, -1), (0x10, 6, -1), (0x20, 0, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little")
        + perm.to_bytes(2, "little")
        + (who & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, perm, who in entries
    )
    try:
        os.setxattr(folder, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("no access lists here")

    publish()

    # The mode's group part is the list's mask.
    assert mode(projects_root / FINAL) == 0o660
    assert os.getxattr(projects_root / FINAL, "system.posix_acl_access")


def test_nothing_is_left_in_the_folder_but_the_file(projects_root: Path) -> None:
    publish()

    assert [each.name for each in (projects_root / FOLDER).iterdir()] == [Path(FINAL).name]


def test_what_was_never_born_is_left_over(projects_root: Path) -> None:
    folder = projects_root / FOLDER
    folder.mkdir(parents=True)
    unborn = f"{FOLDER}/.madsea-new-{uuid4().hex}"
    (projects_root / unborn).touch()

    assert storage.left_over(0) == [unborn]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("madsea/" + "x" * 300, "too long"),
        ("madsea/file/below", "a file lies where a folder should be"),
    ],
)
def test_what_waiting_does_not_mend_is_permanent(
    folder: str, words: str, projects_root: Path
) -> None:
    (projects_root / "madsea").mkdir()
    (projects_root / "madsea" / "file").touch()

    with pytest.raises(storage.StorageError, match=words) as caught:
        storage.stage(b"content", Target(folder))

    assert caught.value.is_permanent


def test_a_folder_that_is_away_may_come_back(projects_root: Path) -> None:
    with pytest.raises(storage.FolderGone) as caught:
        storage.read(FINAL)

    assert not caught.value.is_permanent


def test_a_file_that_is_gone_from_its_folder_does_not(projects_root: Path) -> None:
    (projects_root / FOLDER).mkdir(parents=True)

    with pytest.raises(storage.FileGone) as caught:
        storage.read(FINAL)

    assert caught.value.is_permanent
