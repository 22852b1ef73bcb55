"""What the driver makes of a server that fails, lies, forgets or restarts."""

from pathlib import Path
from typing import Any

import pytest
import requests

from comfyui_preview.server import PreviewServer
from generation.comfyui.client import Client
from generation.comfyui.protocol import Queue
from generation.driver import running_rules
from generation.models import Attempt, PlanRun, Server
from generation.services import server_controls, servers
from generation.states import AttemptOutcome, RunState, ServerHealth
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db


def failed(server: Server) -> PlanRun:
    """Render one plan that has one try, and return its run, which must have failed."""
    batch = flying.inverted(max_tries=1)
    flying.finish(server, batch)
    run = batch.runs.get()
    assert run.state == RunState.ERROR
    return run


# What a plan fails of ----------------------------------------------------------------------------


def test_a_node_error_is_told_in_the_servers_words_with_a_remedy(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(
        "node_error", times=1, match="ImageInvert", type="RuntimeError", message="the ink is dry"
    )

    run = failed(server)

    assert run.error_code == "node_error"
    assert run.error_message == "ImageInvert (node 2): RuntimeError: the ink is dry"
    assert "retry" in run.error_remedy


def test_a_plan_that_fails_does_not_stop_the_others(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("node_error", times=1, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted(3, max_tries=1)

    flying.finish(server, batch)

    assert sorted(flying.states(batch)) == [RunState.DONE, RunState.DONE, RunState.ERROR]


def test_a_graph_that_the_server_refuses_fails_with_its_reasons(
    server: Server, comfy: PreviewServer
) -> None:
    graph = {**flying.SAMPLED, "1": {**flying.SAMPLED["1"], "inputs": {"ckpt_name": "no.pt"}}}
    batch = factories.batch([RunState.QUEUED], workflow=flying.workflow(graph))

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "graph_refused")
    assert "ckpt_name" in run.error_message
    assert flying.n_accepted(comfy) == 0


def test_a_graph_of_which_outputs_were_dropped_is_taken_off_the_server(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    lacking = {"type": "required_input_missing", "extra_info": {"input_name": "images"}}
    dropped = {"class_type": "SaveImage", "errors": [lacking], "dependent_outputs": ["7"]}
    slow_comfy.faults.set("partial_node_errors", node_errors={"7": dropped})
    batch = flying.sampled()

    flying.finish(slow_server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "partly_refused")
    assert run.error_message == "SaveImage (node 7): images is missing."
    # It waited there still, or ran already; either way it is gone, and did not run to its end.
    client = Client(slow_server.url)
    assert flying.is_soon(lambda: client.queue() == Queue((), ()))
    client.close()
    assert "success" not in flying.outcomes_on(slow_comfy)


@pytest.mark.parametrize("fault", ["view_empty", "view_truncated", "view_not_an_image"])
def test_an_output_that_is_no_image_is_never_published(
    fault: str, server: Server, comfy: PreviewServer, projects_root: Path
) -> None:
    comfy.faults.set(fault)

    run = failed(server)

    assert run.error_code == "unreadable_output"
    assert not run.versions.exists()
    assert not list((projects_root / "madsea-2025-ep202/E202/SQ0010").glob("AI-concept/*"))


def test_an_output_that_was_removed_fails_the_plan(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("view_404")

    assert failed(server).error_code == "output_missing"


def test_an_output_that_is_too_large_fails_the_plan(server: Server, settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_BYTES = 50

    assert failed(server).error_code == "output_too_large"


def test_an_image_of_too_many_pixels_fails_the_plan_once(server: Server, settings: Any) -> None:
    settings.MADSEA_IMAGE_MAX_PIXELS = 50

    run = failed(server)

    assert (run.error_code, run.n_attempts) == ("output_too_large", 1)
    assert "MADSEA_IMAGE_MAX_MEGAPIXELS" in run.error_remedy
    assert not Attempt.objects.filter(is_held_against=True).exists()


def test_a_success_without_an_output_fails_the_plan(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("empty_outputs")

    assert failed(server).error_code == "no_output"


def test_a_plan_that_has_its_last_version_fails(server: Server) -> None:
    batch = flying.inverted()
    factories.version(batch.runs.get().plan, number=9999, path="somewhere_v9999.png")

    flying.finish(server, batch)

    assert batch.runs.get().error_code == "versions_exhausted"


def test_a_panel_that_is_gone_from_the_disk_fails_the_plan(
    server: Server, projects_root: Path
) -> None:
    batch = flying.inverted()
    (projects_root / batch.runs.get().plan.versions.get().path).unlink()

    flying.finish(server, batch)

    assert batch.runs.get().error_code == "panel_unreadable"


# Whether a prompt is there, or not ---------------------------------------------------------------


@pytest.mark.parametrize("fault", ["reset_after_queueing", "error_500_after_queueing"])
def test_a_prompt_that_was_queued_all_the_same_is_not_posted_twice(
    fault: str, server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(fault, times=1)
    batch = flying.inverted(2)

    flying.finish(server, batch)

    assert flying.states(batch) == [RunState.DONE] * 2
    assert flying.n_accepted(comfy) == 2
    assert flying.render_counts(comfy) == [1, 1]
    assert flying.outcomes(batch) == ["done", "done"]


def test_a_prompt_that_never_arrived_is_posted_again_under_its_id(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("reset_before_queueing", times=1)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert flying.events(batch.runs.get()) == ["claimed", "reposted", "published"]
    assert flying.render_counts(comfy) == [1]


def test_a_history_that_is_late_is_waited_for(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("history_gap_s", seconds=0.2)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert flying.render_counts(comfy) == [1]


def test_a_history_that_was_evicted_costs_no_second_render(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("evict_history")
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done"]
    assert flying.render_counts(comfy) == [1]


def restart_amid(server: Server, comfy: PreviewServer) -> None:
    """Restart a server between two looks at it, under a plan that it has."""
    Server.objects.update(needs_reading=False)
    comfy.faults.set("worker_dead")
    batch = flying.inverted()
    restarted = flying.Once(lambda: flying.is_on_server(batch), comfy.restart)
    flying.drive_until(server, lambda: restarted() and flying.is_finished(batch))
    server.refresh_from_db()


def test_a_server_whose_socket_was_lost_is_read_anew(server: Server, comfy: PreviewServer) -> None:
    restart_amid(server, comfy)

    assert server.needs_reading


def test_a_server_that_lost_a_prompt_is_read_anew(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("refuse_ws", status=403)

    restart_amid(server, comfy)

    assert server.needs_reading


def test_a_socket_that_never_opens_says_nothing_of_a_restart(
    server: Server, comfy: PreviewServer
) -> None:
    Server.objects.update(needs_reading=False)
    comfy.faults.set("refuse_ws", status=403)

    flying.finish(server, flying.inverted())

    server.refresh_from_db()
    assert not server.needs_reading


def test_a_prompt_that_a_restart_lost_is_rendered_by_a_new_attempt(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("worker_dead")
    batch = flying.inverted(2)
    restarted = flying.Once(lambda: flying.is_on_server(batch), comfy.restart)

    flying.drive_until(server, lambda: restarted() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE] * 2
    assert flying.outcomes(batch) == ["lost", "lost", "done", "done"]
    assert flying.render_counts(comfy) == [1, 1]


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("reset", {"match": "/history"}),
        ("reset", {"match": "/queue"}),
        ("reset", {"match": "/view"}),
        ("reset", {"match": "/upload"}),
        ("answer", {"match": "/history", "status": 502}),
        ("answer", {"match": "/view", "status": 500, "text": "Internal Server Error"}),
        ("bad_json", {"match": "/history"}),
        ("bad_json", {"match": "/queue"}),
        ("close_ws", {"match": "executing"}),
        ("drop_message", {"match": "executing"}),
        ("duplicate_message", {}),
        ("foreign_message", {"text": '{"type": "executing", "data": 7}'}),
    ],
)
def test_a_hiccup_costs_no_plan_and_no_second_render(
    fault: str, options: dict[str, Any], server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set(fault, times=2, **options)
    batch = flying.inverted(2)

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["done", "done"]
    assert flying.render_counts(comfy) == [1, 1]


def test_an_interrupt_by_somebody_else_queues_the_plan_again(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    batch = flying.sampled()
    interrupted = flying.Once(
        lambda: flying.is_running_on(slow_comfy), lambda: slow_comfy.engine.interrupt(None)
    )

    flying.drive_until(slow_server, lambda: interrupted() and "lost" in flying.outcomes(batch))

    assert flying.outcomes(batch)[0] == "lost"
    assert batch.runs.get().state in {RunState.QUEUED, RunState.RUNNING}


# Servers that go away ----------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_down_and_keeps_its_plans_for_a_while(db: None) -> None:
    server = factories.server(url="http://127.0.0.1:9")
    batch = flying.inverted()

    flying.drive_until(server, lambda: is_down(server))

    assert flying.states(batch) == [RunState.RUNNING]


def is_down(server: Server) -> bool:
    return Server.objects.filter(pk=server.pk, health=ServerHealth.DOWN).exists()


def test_a_server_declared_gone_gives_its_plans_back_and_its_driver_leaves(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("reset")
    batch = flying.inverted()
    gone = flying.Once(lambda: is_down(server), lambda: servers.declare_gone(server))

    flying.drive_until(server, lambda: gone() and False)

    assert flying.states(batch) == [RunState.QUEUED]
    assert flying.outcomes(batch) == ["abandoned"]


def test_a_prompt_given_up_is_deleted_first_when_its_server_returns(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    batch = flying.sampled(2)
    flying.drive_until(slow_server, lambda: flying.is_on_server(batch))
    servers.declare_gone(slow_server)
    server_controls.set_draining(slow_server, True, actor=None)
    running, pending = Attempt.objects.order_by("pk")

    flying.drive_until(slow_server, lambda: not is_left_behind(running))

    assert flying.deleted(slow_comfy) == [str(pending.prompt_id)]
    assert flying.is_soon(lambda: flying.outcomes_on(slow_comfy) == ["interrupted"])


def is_left_behind(attempt: Attempt) -> bool:
    return Attempt.objects.get(pk=attempt.pk).is_left_behind


# Our own disk ------------------------------------------------------------------------------------


def test_a_disk_that_cannot_be_written_delays_a_plan_and_costs_no_second_render(
    server: Server, comfy: PreviewServer, projects_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_rules, "LOOK_RUNNING_S", 0.1)
    batch = flying.inverted()
    staging = projects_root / ".staging"
    staging.write_text("in the way")
    mended = flying.Once(lambda: flying.render_counts(comfy) == [1], staging.unlink)

    flying.drive_until(server, lambda: mended() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE]
    assert flying.render_counts(comfy) == [1]
    assert Attempt.objects.get().outcome == AttemptOutcome.DONE


def test_a_disk_that_cannot_be_written_is_told_once_however_many_drivers_try(
    server: Server, settings: Any, projects_root: Path
) -> None:
    settings.MADSEA_DRIVER_LIFE_S = 1
    settings.MADSEA_LINGER_S = 0
    batch = flying.inverted()
    (projects_root / ".staging").write_text("in the way")

    flying.drive_until(server, lambda: False)
    flying.drive_until(server, lambda: False)
    flying.drive_until(server, lambda: False)

    assert flying.events(batch.runs.get()).count("disk_full") == 1


def test_a_prompt_that_is_there_twice_is_rendered_once(
    slow_server: Server, slow_comfy: PreviewServer
) -> None:
    batch = flying.sampled(2)
    twice = flying.Once(lambda: flying.is_on_server(batch), lambda: post_again(slow_comfy))
    client = Client(slow_server.url)

    flying.drive_until(slow_server, lambda: twice() and len(client.queue().pending) == 1)

    assert client.queue().n_copies(str(Attempt.objects.latest("pk").prompt_id)) == 1
    client.close()


def post_again(comfy: PreviewServer) -> None:
    """Have the first POST of the prompt that waits come late."""
    attempt = Attempt.objects.latest("pk")
    body = {"prompt": attempt.graph, "prompt_id": str(attempt.prompt_id), "client_id": "late"}
    requests.post(f"{comfy.url}/prompt", json=body, timeout=60).raise_for_status()
