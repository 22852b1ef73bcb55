from pathlib import Path

import pytest

from nomenclature import audit
from nomenclature.audit import Filed, FileFinding, FindingKind
from nomenclature.name import FileName

FOLDER = "madsea/E202/SQ0010/AI-concept"
NAME = "E202_SQ0010-0010_AI-concept_v0001.png"


def put(root: Path, relative: str) -> str:
    file = root / relative
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return relative


def filed(version: int, plan: str = "0010", extension: str = "png") -> Filed:
    name = FileName("E202", "SQ0010", plan, "AI-concept", version, extension)
    return Filed(f"{FOLDER}/{name}", "madsea", name)


def test_a_walk_yields_every_file_but_the_skipped_folder_and_litter(tmp_path: Path) -> None:
    put(tmp_path, f"{FOLDER}/{NAME}")
    put(tmp_path, "readme.txt")
    put(tmp_path, ".staging/abc")
    put(tmp_path, f"{FOLDER}/.DS_Store")

    found = list(audit.walk(tmp_path, tmp_path, skip=frozenset({".staging"})))

    assert found == ["readme.txt", f"{FOLDER}/{NAME}"]


def test_a_walk_of_a_folder_names_paths_from_the_root(tmp_path: Path) -> None:
    put(tmp_path, f"{FOLDER}/{NAME}")
    put(tmp_path, "other/file.png")

    found = list(audit.walk(tmp_path, tmp_path / "madsea", skip=frozenset()))

    assert found == [f"{FOLDER}/{NAME}"]


def test_a_linked_folder_is_no_file_and_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "madsea/real").mkdir(parents=True)
    (tmp_path / "madsea/linked").symlink_to(tmp_path / "madsea/real")
    (tmp_path / "madsea/real/file.png").touch()

    found = list(audit.walk(tmp_path, tmp_path, skip=frozenset()))

    assert found == ["madsea/linked", "madsea/real/file.png"]
    assert audit.read(tmp_path, "madsea/linked") == FileFinding(
        "madsea/linked", FindingKind.NOT_A_FILE, "only plain files can be versions"
    )


def test_a_project_that_is_linked_from_another_volume_is_entered(tmp_path: Path) -> None:
    (tmp_path / "volume/E202").mkdir(parents=True)
    (tmp_path / "volume/E202/file.png").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/madsea").symlink_to(tmp_path / "volume")
    (tmp_path / "root/.hidden").symlink_to(tmp_path / "volume")

    found = list(audit.walk(tmp_path / "root", tmp_path / "root", skip=frozenset()))

    assert found == [".hidden", "madsea/E202/file.png"]


def test_a_legal_file_in_its_place_is_filed(tmp_path: Path) -> None:
    relative = put(tmp_path, f"{FOLDER}/{NAME}")

    assert audit.read(tmp_path, relative) == filed(1)


@pytest.mark.parametrize(
    ("relative", "kind", "said"),
    [
        (f"{FOLDER}/E202_SQ0010-0010_AI-concept_v1.png", FindingKind.ILLEGAL_NAME, "version"),
        (f"{FOLDER}/E202_SQ0010-10_AI-concept_v0001.png", FindingKind.ILLEGAL_NAME, "plan"),
        (f"{FOLDER}/final FINAL.png", FindingKind.ILLEGAL_NAME, "episode"),
        (f"madsea/E202/SQ0020/AI-concept/{NAME}", FindingKind.WRONG_FOLDER, FOLDER),
        (f"madsea/{NAME}", FindingKind.WRONG_FOLDER, "folder"),
        (NAME, FindingKind.WRONG_FOLDER, "folder"),
    ],
)
def test_a_file_that_breaks_the_rule_says_how(
    tmp_path: Path, relative: str, kind: FindingKind, said: str
) -> None:
    found = audit.read(tmp_path, put(tmp_path, relative))

    assert isinstance(found, FileFinding)
    assert (found.kind, said in found.detail) == (kind, True)


def test_content_that_does_not_fit_its_extension_is_named() -> None:
    found = audit.misfit(filed(1), b"\xff\xd8\xff\xe0")

    assert found is not None
    assert found.detail == "it is a jpg, by its first bytes"


def test_a_hole_in_the_versions_of_a_plan_is_a_gap() -> None:
    taken = [filed(1), filed(3), filed(7), filed(1, plan="0020"), filed(2, plan="0020")]

    found = list(audit.gaps(taken))

    assert [each.detail for each in found] == ["missing: v0002, v0004 to v0006"]
    assert found[0].path == f"{FOLDER}/E202_SQ0010-0010_AI-concept"


def test_two_files_of_the_same_version_are_found() -> None:
    found = list(audit.doubles([filed(1), filed(1, extension="webp"), filed(2)]))

    assert [each.path for each in found] == [filed(1, extension="webp").path]
