import json
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper

from generation.management import batch_progress
from generation.models import Batch, LogEntry, Project
from generation.selectors import batch_waits
from generation.selectors import batches as reads
from generation.states import RunState
from tests import factories
from tests.commands.running import run

PROJECT = "madsea-2025-ep202"
SAMPLE = Path(__file__).parents[2] / "samples" / "request.json"
pytestmark = pytest.mark.django_db


def written(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(json.loads(SAMPLE.read_text()) | changes))
    return file


def test_a_request_becomes_a_batch_of_its_user(artist: User) -> None:
    said = run("generate", SAMPLE, user="artist")

    batch = Batch.objects.get()
    assert said == f"Project {PROJECT} is new.\nBatch {batch}: 6 plans requested.\n"
    assert (batch.requested_by, batch.n_queued) == (artist, 6)


def test_a_request_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    # In an encoding that is not the console's.
    typed = TextIOWrapper(BytesIO(SAMPLE.read_bytes()), encoding="ascii")
    monkeypatch.setattr("sys.stdin", typed)

    run("generate", "-")

    assert Batch.objects.count() == 1


def test_a_request_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text("\ufeff" + SAMPLE.read_text(), encoding="utf-8")

    run("generate", file)

    assert Batch.objects.count() == 1


def test_a_dry_run_writes_nothing() -> None:
    said = run("generate", SAMPLE, dry_run=True)

    lines = said.splitlines()
    assert lines[:2] == [
        f"Project {PROJECT} is new.",
        "The request is valid: 6 plans would be queued.",
    ]
    assert not Batch.objects.exists()


def test_a_dry_run_says_what_would_be_made_where_and_in_how_long(tmp_path: Path) -> None:
    server = factories.server("gpu-1")
    own = {"plan": "0020", "params": {"steps": 40}}
    sequences = [{"sequence_id": "SQ0010", "plans": ["0010", own]}]
    file = written(tmp_path, sequences=sequences, params={"steps": 12})

    lines = run("generate", file, dry_run=True).splitlines()

    assert "steps 12 (request), " in lines[2]
    assert lines[3:6] == [
        "SQ0010-0010 has no panel: it would wait for it.",
        "SQ0010-0020 has no panel: it would wait for it.",
        "SQ0010-0020: steps 40 (plan).",
    ]
    assert lines[6:] == [
        f"{server} (up) was not read yet.",
        "Pictures: 2.",
        "Time: unknown, nothing like it was rendered lately.",
    ]


def test_every_problem_of_a_request_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, style="cubism", episode="E101", colour="red")

    with pytest.raises(CommandError) as refused:
        run("generate", file)

    places = [line.split(":")[0] for line in str(refused.value).splitlines()]
    assert sorted(places) == ["colour", "episode", "style"]


@pytest.mark.parametrize("text", ["{", '{"params": {"cfg": NaN}}', "[" * 100_000])
def test_what_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "request.json").write_text(text)

    with pytest.raises(CommandError, match="is not JSON"):
        run("generate", tmp_path / "request.json")


def test_a_file_that_is_not_there_is_an_expected_failure() -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("generate", "/no/such/request.json")


@pytest.mark.parametrize("name", ["nobody", "stranger"])
def test_an_unknown_or_disabled_user_is_refused(stranger: User, name: str) -> None:
    with pytest.raises(CommandError, match="no active user"):
        run("generate", SAMPLE, user=name)


def test_a_project_that_may_be_mistyped_is_asked_about(tmp_path: Path) -> None:
    factories.episode()

    with pytest.raises(CommandError, match=f"but {PROJECT}. Is it new"):
        run("generate", written(tmp_path, project_id="madsea-2025-ep22"))

    assert not Batch.objects.exists()
    assert Project.objects.count() == 1


def test_a_project_of_a_similar_name_is_made_when_it_is_said_to_be_new(tmp_path: Path) -> None:
    factories.episode()

    run("generate", written(tmp_path, project_id="madsea-2025-ep203"), "--create")

    made = LogEntry.objects.get(event="project_created_beside")
    assert made.data == {"project": "madsea-2025-ep203", "like": PROJECT}


@pytest.mark.django_db(transaction=True)
def test_waiting_says_how_far_the_batch_is_and_fails_when_a_plan_is_not_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch_progress, "POLL_S", 0.05)
    out = CancelsWhenItWaits()

    with pytest.raises(CommandError, match="0 of 6 plans done, 0 failed, 6 cancelled"):
        call_command("generate", str(SAMPLE), wait=True, stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[1].endswith("6 plans requested.")
    assert lines[2].endswith(": 0 %, 0 of 6 plans done, waits for panels")


class CancelsWhenItWaits(StringIO):
    """A console before which somebody sits who gives up at the first line that says why."""

    def write(self, text: str) -> int:
        if "waits for" in text:
            run("cancel_batches", all=True)
        return super().write(text)


def test_a_line_of_progress_comes_when_something_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_progress, "LINE_S", 0.0)
    factories.batch([RunState.DONE, RunState.RUNNING])
    shown = reads.with_running_pct().annotate(**batch_waits.annotations()).get()
    out = StringIO()
    lines = batch_progress.ProgressLines(OutputWrapper(out))

    lines.show(shown)
    lines.show(shown)

    assert out.getvalue() == f"Batch {shown}: 75 %, 1 of 2 plans done\n"


def test_approved_plans_are_left_out_unless_a_reason_is_given() -> None:
    plan = factories.plans({"SQ0010": ["0010"]})[0]
    factories.version(plan, origin="import", review_state="approved")

    told = run("generate", SAMPLE, dry_run=True)
    said = run("generate", SAMPLE)
    forced = run("generate", SAMPLE, force="The director asked for it.")

    assert "Approved, and would be left out: SQ0010-0010." in told
    assert "5 plans requested.\n1 approved plan left out." in said
    assert "6 plans requested." in forced
