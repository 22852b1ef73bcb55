"""Volumes: what is not mounted is waited for, what is evidently ours is adopted without a word."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from generation import storage
from generation.errors import Conflict
from generation.models import Attempt, Plan, PlanRun, StorageTrouble, Version, Volume
from generation.selectors import claimable
from generation.services import (
    outside_images,
    plan_runs,
    publication,
    tick,
    transitions,
    tree_audit,
    volumes,
)
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, RunState, VersionState
from tests import factories

pytestmark = pytest.mark.django_db

ELSEWHERE = Path("/dev/shm")


@pytest.fixture
def other_volume(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk than the projects root."""
    if not ELSEWHERE.is_dir() or ELSEWHERE.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    folder = ELSEWHERE / f"madsea-{uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def unmount(projects_root: Path) -> Callable[[], Callable[[], None]]:
    """Leaves an empty folder where the root was, as umount does; returns what mounts it again."""

    def act() -> Callable[[], None]:
        away = projects_root.rename(projects_root.parent / "away")
        projects_root.mkdir()

        def mount() -> None:
            shutil.rmtree(projects_root)
            away.rename(projects_root)

        return mount

    return act


def concept(plan: Plan) -> Version:
    return outside_images.import_concept(plan, factories.png(), filename="a.png", actor=None)


# The root ----------------------------------------------------------------------------------------


def test_an_empty_root_of_an_empty_database_is_adopted_without_a_word(projects_root: Path) -> None:
    projects_root.rmdir()

    marks = volumes.expected_marks()

    assert marks == {"": storage.read_mark()}
    assert volumes.expected_marks() == marks


def test_a_home_of_before_is_adopted_as_a_published_file_is_there(plans: list[Plan]) -> None:
    concept(plans[0])
    Volume.objects.all().delete()
    (storage.root() / storage.MARK).unlink()

    assert volumes.expected_marks()[""] == storage.read_mark()


def test_a_root_without_any_published_file_is_not_adopted(
    plans: list[Plan], projects_root: Path
) -> None:
    (projects_root / concept(plans[0]).path).unlink()
    Volume.objects.all().delete()
    (projects_root / storage.MARK).unlink()

    with pytest.raises(storage.WrongVolume, match="is it mounted"):
        volumes.expected_marks()

    assert not (projects_root / storage.MARK).exists()


def test_a_root_that_another_madsea_has_marked_is_not_adopted(projects_root: Path) -> None:
    mark = storage.make_mark()
    (projects_root / "their-project").mkdir()

    with pytest.raises(storage.WrongVolume, match="another Madsea"):
        volumes.expected_marks()

    assert volumes.adopt("").mark == mark
    assert volumes.expected_marks() == {"": mark}


def test_the_second_of_two_processes_takes_the_mark_of_the_first() -> None:
    assert storage.make_mark() == storage.make_mark() == volumes.expected_marks()[""]


def test_nothing_is_written_where_the_share_is_not_mounted(
    plans: list[Plan], unmount: Callable[[], Callable[[], None]], projects_root: Path
) -> None:
    volumes.expected_marks()
    mount = unmount()

    with pytest.raises(storage.WrongVolume, match="not mounted"):
        concept(plans[0])

    assert list(projects_root.iterdir()) == []
    mount()
    assert concept(plans[0]).state == VersionState.PUBLISHED


def test_a_render_that_is_staged_already_waits_for_the_share(
    running: Attempt,
    lease: Lease,
    image: Image,
    unmount: Callable[[], Callable[[], None]],
    projects_root: Path,
) -> None:
    volumes.expected_marks()
    (version,) = publication.reserve_render(running, lease.token, [image])
    mount = unmount()

    with pytest.raises(storage.WrongVolume):
        publication.finish(version)

    assert list(projects_root.iterdir()) == []
    mount()
    upkeep_storage()
    version.refresh_from_db()
    assert (version.state, version.held_up) == (VersionState.PUBLISHED, "")


def upkeep_storage() -> None:
    """Do what the tick does for storage."""
    volumes.watch()
    publication.finish_reserved(older_than_s=-1)


def test_without_the_share_the_tick_deletes_nothing_and_says_so(
    plans: list[Plan],
    unmount: Callable[[], Callable[[], None]],
    projects_root: Path,
    settings: Any,
) -> None:
    settings.MADSEA_STAGING_S = 0
    batch = factories.batch(of=plans)
    volumes.expected_marks()
    unmount()
    stray = projects_root / storage.STAGING / "somebody's"
    stray.parent.mkdir()
    stray.write_text("not ours")

    tick.tick()

    assert stray.exists()
    assert "not mounted" in StorageTrouble.objects.get(scope="").detail
    assert not claimable.runs().filter(batch=batch).exists()


def test_once_the_share_is_back_its_plans_go_on(
    plans: list[Plan], unmount: Callable[[], Callable[[], None]]
) -> None:
    batch = factories.batch(of=plans)
    volumes.expected_marks()
    mount = unmount()
    volumes.watch()
    mount()

    volumes.watch()

    assert not StorageTrouble.objects.exists()
    assert claimable.runs().filter(batch=batch).count() == 3


def test_the_mark_is_no_finding(plans: list[Plan], projects_root: Path) -> None:
    concept(plans[0])

    assert tree_audit.audit_tree(projects_root).findings == []


# Adopting ----------------------------------------------------------------------------------------


def test_adopting_refuses_a_root_without_the_files(plans: list[Plan], projects_root: Path) -> None:
    (projects_root / concept(plans[0]).path).unlink()
    (projects_root / storage.MARK).unlink()

    with pytest.raises(Conflict, match="none of 1 files"):
        volumes.adopt("")

    volumes.adopt("", even_if_empty=True)
    assert volumes.expected_marks() == {"": storage.read_mark()}


def test_adopting_lets_plans_go_on_at_once(plans: list[Plan], projects_root: Path) -> None:
    concept(plans[0])
    (projects_root / storage.MARK).unlink()
    volumes.watch()
    waited = StorageTrouble.objects.exists()

    volumes.adopt("")

    assert (waited, StorageTrouble.objects.exists()) == (True, False)


# A volume of its own -----------------------------------------------------------------------------


def test_a_project_on_another_volume_is_staged_and_published_there(
    plans: list[Plan], projects_root: Path, other_volume: Path
) -> None:
    (projects_root / factories.PROJECT_ID).symlink_to(other_volume)

    version = concept(plans[0])

    assert version.state == VersionState.PUBLISHED
    assert (other_volume / storage.STAGING).is_dir()
    assert not (projects_root / storage.STAGING).exists()
    assert set(Volume.objects.values_list("path", flat=True)) == {"", factories.PROJECT_ID}
    assert tree_audit.audit_tree(projects_root).findings == []


def test_a_projects_volume_that_is_not_mounted_is_waited_for(
    plans: list[Plan], projects_root: Path, other_volume: Path
) -> None:
    project = projects_root / factories.PROJECT_ID
    project.symlink_to(other_volume)
    concept(plans[0])
    project.unlink()
    project.mkdir()

    with pytest.raises(storage.WrongVolume, match="not mounted"):
        concept(plans[1])

    assert list(project.iterdir()) == []
    assert StorageTrouble.objects.get().scope == factories.PROJECT_ID


def test_a_projects_trouble_holds_up_no_other_project(
    plans: list[Plan], projects_root: Path, other_volume: Path
) -> None:
    project = projects_root / factories.PROJECT_ID
    project.symlink_to(other_volume)
    held_up, others = factories.batch(of=plans), others_batch()
    concept(plans[0])
    project.unlink()

    with pytest.raises(storage.StorageError):
        concept(plans[1])

    assert not claimable.runs().filter(batch=held_up).exists()
    assert claimable.runs().filter(batch=others).count() == 1


def others_batch() -> Any:
    episode = factories.episode("another-project")
    return factories.batch([RunState.QUEUED], of=factories.plans({"SQ0010": ["0010"]}, of=episode))


def test_what_is_left_in_any_volumes_staging_is_cleared(
    plans: list[Plan], projects_root: Path, other_volume: Path, settings: Any
) -> None:
    settings.MADSEA_STAGING_S = 0
    (projects_root / factories.PROJECT_ID).symlink_to(other_volume)
    concept(plans[0])
    (other_volume / storage.STAGING / "left").write_bytes(b"left")

    assert publication.clear_staging() == 1
    assert list((other_volume / storage.STAGING).iterdir()) == []


def test_a_volume_that_comes_after_staging_gets_a_copy(
    running: Attempt, lease: Lease, image: Image, projects_root: Path, other_volume: Path
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    (projects_root / factories.PROJECT_ID).symlink_to(other_volume)

    publication.finish(version)

    assert storage.read_in_pieces(version.path).sha256 == version.sha256
    assert list((projects_root / storage.STAGING).iterdir()) == []


# What does not pass, and what is cancelled meanwhile ----------------------------------------------


def test_what_can_never_be_stored_ends_the_plan_with_words_and_a_retry_works(
    running: Attempt, lease: Lease, image: Image, projects_root: Path
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    in_the_way = projects_root / factories.PROJECT_ID
    in_the_way.write_text("no folder")

    with pytest.raises(storage.StorageError):
        publication.finish(version)

    run = PlanRun.objects.get(pk=running.run_id)
    assert (run.state, run.error_code) == (RunState.ERROR, "not_storable")
    assert "a file lies where a folder should be" in run.error_message
    assert not Version.objects.exists()
    in_the_way.unlink()
    assert plan_runs.retry(run, actor=None).state == RunState.QUEUED


@pytest.mark.parametrize("whole", [True, False], ids=["the batch", "the plan"])
def test_a_cancel_of_what_cannot_be_stored_cancels_it_and_a_retry_works(
    whole: bool,
    running: Attempt,
    lease: Lease,
    image: Image,
    unmount: Callable[[], Callable[[], None]],
) -> None:
    volumes.expected_marks()
    (version,) = publication.reserve_render(running, lease.token, [image])
    mount = unmount()
    with pytest.raises(storage.StorageError):
        publication.finish(version)

    run = PlanRun.objects.get(pk=running.run_id)
    ids = None if whole else [run.pk]
    transitions.cancel(run.batch, run_ids=ids, unanswered=[], actor=None)

    run.refresh_from_db()
    running.refresh_from_db()
    assert (run.state, running.outcome) == (RunState.CANCELLED, AttemptOutcome.CANCELLED)
    assert not Version.objects.exists()
    mount()
    upkeep_storage()
    assert plan_runs.retry(run, actor=None).state == RunState.QUEUED
    assert publication.finish(version).state == VersionState.RESERVED


def test_a_cancel_that_came_before_the_trouble_is_obeyed_then(
    running: Attempt, lease: Lease, image: Image, unmount: Callable[[], Callable[[], None]]
) -> None:
    volumes.expected_marks()
    (version,) = publication.reserve_render(running, lease.token, [image])
    transitions.cancel(running.run.batch, run_ids=None, unanswered=[], actor=None)
    unmount()

    with pytest.raises(storage.StorageError):
        publication.finish(version)

    assert PlanRun.objects.get(pk=running.run_id).state == RunState.CANCELLED


def test_an_upload_that_cannot_be_stored_can_be_cancelled(
    queued: PlanRun, image: Image, unmount: Callable[[], Callable[[], None]]
) -> None:
    volumes.expected_marks()
    version = publication.reserve_upload(queued, image, actor=None)
    unmount()
    with pytest.raises(storage.StorageError):
        publication.finish(version)

    transitions.cancel(queued.batch, run_ids=None, unanswered=[], actor=None)

    queued.refresh_from_db()
    assert queued.state == RunState.CANCELLED
    assert not Version.objects.exists()
