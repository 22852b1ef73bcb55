import json
import threading
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import connection

from generation.management.commands import generate
from generation.models import Batch
from tests.commands.running import run

SAMPLE = Path(__file__).parents[2] / "samples" / "request.json"
pytestmark = pytest.mark.django_db


def written(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(json.loads(SAMPLE.read_text()) | changes))
    return file


def test_a_request_becomes_a_batch_of_its_user(artist: User) -> None:
    said = run("generate", SAMPLE, user="artist")

    batch = Batch.objects.get()
    assert said == f"Batch {batch}: 6 plans requested.\n"
    assert (batch.requested_by, batch.n_queued) == (artist, 6)


def test_a_request_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(SAMPLE.read_text()))

    run("generate", "-")

    assert Batch.objects.count() == 1


def test_a_request_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text("\ufeff" + SAMPLE.read_text(), encoding="utf-8")

    run("generate", file)

    assert Batch.objects.count() == 1


def test_a_dry_run_writes_nothing() -> None:
    said = run("generate", SAMPLE, dry_run=True)

    assert said == "The request is valid: 6 plans would be queued.\n"
    assert not Batch.objects.exists()


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


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_with_the_batch_and_fails_when_a_plan_is_not_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generate, "POLL_S", 0.05)
    canceller = threading.Timer(0.5, cancel_everything)
    canceller.start()

    with pytest.raises(CommandError, match="0 of 6 plans done, 0 failed, 6 cancelled"):
        run("generate", SAMPLE, wait=True)
    canceller.join()


def cancel_everything() -> None:
    run("cancel_batches", all=True)
    connection.close()
