"""`manage.py import_storyboard`: a draft, its plans at once, or what would be made."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generation import storage
from generation.models import Plan, Version
from generation.states import RunState
from storyboards.models import StoryboardImport
from storyboards.states import ImportState
from tests import factories
from tests.review.deciding import approve, concepts

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "data" / "storyboards"
PDF = SAMPLES / "right_a4p_1x5.pdf"
TRUTH = json.loads(PDF.with_suffix(".json").read_text(encoding="utf-8"))


def run(capsys: pytest.CaptureFixture[str], *options: str, file: Path = PDF) -> str:
    call_command("import_storyboard", str(file), "--project", "P1", "--episode", "E202", *options)
    return capsys.readouterr().out


def test_a_storyboard_becomes_a_draft(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys)

    draft = StoryboardImport.objects.get()
    assert (draft.state, draft.season) == (ImportState.DRAFT, "S02")
    assert f"Draft {draft.public_id}" in printed
    assert "1A → SQ0010-0010 ombres_chinoises added" in printed
    assert Plan.objects.count() == 0


def test_its_plans_are_made_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run(capsys, "--confirm")

    n_boards = StoryboardImport.objects.get().boards.count()
    assert f"Confirmed. plans: {n_boards}, new plans: {n_boards}" in printed
    assert Version.objects.panels().count() == n_boards


def test_a_new_version_says_which_plans_are_approved_or_in_render(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(capsys, "--confirm")
    first, second = Plan.objects.order_by("position")[:2]
    approve(*concepts(first, 1))
    factories.batch([RunState.QUEUED], of=[second])

    lines = run(capsys, "--dry-run").splitlines()

    assert "same, approved" in lines[0]
    assert "same, in render" in lines[1]


def test_a_dry_run_says_what_would_be_made_and_keeps_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = run(capsys, "--dry-run", "--json")

    boards: list[dict[str, Any]] = json.loads(printed)
    assert [each["label"] for each in boards] == [each["shot"] for each in TRUTH]
    assert boards[0]["plan"] == "0010"
    assert StoryboardImport.objects.count() == 0
    assert not (storage.root() / ".storyboards").exists()


def test_a_file_that_is_none_is_refused_with_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "E202.pdf"
    file.write_bytes(b"%PDF-1.4 nothing more")

    with pytest.raises(CommandError, match=r"E202\.pdf: "):
        run(capsys, file=file)


def test_an_episode_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="episode"):
        call_command("import_storyboard", str(PDF), "--project", "P1", "--episode", "202")


def test_a_file_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="no file"):
        run(capsys, file=Path("nowhere.pdf"))
