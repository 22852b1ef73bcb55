"""The use cases of one plan's run, and images that come from outside."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from generation.errors import BadImage, Conflict, NotFound
from generation.models import Attempt, Batch, Plan, PlanRun, Server, Version
from generation.services import (
    batches,
    outside_images,
    plan_runs,
    publication,
    transitions,
    volumes,
)
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, Mode, RunState, ServerHealth, VersionState, WaitReason
from generation.storage import StorageError
from tests import factories
from tests.services.counting import counted, counters

pytestmark = pytest.mark.django_db


def one_run(state: RunState, **fields: Any) -> PlanRun:
    return factories.batch([state], **fields).runs.select_related("batch", "plan").get()


def upload(run: PlanRun, content: bytes | None = None, filename: str = "a.png") -> Version:
    return plan_runs.upload(run, content or factories.png(), filename=filename, actor=None)


def staged(projects_root: Path) -> list[Path]:
    return list((projects_root / ".staging").glob("*"))


# find -------------------------------------------------------------------------------------------


def test_a_run_is_found_by_its_plan(batch: Batch) -> None:
    assert [run.position for run in plan_runs.find(batch, "SQ0010", "0020")] == [1]


@pytest.mark.parametrize(("sequence_id", "plan"), [("SQ0010", "9999"), ("SQ9999", "0010")])
def test_a_plan_that_the_batch_does_not_have_is_not_found(
    batch: Batch, sequence_id: str, plan: str
) -> None:
    with pytest.raises(NotFound) as caught:
        plan_runs.find(batch, sequence_id, plan)

    assert caught.value.code == "unknown_plan"


# retry, cancel ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "waiting", "running", "done"])
def test_only_what_failed_or_was_cancelled_is_retried(state: str) -> None:
    with pytest.raises(Conflict) as caught:
        plan_runs.retry(one_run(RunState(state)), actor=None)

    assert caught.value.code == f"run_{state}"


@pytest.mark.parametrize("state", ["done", "error"])
def test_what_is_finished_is_not_cancelled(state: str) -> None:
    with pytest.raises(Conflict) as caught:
        plan_runs.cancel(one_run(RunState(state)), actor=None)

    assert caught.value.code == f"run_{state}"


@pytest.mark.parametrize("state", ["queued", "waiting", "cancelled"])
def test_what_waits_is_cancelled_and_again_is_fine(state: str) -> None:
    run = one_run(RunState(state))

    plan_runs.cancel(run, actor=None)
    again = plan_runs.cancel(run, actor=None)

    assert (run.state, again.is_nothing) == (RunState.CANCELLED, True)


def test_a_cancel_that_was_asked_for_before_is_nothing_whatever_came_between(running: Any) -> None:
    first = plan_runs.cancel(running.run, actor=None)
    stale = PlanRun.objects.get(pk=running.run_id)
    transitions.advance(running, 60)

    second = plan_runs.cancel(stale, actor=None)

    assert (first.n_asked, first.is_nothing, second.is_nothing) == (1, False, True)
    assert stale.revision > 1


def test_the_cancel_of_one_plan_leaves_the_others(batch: Batch) -> None:
    plan_runs.cancel_all(plan_runs.find(batch, "SQ0010", "0020"), actor=None)

    assert counters(batch) == counted(batch) == {RunState.QUEUED: 2, RunState.CANCELLED: 1}
    assert batch.cancel_requested_at is None


@pytest.mark.parametrize(
    "fields",
    [
        {"lease_token": None, "lease_expires_at": None},
        {"health": ServerHealth.DOWN, "down_since": "2020-01-01T00:00:00Z"},
        {"lease_expires_at": "2020-01-01T00:00:00Z"},
        {
            "lease_token": None,
            "lease_expires_at": None,
            "drive_requested_at": "2020-01-01T00:00:00Z",
        },
    ],
    ids=["undriven", "down", "lease run out", "no driver came"],
)
def test_a_plan_whose_server_cannot_answer_is_cancelled_now(
    fields: dict[str, Any], running: Any
) -> None:
    Server.objects.update(**fields)

    done = plan_runs.cancel(running.run, actor=None)

    assert (running.run.state, done.n_ended) == (RunState.CANCELLED, 1)
    running.refresh_from_db()
    assert (running.outcome, running.is_left_behind) == (AttemptOutcome.ABANDONED, True)


def test_a_plan_whose_server_is_driven_is_asked_to_stop(running: Any) -> None:
    run = running.run

    plan_runs.cancel(run, actor=None)

    assert (run.state, run.cancel_requested_at is not None) == (RunState.RUNNING, True)


def test_a_cancel_after_the_reservation_says_that_the_image_is_kept(
    running: Attempt, lease: Lease, image: Image
) -> None:
    publication.reserve_render(running, lease.token, [image])

    run = running.run

    done = plan_runs.cancel(run, actor=None)
    plan_runs.cancel(run, actor=None)

    assert (run.state, done.n_kept) == (RunState.RUNNING, 1)
    assert list(run.logs.values_list("event", flat=True)) == ["kept"]


def test_a_plan_that_was_asked_to_stop_is_cancelled_once_its_server_is_silent(running: Any) -> None:
    plan_runs.cancel(running.run, actor=None)
    batches.cancel_unanswered()
    before = PlanRun.objects.get(pk=running.run_id).state
    Server.objects.update(health=ServerHealth.DOWN, down_since="2020-01-01T00:00:00Z")

    batches.cancel_unanswered()

    running.refresh_from_db()
    after = PlanRun.objects.get(pk=running.run_id).state
    assert (before, after) == (RunState.RUNNING, RunState.CANCELLED)
    assert (running.outcome, running.is_left_behind) == (AttemptOutcome.ABANDONED, True)


# upload -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "waiting", "error", "done"])
def test_an_upload_is_the_next_version_and_the_run_is_done(state: str, projects_root: Path) -> None:
    run = one_run(RunState(state))
    before = run.versions.count()

    version = upload(run)

    run.refresh_from_db()
    assert (run.state, run.result, run.error_code) == (RunState.DONE, version, "")
    assert (version.number, version.origin) == (before + 1, Version.Origin.UPLOAD)
    assert (projects_root / version.path).read_bytes() == factories.png()
    assert counters(run.batch) == counted(run.batch)
    assert run.logs.latest("pk").event == "uploaded"


@pytest.mark.parametrize("state", ["running", "cancelled"])
def test_an_upload_to_a_run_that_does_not_want_it_leaves_nothing(
    state: str, projects_root: Path
) -> None:
    run = one_run(RunState(state))

    with pytest.raises(Conflict) as caught:
        upload(run)

    assert caught.value.code == f"run_{state}"
    assert staged(projects_root) == []
    assert not Version.objects.exists()


def test_a_manual_batch_is_done_when_all_plans_have_an_image(artist: User) -> None:
    batch = factories.batch([RunState.WAITING] * 2, mode=Mode.MANUEL)
    first, second = batch.runs.all()
    plan_runs.upload(first, factories.png(), filename="", actor=artist)
    batch.refresh_from_db()
    halfway = batch.status

    version = plan_runs.upload(second, factories.jpeg(), filename="b.JPG", actor=artist)

    batch.refresh_from_db()
    assert (halfway, batch.status) == ("running", "done")
    assert (version.created_by, version.extension) == (artist, "jpg")


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (b"", "a.png", "empty"),
        (b"hello", "a.png", "not_an_image"),
        (factories.png()[:-20], "a.png", "truncated"),
        (factories.jpeg(), "a.png", "wrong_extension"),
        (factories.png(), "a.gif", "wrong_extension"),
        (b"GIF89a" + b"\0" * 50, "a.gif", "unsupported_format"),
    ],
)
def test_a_file_that_is_no_image_of_its_name_is_refused(
    content: bytes, filename: str, code: str, queued: PlanRun
) -> None:
    with pytest.raises(BadImage) as caught:
        plan_runs.upload(queued, content, filename=filename, actor=None)

    assert (caught.value.code, caught.value.attr) == (code, "file")


def test_an_image_of_too_many_bytes_is_refused(queued: PlanRun, settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_BYTES = 50

    with pytest.raises(BadImage) as caught:
        upload(queued)

    assert caught.value.code == "too_large"


def test_an_image_of_too_many_pixels_is_refused(queued: PlanRun, settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_PIXELS = 63 * 36

    with pytest.raises(BadImage) as caught:
        upload(queued)

    assert caught.value.code == "too_many_pixels"


def test_an_upload_that_the_folder_does_not_take_is_published_later(
    queued: PlanRun, image: Image, projects_root: Path
) -> None:
    version = publication.reserve_upload(queued, image, actor=None)
    volumes.expected_marks()
    away = projects_root.rename(projects_root.parent / "away")
    with pytest.raises(StorageError):
        publication.finish(version)
    queued.refresh_from_db()
    held_back = queued.wait_reason
    away.rename(projects_root)
    volumes.watch()

    assert publication.finish_reserved(older_than_s=-1) == 1

    queued.refresh_from_db()
    assert (held_back, queued.state) == (WaitReason.UPLOAD, RunState.DONE)


# panels and concepts ----------------------------------------------------------------------------


def test_a_panel_lets_the_runs_go_on_that_waited_for_it(plans: list[Plan]) -> None:
    first, second = factories.batch(of=plans), factories.batch(of=plans)
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)

    version = outside_images.import_panel(plans[0], factories.png(), filename="a.png", actor=None)

    assert str(version) == "E202_SQ0010-0010_extracted-raw_v0001.png"
    free = PlanRun.objects.filter(wait_reason=WaitReason.TURN)
    assert [(run.batch, run.plan) for run in free] == [(first, plans[0]), (second, plans[0])]


def test_a_panel_published_without_its_runs_released_is_made_up_for(queued: PlanRun) -> None:
    PlanRun.objects.update(wait_reason=WaitReason.PANEL)
    factories.version(queued.plan, task="extracted-raw")

    assert (
        outside_images.release_all_waiting_runs(),
        outside_images.release_all_waiting_runs(),
    ) == (1, 0)


def test_a_concept_made_elsewhere_is_the_next_version(plans: list[Plan], artist: User) -> None:
    factories.version(plans[0])

    version = outside_images.import_concept(plans[0], factories.png(), filename="", actor=artist)

    assert (version.number, version.task, version.run) == (2, "AI-concept", None)
    assert (version.origin, version.state) == (Version.Origin.IMPORT, VersionState.PUBLISHED)


def test_an_import_after_the_last_version_leaves_nothing(
    plans: list[Plan], projects_root: Path
) -> None:
    factories.version(plans[0], number=9999, path="somewhere.png")

    with pytest.raises(Conflict) as caught:
        outside_images.import_concept(plans[0], factories.png(), filename="", actor=None)

    assert caught.value.code == "versions_exhausted"
    assert staged(projects_root) == []
