"""Publication: a number is used once, whatever is cut off, and whatever lies in its way."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from generation import storage
from generation.errors import Conflict, Fenced
from generation.models import Attempt, Plan, PlanRun, Version
from generation.services import publication, transitions, tree_audit, volumes
from generation.services.publication import CancelledMeanwhile, Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, RunState, VersionState
from nomenclature.audit import FindingKind
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reserved(plans: list[Plan], image: Image) -> Version:
    """A reservation of version 1 by an import."""
    return publication.reserve_import(plans[0], "AI-concept", image, actor=None)


def lay(projects_root: Path, version: Version, content: bytes) -> None:
    target = projects_root / version.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def numbers(plan: Plan) -> list[tuple[int, str, str]]:
    rows = plan.versions.filter(task="AI-concept").order_by("number")
    return list(rows.values_list("number", "origin", "state"))


def test_a_reservation_is_seen_by_no_reader_and_takes_its_number(
    reserved: Version, staged: Callable[[str], Image], projects_root: Path
) -> None:
    following = publication.reserve_import(reserved.plan, "AI-concept", staged("red"), actor=None)

    assert (reserved.number, following.number) == (1, 2)
    assert reserved.state == VersionState.RESERVED
    assert not (projects_root / reserved.path).exists()


def test_finishing_links_the_file_and_clears_staging(
    reserved: Version, projects_root: Path
) -> None:
    version = publication.finish(reserved)

    assert (version.state, version.staging_path) == (VersionState.PUBLISHED, "")
    assert storage.read_in_pieces(version.path).sha256 == version.sha256
    assert list((projects_root / ".staging").iterdir()) == []


def test_finishing_twice_changes_nothing(reserved: Version) -> None:
    first = publication.finish(reserved).published_at

    assert publication.finish(reserved).published_at == first


def test_the_numbers_of_one_task_are_not_those_of_another(
    reserved: Version, staged: Callable[[str], Image]
) -> None:
    panel = publication.reserve_import(reserved.plan, "extracted-raw", staged("red"), actor=None)

    assert panel.number == 1


def test_another_file_under_the_name_keeps_it_and_we_take_the_next(
    reserved: Version, projects_root: Path
) -> None:
    lay(projects_root, reserved, b"an artist's file")

    version = publication.finish(reserved)

    assert numbers(reserved.plan) == [(1, "found", "published"), (2, "import", "published")]
    assert version.path.endswith("_v0002.png")
    found = Version.objects.get(number=1)
    assert (projects_root / found.path).read_bytes() == b"an artist's file"
    assert found.sha256 == storage.read_in_pieces(found.path).sha256


def test_several_files_in_the_way_are_all_found(reserved: Version, projects_root: Path) -> None:
    lay(projects_root, reserved, b"one")
    second = projects_root / reserved.path.replace("v0001", "v0002")
    second.write_bytes(b"two")

    assert publication.finish(reserved).number == 3
    assert [origin for _, origin, _ in numbers(reserved.plan)] == ["found", "found", "import"]


def test_the_same_content_under_the_name_is_ours(reserved: Version, projects_root: Path) -> None:
    lay(projects_root, reserved, factories.png())

    assert publication.finish(reserved).number == 1
    assert numbers(reserved.plan) == [(1, "import", "published")]


def test_a_file_whose_staged_twin_is_gone_is_ours_by_its_content(
    reserved: Version, projects_root: Path
) -> None:
    lay(projects_root, reserved, factories.png())
    (projects_root / reserved.staging_path).unlink()

    assert publication.finish(reserved).state == VersionState.PUBLISHED


def test_a_render_that_found_a_file_says_so_in_its_log(
    running: Attempt, lease: Lease, image: Image, projects_root: Path
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    lay(projects_root, version, b"an artist's file")

    publication.finish(version)

    events = list(running.run.logs.order_by("pk").values_list("event", flat=True))
    assert events == ["found_on_disk", "published"]


@pytest.mark.parametrize("token", [uuid4()])
def test_a_driver_without_the_lease_reserves_nothing(
    token: object, running: Attempt, image: Image
) -> None:
    with pytest.raises(Fenced):
        publication.reserve_render(running, token, [image])  # type: ignore[arg-type]

    assert not Version.objects.exists()


def test_a_render_whose_cancel_came_first_reserves_nothing(
    running: Attempt, lease: Lease, image: Image
) -> None:
    transitions.cancel(running.run.batch, run_ids=None, unanswered=[], actor=None)

    with pytest.raises(CancelledMeanwhile):
        publication.reserve_render(running, lease.token, [image])

    assert not Version.objects.exists()


def test_after_version_9999_there_is_none(plans: list[Plan], image: Image) -> None:
    factories.version(plans[0], number=9999, path="somewhere.png")

    with pytest.raises(Conflict) as caught:
        publication.reserve_import(plans[0], "AI-concept", image, actor=None)

    assert caught.value.code == "versions_exhausted"


def test_a_folder_that_cannot_be_written_delays_a_reservation(
    reserved: Version, projects_root: Path
) -> None:
    volumes.expected_marks()
    away = projects_root.rename(projects_root.parent / "away")
    too_early = publication.finish_reserved(older_than_s=-1)
    away.rename(projects_root)
    volumes.watch()

    assert (too_early, publication.finish_reserved(older_than_s=-1)) == (0, 1)
    reserved.refresh_from_db()
    assert reserved.state == VersionState.PUBLISHED


@pytest.mark.parametrize("obstacle", ["a folder", "a dead link"])
def test_what_cannot_be_finished_does_not_hold_up_the_others(
    obstacle: str, reserved: Version, staged: Callable[[str], Image], projects_root: Path
) -> None:
    obstruct(projects_root, reserved, obstacle)
    following = publication.reserve_import(reserved.plan, "AI-concept", staged("red"), actor=None)

    assert publication.finish_reserved(older_than_s=-1) == 1

    following.refresh_from_db()
    reserved.refresh_from_db()
    assert (reserved.state, following.state) == (VersionState.OPEN, VersionState.PUBLISHED)


def test_a_render_whose_staged_file_was_removed_is_made_again(
    running: Attempt, lease: Lease, image: Image, projects_root: Path
) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])
    (projects_root / version.staging_path).unlink()

    assert publication.finish_reserved(older_than_s=-1) == 0

    run = PlanRun.objects.get(pk=running.run_id)
    running.refresh_from_db()
    assert (run.state, running.outcome) == (RunState.QUEUED, AttemptOutcome.LOST)
    assert not run.versions.exists()
    assert run.logs.latest("pk").event == "staged_file_gone"


def test_an_upload_whose_staged_file_was_removed_leaves_the_plan_queued(
    image: Image, projects_root: Path
) -> None:
    run = factories.batch([RunState.QUEUED]).runs.get()
    version = publication.reserve_upload(run, image, actor=None)
    (projects_root / version.staging_path).unlink()

    publication.finish_reserved(older_than_s=-1)

    run.refresh_from_db()
    assert (run.state, run.wait_reason) == (RunState.QUEUED, "")
    assert numbers(run.plan) == []


def test_a_number_whose_image_was_lost_goes_to_the_next_image_of_its_plan(
    running: Attempt, lease: Lease, staged: Callable[[str], Image], projects_root: Path
) -> None:
    (lost,) = publication.reserve_render(running, lease.token, [staged("red")])
    publication.reserve_import(lost.plan, "AI-concept", staged("green"), actor=None)
    (projects_root / lost.staging_path).unlink()

    publication.finish_reserved(older_than_s=-1)

    run = PlanRun.objects.get(pk=running.run_id)
    assert (run.state, run.versions.count()) == (RunState.QUEUED, 0)
    assert numbers(run.plan) == [(1, "render", "open"), (2, "import", "published")]

    following = publication.reserve_import(run.plan, "AI-concept", staged("blue"), actor=None)
    publication.finish(following)

    assert numbers(run.plan) == [(1, "import", "published"), (2, "import", "published")]
    assert (
        publication.reserve_import(run.plan, "AI-concept", staged("grey"), actor=None).number == 3
    )


def test_a_number_that_waits_for_its_plans_next_image_is_a_finding(
    reserved: Version, staged: Callable[[str], Image], projects_root: Path
) -> None:
    publication.finish(
        publication.reserve_import(reserved.plan, "AI-concept", staged("red"), actor=None)
    )
    (projects_root / reserved.staging_path).unlink()
    publication.finish_reserved(older_than_s=-1)

    (found,) = tree_audit.audit_tree(projects_root).findings

    assert (found.kind, found.path) == (FindingKind.UNFINISHED, reserved.path)
    assert "the plan's next one takes it" in found.detail


def test_what_cannot_be_written_does_not_keep_the_others_from_their_turn(
    plans: list[Plan], staged: Callable[[str], Image], projects_root: Path
) -> None:
    stuck = [
        publication.reserve_import(plans[0], "AI-concept", staged("red"), actor=None)
        for _ in range(120)
    ]
    (projects_root / stuck[0].path).parent.parent.mkdir(parents=True)
    (projects_root / stuck[0].path).parent.write_bytes(b"no folder")
    panel = publication.reserve_import(plans[0], "extracted-raw", staged("blue"), actor=None)

    published = [publication.finish_reserved(older_than_s=-1) for _ in range(20)]

    panel.refresh_from_db()
    assert (sum(published), panel.state) == (1, VersionState.PUBLISHED)


def obstruct(projects_root: Path, version: Version, obstacle: str) -> None:
    target = projects_root / version.path
    target.parent.mkdir(parents=True)
    actions: dict[str, Callable[[], object]] = {
        "a folder": target.mkdir,
        "a dead link": lambda: target.symlink_to("nowhere"),
    }
    actions[obstacle]()


def test_a_last_number_that_somebody_took_does_not_stop_the_upkeep(
    plans: list[Plan], image: Image, projects_root: Path
) -> None:
    factories.version(plans[0], number=9998, path="somewhere.png")
    last = publication.reserve_import(plans[0], "AI-concept", image, actor=None)
    lay(projects_root, last, b"an artist's file")

    assert publication.finish_reserved(older_than_s=-1) == 0


def test_what_somebody_is_still_publishing_is_left_to_them(reserved: Version) -> None:
    assert publication.finish_reserved() == 0
