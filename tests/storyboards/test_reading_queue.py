"""A file that came in is read: by whoever has its lease, and again by another if that one dies."""

import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from generation import storage
from generation.services import tick
from storyboards.models import DraftBoard, StoryboardImport
from storyboards.models.storyboard_import import FOLDER
from storyboards.services import background_reader, intake, reading_queue, transitions
from storyboards.states import ImportState
from tests import storyboard_files
from tests.storyboards.boards import PLACE

pytestmark = pytest.mark.django_db
SAMPLES = Path(__file__).parents[1] / "data" / "storyboards"
CLASSIC = SAMPLES / "classic_a4p_3x2.pdf"


def given(content: bytes | None = None) -> StoryboardImport:
    return intake.take([content or CLASSIC.read_bytes()], filename="E202.pdf", actor=None, **PLACE)


def now(of: StoryboardImport) -> StoryboardImport:
    return StoryboardImport.objects.get(pk=of.pk)


def test_a_pdf_becomes_a_draft_with_its_pictures() -> None:
    made = given()

    assert reading_queue.read_waiting() == 1

    draft = now(made)
    assert (draft.state, draft.kind, draft.progress_pct) == (ImportState.DRAFT, "pdf", 100)
    first = DraftBoard.objects.get(of=draft, position=1)
    assert first.label == "1A"
    assert first.is_selected
    assert storage.is_there(reading_queue.picture_file(draft, first.picture_name))


def test_a_file_that_is_none_fails_with_words() -> None:
    made = given(b"%PDF-1.4 nothing more")

    reading_queue.read_waiting()

    failed = now(made)
    assert failed.state == ImportState.FAILED
    assert failed.error is not None
    assert failed.error["detail"].endswith(".")


def test_whose_reader_has_died_is_read_by_the_next_once_the_lease_is_over() -> None:
    made = given()
    assert transitions.claim_next() == made
    assert reading_queue.read_waiting() == 0
    StoryboardImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert reading_queue.read_waiting() == 1
    assert now(made).state == ImportState.DRAFT


def test_what_was_cut_off_three_times_fails_with_words() -> None:
    made = given()
    StoryboardImport.objects.update(n_tries=transitions.TRIES_MAX)

    assert reading_queue.read_waiting() == 0

    failed = now(made)
    assert failed.state == ImportState.FAILED
    assert failed.error is not None
    assert failed.error["code"] == transitions.CUT_OFF


def test_a_reader_that_was_thought_dead_changes_nothing_any_more() -> None:
    made = given()
    slow = transitions.claim_next()
    assert slow is not None
    StoryboardImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    reading_queue.read_waiting()

    reading_queue.read(slow)

    assert now(made).state == ImportState.DRAFT
    n_boards = DraftBoard.objects.filter(of=made).count()
    assert n_boards == len(set(DraftBoard.objects.values_list("position", flat=True)))


def test_what_is_deleted_while_it_is_read_leaves_no_row() -> None:
    given()
    claimed = transitions.claim_next()
    assert claimed is not None
    StoryboardImport.objects.all().delete()

    reading_queue.read(claimed)

    assert DraftBoard.objects.count() == 0


def test_a_folder_that_no_storyboard_has_is_removed_once_it_is_old() -> None:
    made = given()
    orphan = storage.root() / FOLDER / "beef"
    orphan.mkdir()
    young = storage.root() / FOLDER / "cafe"
    young.mkdir()
    old = timezone.now().timestamp() - reading_queue.ORPHAN_S - 1
    os.utime(orphan, (old, old))
    os.utime(storage.root() / FOLDER / made.public_id, (old, old))

    assert reading_queue.remove_orphans() == 1

    assert {each.name for each in (storage.root() / FOLDER).iterdir()} == {made.public_id, "cafe"}


def test_the_tick_has_read_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(background_reader, "start", lambda: started.append("reader"))
    given()

    reading_queue.step()

    assert started == ["reader"]
    assert reading_queue.step in tick.STEPS


def test_the_command_reads_what_waits(capsys: pytest.CaptureFixture[str]) -> None:
    given()

    call_command("read_storyboards")

    assert "1 storyboard read." in capsys.readouterr().out


def test_images_that_name_their_plans_are_proposed_as_these() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for seed, name in enumerate(("E202_SQ0040-0020", "E202_SQ0040-0015", "E202_SQ0070-0010")):
            archive.writestr(f"{name}_extracted-raw.jpg", storyboard_files.jpeg(seed))
    made = given(held.getvalue())

    reading_queue.read_waiting()

    proposed = DraftBoard.objects.filter(of=made).order_by("position")
    assert [(board.sequence_code, board.plan_code) for board in proposed] == [
        ("SQ0040", "0015"),
        ("SQ0040", "0020"),
        ("SQ0070", "0010"),
    ]
