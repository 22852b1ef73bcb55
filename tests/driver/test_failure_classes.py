"""What follows when a render fails: again, elsewhere, or in error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from comfyui_preview.server import PreviewServer
from generation.driver import running_rules
from generation.models import Attempt, Server
from generation.services import batches, server_controls
from generation.states import AttemptOutcome, RunState
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]


# Tries ------------------------------------------------------------------------------------------


def test_a_node_error_is_tried_again_and_says_so(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("node_error", times=2, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["error", "error", "done"]
    assert flying.events(batch.runs.get()).count("tried") == 2
    assert flying.n_tries(batch) == [2]
    tried = batch.logs.filter(event="tried").latest("pk")
    assert (tried.data["tries"], tried.data["most"]) == (2, 3)


@pytest.mark.parametrize("most", [None, 2, 5])
def test_tries_end_in_error(most: int | None, server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    batch = flying.inverted(max_tries=most)

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "node_error")
    assert flying.outcomes(batch) == ["error"] * (most or 3)


def test_a_retry_has_all_its_tries_again(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("node_error", times=4, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()
    flying.finish(server, batch)

    batches.retry(batch, actor=None)
    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["error"] * 4 + ["done"]
    assert flying.n_tries(batch) == [1]


def test_a_lost_prompt_uses_no_try_until_it_was_lost_often(start_comfy: Start, db: None) -> None:
    comfy = start_comfy()
    server = factories.server(url=comfy.url)
    comfy.faults.set("worker_dead")
    batch = flying.inverted()

    def delete() -> bool:
        # Somebody clears the queue, again and again.
        comfy.engine.queue.clear()
        return flying.is_finished(batch)

    flying.drive_until(server, delete)

    assert flying.outcomes(batch) == ["lost"] * 4 + ["error"] * 3
    assert batch.runs.get().error_code == "lost_often"


def test_an_interrupt_by_somebody_else_is_never_a_failure(start_comfy: Start, db: None) -> None:
    comfy = start_comfy(seconds_per_plan=1)
    server = factories.server(url=comfy.url)
    batch = flying.inverted()

    def interrupt() -> bool:
        # Somebody stops whatever runs, again and again.
        comfy.engine.interrupt(None)
        return len(flying.outcomes(batch)) > 9

    flying.drive_until(server, interrupt)
    flying.finish(server, batch)

    assert flying.outcomes(batch)[:9] == ["lost"] * 9
    assert set(flying.codes(batch)) == {"interrupted", ""}
    assert (flying.states(batch), flying.n_tries(batch)) == ([RunState.DONE], [0])


# Elsewhere --------------------------------------------------------------------------------------


def test_a_plan_does_not_go_back_to_a_server_that_failed_it(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, good) = pair
    bad.faults.set("node_error", times=1, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()

    flying.drive_until(first, lambda: flying.codes(batch) == ["node_error"] and is_leaving(first))
    assert flying.states(batch) == [RunState.QUEUED]
    flying.finish(second, batch)

    assert flying.outcomes(batch) == ["error", "done"]
    assert flying.render_counts(good) == [1]


def is_leaving(server: Server) -> bool:
    """Tell after some turns of the loop in which the plan could have been taken again."""
    turns[server.pk] = turns.get(server.pk, 0) + 1
    return turns[server.pk] > 10


turns: dict[int, int] = {}


def test_it_goes_back_when_no_other_can_take_it(pair: list[tuple[Server, PreviewServer]]) -> None:
    (first, bad), (second, _) = pair
    server_controls.set_draining(second, True, actor=None)
    bad.faults.set("node_error", times=1, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()

    flying.finish(first, batch)

    assert flying.outcomes(batch) == ["error", "done"]


# Memory -----------------------------------------------------------------------------------------


def test_memory_is_freed_and_the_plan_tried_once_more_without_a_try(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("oom", match="ImageInvert")
    batch = flying.inverted()
    freed = flying.Once(lambda: flying.codes(batch)[:1] == ["memory_short"], comfy.faults.clear)

    flying.drive_until(server, lambda: freed() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE]
    assert flying.n_tries(batch) == [0]
    assert "held_up" in flying.events(batch.runs.get())


def test_memory_that_stays_short_is_an_error_in_the_end(start_comfy: Start, db: None) -> None:
    comfy = start_comfy()
    server = factories.server(url=comfy.url)
    # Nothing that /free gives back is enough.
    comfy.faults.set(
        "node_error", match="ImageInvert", type="torch.OutOfMemoryError", message="no memory"
    )
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.codes(batch) == [
        "memory_short",
        "out_of_memory",
        "out_of_memory",
        "out_of_memory",
    ]
    assert batch.runs.get().error_code == "out_of_memory"


# Panels, outputs, our own disk ------------------------------------------------------------------


def test_a_panel_that_was_removed_from_the_server_is_uploaded_again(
    server: Server, comfy: PreviewServer
) -> None:
    first = flying.inverted()
    flying.finish(server, first)
    again = flying.inverted(of=[run.plan for run in first.runs.all()])
    removed = flying.Once(lambda: True, lambda: remove_inputs(comfy))

    flying.drive_until(server, lambda: removed() and flying.is_finished(again))

    assert flying.outcomes(again) == ["done"]


def remove_inputs(comfy: PreviewServer) -> None:
    for panel in (comfy.options.home / "input" / "madsea").glob("*"):
        panel.unlink()


def test_a_server_whose_disk_is_full_fails_the_plan_in_the_end(
    server: Server, comfy: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    comfy.faults.set("disk_full")
    batch = flying.inverted(max_tries=1)

    flying.finish(server, batch)

    assert batch.runs.get().error_code == "upload_refused"
    assert Attempt.objects.get().outcome == AttemptOutcome.ERROR


@pytest.mark.parametrize("fault", ["view_truncated", "view_empty"])
def test_a_broken_image_is_fetched_once_more(
    fault: str, server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(fault, times=1)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert "refetched" in flying.events(batch.runs.get())
    assert flying.render_counts(comfy) == [1]


def test_an_image_of_the_wrong_size_is_not_published(server: Server, comfy: PreviewServer) -> None:
    scale = {"upscale_method": "lanczos", "width": 32, "height": 20, "crop": "center"}
    scaled = {"class_type": "ImageScale", "inputs": {"image": ["1", 0], **scale}}
    workflow = flying.workflow({**flying.INVERTED, "2": scaled})
    batch = flying.inverted(max_tries=2)
    batch.workflow = workflow
    batch.save()
    # What lies under the output's name is another's picture by the time it is fetched.
    comfy.faults.set("history_gap_s", times=1, seconds=1.5)
    swapped = flying.Once(lambda: outputs(comfy), lambda: swap(comfy))

    flying.drive_until(server, lambda: swapped() and flying.is_finished(batch))

    assert flying.codes(batch) == ["wrong_size", ""]
    version = batch.runs.get().result
    assert version is not None
    assert (version.width_px, version.height_px) == (32, 20)


def outputs(comfy: PreviewServer) -> list[Path]:
    return list((comfy.options.home / "output" / "madsea").glob("*.png"))


def swap(comfy: PreviewServer) -> None:
    for output in outputs(comfy):
        output.write_bytes(factories.png(10, 10))


def test_a_server_that_does_not_answer_for_long_is_told_in_the_log(
    server: Server, comfy: PreviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.driver.reachability.TOLD_AFTER_S", 0.3)
    monkeypatch.setattr(running_rules, "ABSENT_AGAIN_S", 0.3)
    comfy.faults.set("node_hang", times=1, match="ImageInvert", seconds=2)
    batch = flying.inverted()
    cut = flying.Once(lambda: flying.is_on_server(batch), lambda: comfy.faults.set("reset"))
    back = flying.Once(
        lambda: cut() and "unanswered" in flying.events(batch.runs.get()), comfy.faults.clear
    )

    flying.drive_until(server, lambda: back() and flying.is_finished(batch))

    told = flying.events(batch.runs.get())
    assert told.count("unanswered") == told.count("answered") == 1
    assert flying.outcomes(batch) == ["done"]
    assert flying.n_tries(batch) == [0]


# Answered with errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("POST /prompt", "prompt_not_taken"),
        ("/view", "output_not_given"),
        ("/upload", "upload_refused"),
    ],
)
@pytest.mark.parametrize("status", [500, 502, 403])
def test_a_request_that_is_always_answered_with_an_error_sends_the_plan_elsewhere(
    status: int, where: str, code: str, pair: list[tuple[Server, PreviewServer]]
) -> None:
    (first, bad), (second, _) = pair
    bad.faults.set("answer", match=where, status=status, text="Server got itself in trouble")
    batch = flying.inverted()

    flying.drive_until(first, lambda: flying.codes(batch) == [code])
    assert (flying.states(batch), flying.n_tries(batch)) == ([RunState.QUEUED], [1])
    flying.finish(second, batch)

    assert flying.outcomes(batch) == ["error", "done"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_answers_everything_is_waited_for(
    status: int, server: Server, comfy: PreviewServer
) -> None:
    batch = flying.inverted()
    comfy.faults.set("answer", match="POST /prompt", times=2, status=status)
    away = flying.Once(
        lambda: comfy.faults.n_struck("answer") == 2,
        lambda: comfy.faults.set("answer", times=8, status=status),
    )

    flying.drive_until(server, lambda: away() and flying.is_finished(batch))

    assert (flying.outcomes(batch), flying.n_tries(batch)) == (["done"], [0])
