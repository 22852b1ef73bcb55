import csv
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from generation.models import Plan, Version
from tests import factories
from tests.commands.running import run

PROJECT = "madsea-2025-ep202"
pytestmark = pytest.mark.django_db


def complaint(*arguments: object) -> str:
    with pytest.raises(CommandError) as refused:
        run("check_nomenclature", *arguments)
    return str(refused.value)


def test_a_tree_that_the_database_knows_is_right(plans: list[Plan]) -> None:
    factories.version(plans[0])
    factories.version(plans[0])

    assert run("check_nomenclature") == "2 legal files; nothing is wrong.\n"


def test_an_empty_tree_is_right() -> None:
    assert run("check_nomenclature") == "0 legal files; nothing is wrong.\n"


def test_a_folder_that_is_not_there_is_refused() -> None:
    assert "There is no folder" in complaint("/no/such/folder")


def test_a_file_without_row_is_wrong(plans: list[Plan], projects_root: Path) -> None:
    version = factories.version(plans[0])
    Version.objects.all().delete()

    assert complaint() == "1 legal file; wrong: 1 file without row."
    assert (projects_root / version.path).exists()


def test_a_row_without_file_is_wrong(plans: list[Plan], projects_root: Path) -> None:
    version = factories.version(plans[0])
    (projects_root / version.path).unlink()

    assert complaint() == "0 legal files; wrong: 1 row without file."


def test_a_changed_file_is_wrong(plans: list[Plan], projects_root: Path) -> None:
    version = factories.version(plans[0])
    (projects_root / version.path).write_bytes(factories.png(color="white"))

    assert complaint() == "1 legal file; wrong: 1 changed."


def test_an_unfinished_reservation_is_wrong_and_no_gap(
    plans: list[Plan], projects_root: Path
) -> None:
    factories.version(plans[0])
    left = factories.reserved(plans[0])
    (projects_root / left.path).unlink()
    factories.version(plans[0])

    assert complaint() == "2 legal files; wrong: 1 unfinished."


def test_a_missing_version_is_a_gap(plans: list[Plan], projects_root: Path) -> None:
    first = factories.version(plans[0])
    factories.version(plans[0])
    (projects_root / first.path).unlink()
    first.delete()

    assert complaint() == "1 legal file; wrong: 1 gap."


def test_an_extension_that_does_not_fit_the_content_is_wrong(plans: list[Plan]) -> None:
    factories.version(plans[0], content=factories.jpeg())

    assert complaint() == "1 legal file; wrong: 1 wrong content."


def test_illegal_names_and_wrong_folders_are_told_apart(
    plans: list[Plan], projects_root: Path
) -> None:
    version = factories.version(plans[0])
    folder = (projects_root / version.path).parent
    (folder / "final FINAL.png").write_bytes(factories.png())
    (folder / "E202_SQ0020-0010_AI-concept_v0001.png").write_bytes(factories.png())

    assert complaint() == "1 legal file; wrong: 1 illegal name, 1 wrong folder."


def test_a_name_that_no_terminal_can_show_is_shown_escaped(projects_root: Path) -> None:
    (projects_root / "final\nFINAL.png").write_bytes(factories.png())
    (projects_root / os.fsdecode(b"\xff.png")).write_bytes(factories.png())
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("check_nomenclature", stdout=out)

    shown = [line.split(": ")[1] for line in out.getvalue().splitlines()]
    assert shown == ["final\\nFINAL.png", "\\udcff.png"]


def test_a_folder_of_the_root_is_held_against_its_own_rows(
    plans: list[Plan], projects_root: Path
) -> None:
    factories.version(plans[0])
    other = factories.plans(of=factories.episode("other"))
    gone = factories.version(other[0])
    (projects_root / gone.path).unlink()

    assert run("check_nomenclature", projects_root / PROJECT).startswith("1 legal file;")
    assert "row without file" in complaint(projects_root / "other")


def test_a_copy_of_the_root_is_held_against_the_database(
    plans: list[Plan], projects_root: Path, tmp_path: Path
) -> None:
    factories.version(plans[0])
    projects_root.rename(tmp_path / "copy")

    assert run("check_nomenclature", tmp_path / "copy").startswith("1 legal file;")


def test_staged_files_are_nobody_s_versions(projects_root: Path) -> None:
    (projects_root / ".staging").mkdir()
    (projects_root / ".staging" / "abc").write_bytes(b"half")

    assert run("check_nomenclature") == "0 legal files; nothing is wrong.\n"


def lay(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


LITTER = [".DS_Store", "Thumbs.db", ".nfs0000000000012a3b00000001", "@eaDir/a.png", "~$a.docx"]


@pytest.mark.parametrize("name", [*LITTER, ".snapshot/hourly.0/a.png", "#recycle/a.png"])
def test_litter_is_no_finding_wherever_it_lies(
    plans: list[Plan], projects_root: Path, name: str
) -> None:
    version = factories.version(plans[0])
    beside = (projects_root / version.path).parent
    lay(projects_root / name)
    lay(beside / name)

    assert run("check_nomenclature") == "1 legal file; nothing is wrong.\n"


def test_the_csv_is_the_log_of_all_files(plans: list[Plan], tmp_path: Path) -> None:
    version = factories.version(plans[1])
    factories.version(plans[0])

    run("check_nomenclature", csv=tmp_path / "log.csv")

    lines = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert lines[1] == {
        "project": PROJECT,
        "season": "S02",
        "episode": "E202",
        "sequence": "SQ0010",
        "plan": "0020",
        "task": "AI-concept",
        "version": "v0001",
        "path": version.path,
        "sha256": version.sha256,
        "bytes": str(version.n_bytes),
        "date": "2025-03-14T15:09:26+00:00",
    }
    assert [line["plan"] for line in lines] == ["0010", "0020"]


def test_the_csv_is_written_when_something_is_wrong_too(plans: list[Plan], tmp_path: Path) -> None:
    factories.version(plans[0])
    Version.objects.all().delete()

    with pytest.raises(CommandError):
        run("check_nomenclature", csv=tmp_path / "log.csv")

    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2
    assert [each.name for each in tmp_path.glob(".log*")] == []


def test_a_csv_that_cannot_be_written_is_an_expected_failure() -> None:
    assert "No such file or directory" in complaint("--csv", "/no/such/folder/log.csv")
