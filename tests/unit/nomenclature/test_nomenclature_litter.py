import pytest

from nomenclature import litter, rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName

FILES = [
    ".DS_Store",
    "._E202_SQ0010-0010_AI-concept_v0001.png",
    "Icon\r",
    "Thumbs.db",
    "thumbs.db",
    "THUMBS.DB",
    "desktop.ini",
    "ehthumbs.db",
    ".nfs000000000012a3b400000001",
    ".smbdelete01",
    ".fuse_hidden0000001200000001",
    "~$shots.xlsx",
    ".~lock.shots.ods#",
    ".directory",
    ".apdisk",
    ".E202_SQ0010-0010_AI-concept_v0001.png.swp",
]
FOLDERS = [
    "@eaDir",
    "#recycle",
    "#snapshot",
    "@Recycle",
    "@Recently-Snapshot",
    ".@__thumb",
    ".snapshot",
    ".snapshots",
    "~snapshot",
    ".zfs",
    "lost+found",
    ".Spotlight-V100",
    ".Trashes",
    ".fseventsd",
    ".TemporaryItems",
    "Temporary Items",
    "Network Trash Folder",
    ".AppleDouble",
    "__MACOSX",
    "$RECYCLE.BIN",
    "System Volume Information",
    ".Trash-1000",
]
SOMEBODY_S = [
    "E202_SQ0010-0010_AI-concept_v0001.png",
    "final FINAL.png",
    "Icon",
    ".nfs",
    "notes.db",
    "madsea",
    "snapshot",
    "recycle",
    ".staging",
    ".madsea-volume",
    "~file",
]


@pytest.mark.parametrize("name", FILES)
def test_what_systems_leave_as_files_is_litter(name: str) -> None:
    assert litter.is_litter_file(name)


@pytest.mark.parametrize("name", FOLDERS)
def test_what_systems_leave_as_folders_is_litter(name: str) -> None:
    assert litter.is_litter_folder(name)


@pytest.mark.parametrize("name", sorted(litter._FOLDERS))
def test_no_project_can_be_called_like_litter(name: str) -> None:
    with pytest.raises(NomenclatureError):
        rules.check_project_id(name)


@pytest.mark.parametrize("name", sorted(litter._FILES) + FILES)
def test_no_legal_name_is_litter(name: str) -> None:
    with pytest.raises(NomenclatureError):
        FileName.parse(name)


@pytest.mark.parametrize("name", SOMEBODY_S)
def test_what_may_be_somebody_s_is_no_litter(name: str) -> None:
    assert not litter.is_litter(name)
