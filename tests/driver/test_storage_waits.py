"""The projects folder in trouble while plans are rendered: what passes is waited for."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from comfyui_preview.server import PreviewServer
from generation import storage
from generation.models import Attempt, Server, StorageTrouble, Version
from generation.services import batches, volumes
from generation.states import RunState
from tests import factories
from tests.driver import flying

PANELS = f"{factories.PROJECT_ID}/E202/SQ0010/extracted-raw"


@pytest.fixture
def other_volume(tmp_path: Path) -> Iterator[Path]:
    """A folder on another disk than the projects root."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    folder = memory / f"madsea-{uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def is_in_trouble() -> bool:
    return StorageTrouble.objects.exists()


def has_ticked() -> bool:
    volumes.watch()
    return True


def take_away(folder: Path) -> Callable[[], None]:
    """Take a folder away; returns what brings it back, and has the tick look."""
    away = folder.rename(folder.with_name("away"))

    def back() -> None:
        away.rename(folder)
        volumes.watch()

    return back


def test_panels_that_are_away_for_a_while_put_no_plan_in_error(
    server: Server, comfy: PreviewServer, projects_root: Path
) -> None:
    batch = flying.inverted(4)
    back = flying.Once(is_in_trouble, take_away(projects_root / PANELS))

    flying.drive_until(server, lambda: back() and has_ticked() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE] * 4
    assert sum(flying.render_counts(comfy)) == 4
    assert not batch.runs.filter(n_tries__gt=0).exists()


def test_the_tick_makes_no_folder_where_panels_were(server: Server, projects_root: Path) -> None:
    flying.inverted()
    take_away(projects_root / PANELS)
    flying.drive_until(server, is_in_trouble)

    volumes.watch()

    assert is_in_trouble()
    assert not (projects_root / PANELS).exists()


def test_a_root_that_goes_away_while_plans_are_rendered_is_waited_for(
    server: Server, comfy: PreviewServer, projects_root: Path
) -> None:
    batch = flying.sampled(2)
    volumes.expected_marks()
    back = take_away(projects_root)
    projects_root.mkdir()
    is_empty = [is_in_trouble, lambda: list(projects_root.iterdir()) == []]
    mended = flying.Once(
        lambda: all(each() for each in is_empty), lambda: (projects_root.rmdir(), back())
    )

    flying.drive_until(server, lambda: mended() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE] * 2
    assert sum(flying.render_counts(comfy)) == 2


def test_a_project_on_another_volume_is_published_there(
    server: Server, projects_root: Path, other_volume: Path
) -> None:
    (projects_root / factories.PROJECT_ID).symlink_to(other_volume)
    batch = flying.inverted(2)

    flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 2
    assert sorted(each.name for each in other_volume.iterdir()) == [
        ".madsea-volume",
        ".staging",
        "E202",
    ]


def test_a_name_that_no_folder_can_have_ends_the_plan_with_words(
    server: Server, projects_root: Path
) -> None:
    batch = flying.inverted()
    (projects_root / PANELS).with_name("AI-concept").write_text("no folder")

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "not_storable")
    assert "a file lies where a folder should be" in run.error_message
    assert not Version.objects.filter(run=run).exists()


def test_a_plan_that_waits_for_the_disk_is_cancelled_at_once(
    server: Server, projects_root: Path
) -> None:
    batch = flying.inverted()
    (projects_root / storage.STAGING).write_text("in the way")
    cancel = flying.Once(is_in_trouble, lambda: batches.cancel(batch, actor=None))

    flying.drive_until(server, lambda: cancel() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.CANCELLED]
    assert Attempt.objects.get().outcome == "cancelled"


def test_a_project_in_trouble_keeps_no_server_from_the_others(
    server: Server, projects_root: Path, other_volume: Path
) -> None:
    (projects_root / factories.PROJECT_ID).symlink_to(other_volume)
    stuck = flying.inverted(6)
    (other_volume / storage.STAGING).write_text("in the way")
    episode = factories.episode("another-project")
    others = flying.inverted(3, of=factories.plans(of=episode))

    flying.drive_until(server, lambda: flying.is_finished(others))

    assert flying.states(others) == [RunState.DONE] * 3
    assert RunState.ERROR not in flying.states(stuck)
