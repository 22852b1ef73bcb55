"""Of several images that a workflow saves, the one that is published is its result."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from comfyui_preview.server import PreviewServer
from generation import storage
from generation.models import Attempt, Batch, PlanRun, Server
from generation.states import RunState
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
    folder = comfy.options.home / "output" / "madsea"
    folder.mkdir(parents=True)
    (folder / f"{Attempt.objects.get().prompt_id}_00001_.png").write_bytes(factories.png()[:60])
    comfy.restart()
