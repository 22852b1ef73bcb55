"""What one prompt saved is published together: all its pictures, in their order, or none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from generation import storage
from generation.errors import Conflict
from generation.models import Attempt, Plan, PlanRun, Version
from generation.services import publication, transitions, tree_audit
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, RunState, VersionState
from tests import factories

pytestmark = pytest.mark.django_db

COLORS = ("red", "green", "blue", "white")


@pytest.fixture
def four(running: Attempt, lease: Lease, staged: Callable[[str], Image]) -> list[Version]:
    """The four pictures of a prompt, reserved."""
    images = [staged(color) for color in COLORS]
    return publication.reserve_render(running, lease.token, images)


def rows(plan: Plan) -> list[tuple[int, int, str, str]]:
    versions = plan.versions.filter(task="AI-concept").order_by("number")
    return list(versions.values_list("number", "image", "origin", "state"))


def published(*numbers: int) -> list[tuple[int, int, str, str]]:
    return [(number, image, "render", "published") for image, number in enumerate(numbers, start=1)]


def lay(projects_root: Path, version: Version, content: bytes) -> None:
    target = projects_root / version.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def link(picture: Version) -> None:
    storage.link(picture.staging_path, picture.path, picture.sha256)


def events(attempt: Attempt) -> list[str]:
    return list(attempt.run.logs.order_by("pk").values_list("event", flat=True))


def run_of(attempt: Attempt) -> PlanRun:
    return PlanRun.objects.get(pk=attempt.run_id)


def unlinkable_from(
    nth: int, error: storage.StorageError, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Let the nth file, and each after it, find no place under its name."""
    real, linked = storage.link, list[str]()

    def refuse(staging_path: str, final: str, sha256: str, *marks: storage.Marks) -> None:
        if len(linked) + 1 >= nth:
            raise error
        real(staging_path, final, sha256, *marks)
        linked.append(final)

    monkeypatch.setattr(storage, "link", refuse)
    return linked


def test_four_pictures_take_four_numbers_in_their_order(four: list[Version]) -> None:
    assert [(version.number, version.image) for version in four] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_finishing_one_publishes_all_of_its_attempt_and_ends_the_plan(
    four: list[Version], running: Attempt, projects_root: Path
) -> None:
    publication.finish(four[2])

    run = run_of(running)
    running.refresh_from_db()
    assert rows(run.plan) == published(1, 2, 3, 4)
    assert (run.state, run.result_id, running.outcome) == (
        RunState.DONE,
        four[0].pk,
        AttemptOutcome.DONE,
    )
    assert events(running) == ["published"] * 4
    assert list((projects_root / ".staging").iterdir()) == []


def test_readers_see_none_of_them_before_they_see_all(
    four: list[Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = storage.StorageError("the disk is full")
    linked = unlinkable_from(3, error, monkeypatch)

    with pytest.raises(storage.StorageError):
        publication.finish(four[0])

    assert len(linked) == 2
    assert not Version.objects.filter(state=VersionState.PUBLISHED).exists()


def test_one_that_is_killed_after_the_second_link_is_finished_by_the_tick(
    four: list[Version], running: Attempt, projects_root: Path
) -> None:
    link(four[0])
    link(four[1])

    assert publication.finish_reserved(older_than_s=-1) == 1

    assert rows(run_of(running).plan) == published(1, 2, 3, 4)
    assert tree_audit.audit_tree(projects_root).findings == []


def test_a_file_in_the_way_of_the_second_moves_it_and_those_after_it(
    four: list[Version], running: Attempt, projects_root: Path
) -> None:
    lay(projects_root, four[1], b"an artist's file")

    publication.finish(four[0])

    assert rows(run_of(running).plan) == [
        (1, 1, "render", "published"),
        (2, 1, "found", "published"),
        (3, 2, "render", "published"),
        (4, 3, "render", "published"),
        (5, 4, "render", "published"),
    ]
    kept = {
        version.sha256: storage.read_in_pieces(version.path).sha256
        for version in Version.objects.all()
    }
    assert list(kept) == list(kept.values())


def test_a_number_that_was_left_open_is_taken_first(
    running: Attempt, lease: Lease, staged: Callable[[str], Image], projects_root: Path
) -> None:
    plan = running.run.plan
    lost = publication.reserve_import(plan, "AI-concept", staged("red"), actor=None)
    publication.reserve_import(plan, "AI-concept", staged("black"), actor=None)
    (projects_root / lost.staging_path).unlink()
    publication.finish_reserved(older_than_s=-1)

    images = [staged(color) for color in COLORS[:3]]
    taken = publication.reserve_render(running, lease.token, images)

    assert [version.number for version in taken] == [1, 3, 4]


def test_more_pictures_than_there_are_numbers_take_none(
    running: Attempt, lease: Lease, staged: Callable[[str], Image]
) -> None:
    factories.version(running.run.plan, number=9997)

    with pytest.raises(Conflict, match="9999 is the last"):
        publication.reserve_render(running, lease.token, [staged(color) for color in COLORS])

    assert Version.objects.count() == 1


def test_one_whose_staged_file_was_removed_is_rendered_again_with_all_others(
    four: list[Version], running: Attempt, projects_root: Path
) -> None:
    (projects_root / four[0].staging_path).unlink()

    publication.finish_reserved(older_than_s=-1)

    run = run_of(running)
    assert (run.state, rows(run.plan)) == (RunState.QUEUED, [])
    assert events(running) == ["staged_file_gone"]
    assert list((projects_root / ".staging").iterdir()) == []


def test_what_has_its_name_when_another_is_lost_stays_as_found(
    four: list[Version], running: Attempt, projects_root: Path
) -> None:
    (projects_root / four[2].staging_path).unlink()

    publication.finish_reserved(older_than_s=-1)

    run = run_of(running)
    found = [(1, 1, "found", "published"), (2, 1, "found", "published")]
    assert (run.state, run.versions.count(), rows(run.plan)) == (RunState.QUEUED, 0, found)
    assert sorted(events(running)) == ["found_on_disk", "found_on_disk", "staged_file_gone"]
    assert tree_audit.audit_tree(projects_root).findings == []


def test_pictures_that_can_never_be_stored_end_their_plan_once(
    four: list[Version], running: Attempt, monkeypatch: pytest.MonkeyPatch, projects_root: Path
) -> None:
    unlinkable_from(2, storage.NoHardLinks("no links"), monkeypatch)

    with pytest.raises(storage.StorageError):
        publication.finish(four[0])

    run = run_of(running)
    assert (run.state, run.error_code) == (RunState.ERROR, "not_storable")
    assert rows(run.plan) == [(1, 1, "found", "published")]
    assert list((projects_root / ".staging").iterdir()) == []


def test_a_cancel_while_none_has_its_name_gives_all_numbers_back(
    four: list[Version], running: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlinkable_from(1, storage.StorageError("the disk is full"), monkeypatch)
    with pytest.raises(storage.StorageError):
        publication.finish(four[0])

    transitions.cancel(running.run.batch, run_ids=None, unanswered=[], actor=None)

    run = run_of(running)
    assert (run.state, rows(run.plan)) == (RunState.CANCELLED, [])
    assert events(running) == ["cancelled"]


def test_a_cancel_once_one_has_its_name_comes_too_late(
    four: list[Version], running: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlinkable_from(2, storage.StorageError("the disk is full"), monkeypatch)
    with pytest.raises(storage.StorageError):
        publication.finish(four[0])
    monkeypatch.undo()

    transitions.cancel(running.run.batch, run_ids=None, unanswered=[], actor=None)
    publication.finish(four[0])

    run = run_of(running)
    assert (run.state, rows(run.plan)) == (RunState.DONE, published(1, 2, 3, 4))
    assert events(running) == ["kept", *["published"] * 4]


def test_an_attempt_has_no_picture_twice(four: list[Version]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.filter(pk=four[1].pk).update(image=1)
