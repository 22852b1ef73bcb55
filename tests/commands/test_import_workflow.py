"""`manage.py import_workflow`: a workflow given from the console."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from generation.models import NamedWorkflow
from tests.commands.running import run

pytestmark = pytest.mark.django_db

DATA = Path(__file__).resolve().parents[1] / "data/workflows/graphs"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """An empty workflows folder."""
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()
    return tmp_path / "workflows"


def test_a_file_becomes_a_workflow_of_its_name() -> None:
    said = run("import_workflow", str(DATA / "c01_hires_fix.json"))

    assert "c01_hires_fix.json is given: " in said
    assert NamedWorkflow.objects.get().name == "c01_hires_fix.json"


def test_a_name_can_be_given_and_a_second_file_replaces_the_first() -> None:
    run("import_workflow", str(DATA / "c01_hires_fix.json"), "--name", "Forest")
    said = run("import_workflow", str(DATA / "c17_batch4.json"), "--name", "Forest")

    assert "Forest is replaced" in said
    assert NamedWorkflow.objects.count() == 1


def test_questions_are_told() -> None:
    said = run("import_workflow", str(DATA / "c18c_mask_editor_small.json"))

    assert "painted_mask: " in said
    assert "1 question to answer before it runs" in said


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_what_the_conversion_left_out_is_told(more: list[str]) -> None:
    said = run("import_workflow", str(DATA.parent / "editor/h02_bypass_lora.ui.json"), *more)

    assert "bypassed: In the editor node 2 (LoraLoader) is bypassed" in said


def test_a_dry_run_writes_nothing() -> None:
    said = run("import_workflow", str(DATA / "c01_hires_fix.json"), "--dry-run")

    assert "can be given" in said
    assert not NamedWorkflow.objects.exists()


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "A.json").write_text(json.dumps({}))

    with pytest.raises(CommandError, match="no nodes"):
        run("import_workflow", str(tmp_path / "A.json"))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("import_workflow", str(tmp_path / "A.json"))


def test_on_behalf_of_somebody_it_takes_their_permission(artist: User) -> None:
    with pytest.raises(CommandError, match="give_workflow"):
        run("import_workflow", str(DATA / "c01_hires_fix.json"), "--as", artist.username)
