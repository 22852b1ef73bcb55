"""Of all that a workflow saves, what its result saves is published: every picture of it."""

import copy
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from comfyui_preview.server import PreviewServer
from generation import storage
from generation.models import Attempt, Batch, PlanRun, Server
from generation.states import RunState, VersionState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db


#: A saver that runs before the result's, for whoever mends the workflow.
BESIDE: dict[str, Any] = {
    "0": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "debug"}},
    **flying.INVERTED,
}
RED, CYAN = (255, 0, 0), (0, 255, 255)


def with_another_saver(**fields: Any) -> Batch:
    """Return a batch of one plan whose panel is red, so that its result is cyan."""
    batch = factories.batch(
        [RunState.QUEUED], workflow=flying.workflow(BESIDE), needs_panel=True, **fields
    )
    flying.panel(batch.runs.get().plan, color=RED)
    return batch


def color(run: PlanRun) -> Any:
    """Return the colour of what was published."""
    assert run.result is not None
    with Image.open(BytesIO(storage.read(run.result.path))) as image:
        return image.convert("RGB").getpixel((0, 0))


@pytest.mark.parametrize("fault", ["silent_ws", "evict_history"])
def test_the_result_is_published_and_not_what_is_saved_beside_it(
    fault: str, server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(fault)
    batch = with_another_saver()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert color(batch.runs.get()) == CYAN


def test_what_is_saved_beside_the_result_is_not_taken_for_it(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("odd_entry", how="missing_node")
    batch = with_another_saver(max_tries=1)

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "no_output")


@pytest.mark.parametrize("seconds", [None, 60])
@pytest.mark.parametrize(
    ("trouble", "match"), [("reset_after_queueing", None), ("reset", "POST /queue")]
)
def test_a_prompt_that_was_taken_without_its_result_is_refused_whatever_else_goes_wrong(
    trouble: str, match: str | None, seconds: float | None, start_comfy: Any, db: None
) -> None:
    comfy = start_comfy(seconds_per_plan=seconds)
    lacking = {"class_type": "SaveImage", "errors": [], "dependent_outputs": ["3"]}
    comfy.faults.set("partial_node_errors", node_errors={"3": lacking}, dropped=["3"])
    # The answer is lost; or it is read, and what it calls for is not done.
    comfy.faults.set(trouble, times=1, match=match)
    batch = with_another_saver()

    flying.finish(factories.server(url=comfy.url), batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "partly_refused")
    assert flying.is_soon(lambda: not comfy.engine.queue.remaining())


@pytest.mark.parametrize("n_hidden", [0, 1])
def test_half_a_file_that_an_ended_server_left_costs_no_try(
    n_hidden: int, server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("worker_dead")
    # Whether it is there is asked first: it may be gone by the time it is fetched.
    comfy.faults.set("view_404", after=1, times=n_hidden)
    batch = flying.inverted()
    ended = flying.Once(lambda: flying.is_on_server(batch), lambda: end_while_it_writes(comfy))

    flying.drive_until(server, lambda: ended() and flying.is_finished(batch))

    assert flying.outcomes(batch) == ["lost", "done"]
    run = batch.runs.get()
    assert (run.n_tries, run.attempts.filter(is_held_against=True).count()) == (0, 0)


def end_while_it_writes(comfy: PreviewServer) -> None:
    leave(comfy, factories.png()[:60])


def leave(comfy: PreviewServer, *contents: bytes) -> None:
    """End a server that has written these files of the prompt that it has."""
    folder = comfy.options.home / "output" / "madsea"
    folder.mkdir(parents=True)
    prompt_id = Attempt.objects.get().prompt_id
    for number, content in enumerate(contents, start=1):
        (folder / f"{prompt_id}_{number:05}_.png").write_bytes(content)
    comfy.restart()


def sampled_at_once(n_pictures: int) -> Batch:
    """Return a batch of one plan, of which one prompt makes so many pictures."""
    graph = copy.deepcopy(flying.SAMPLED)
    graph["3"]["inputs"]["batch_size"] = n_pictures
    return factories.batch([RunState.QUEUED], workflow=flying.workflow(graph), max_tries=1)


def published(batch: Batch) -> list[tuple[int, int]]:
    versions = batch.runs.get().versions.filter(state=VersionState.PUBLISHED).order_by("number")
    return list(versions.values_list("number", "image"))


@pytest.mark.parametrize("fault", ["silent_ws", "evict_history"])
def test_a_prompt_with_four_pictures_gives_four_versions_in_their_order(
    fault: str, server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(fault)
    batch = sampled_at_once(4)

    flying.finish(server, batch)

    assert published(batch) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert flying.outcomes(batch) == ["done"]
    assert flying.render_counts(comfy) == [1]


def test_pictures_of_one_prompt_are_not_one_picture(server: Server) -> None:
    batch = sampled_at_once(2)

    flying.finish(server, batch)

    hashes = batch.versions.order_by("image").values_list("pixels_sha256", flat=True)
    assert len(set(hashes)) == 2


def test_more_pictures_than_a_plan_may_have_fail_and_none_is_published(server: Server) -> None:
    batch = sampled_at_once(17)

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.error_code, published(batch)) == ("too_many_pictures", [])


def test_two_of_four_files_that_an_ended_server_left_are_rendered_again(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("worker_dead")
    batch = sampled_at_once(4)
    two = [factories.png(), factories.png(color="red")]
    ended = flying.Once(lambda: flying.is_on_server(batch), lambda: leave(comfy, *two))

    flying.drive_until(server, lambda: ended() and flying.is_finished(batch))

    assert flying.outcomes(batch) == ["lost", "done"]
    assert published(batch) == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_all_four_files_that_an_ended_server_left_are_published(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("worker_dead")
    batch = sampled_at_once(4)
    four = [factories.png(color=color) for color in ("black", "red", "green", "blue")]
    ended = flying.Once(lambda: flying.is_on_server(batch), lambda: leave(comfy, *four))

    flying.drive_until(server, lambda: ended() and flying.is_finished(batch))

    assert flying.outcomes(batch) == ["done"]
    assert published(batch) == [(1, 1), (2, 2), (3, 3), (4, 4)]
