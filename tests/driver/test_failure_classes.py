"""What follows when a render fails: again here or elsewhere, set aside, blocked, or in error."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from generation.comfyui.client import Client
from generation.driver import patience, pilot
from generation.models import Attempt, Block, Plan, Server
from generation.preview.server import PreviewServer
from generation.services import batches, quarantine, servers, upkeep
from generation.states import AttemptOutcome, RunState, ServerHealth
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]


@pytest.fixture
def pair(start_comfy: Start, db: None) -> list[tuple[Server, PreviewServer]]:
    """Two servers: their rows, and what answers there."""
    comfies = [start_comfy(), start_comfy()]
    return [
        (factories.server(f"gpu-{number}", url=comfy.url), comfy)
        for number, comfy in enumerate(comfies, 1)
    ]


def codes(batch: Any) -> list[str]:
    return list(
        Attempt.objects.filter(run__batch=batch)
        .order_by("pk")
        .values_list("failure_code", flat=True)
    )


def n_tries(batch: Any) -> list[int]:
    return list(batch.runs.order_by("position").values_list("n_tries", flat=True))


# Tries ------------------------------------------------------------------------------------------


def test_a_node_error_is_tried_again_and_says_so(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("node_error", times=2, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()

    flying.finish(server, batch)

    assert flying.outcomes(batch) == ["error", "error", "done"]
    assert flying.events(batch.runs.get()).count("tried") == 2
    assert n_tries(batch) == [2]
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
    assert n_tries(batch) == [1]


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
    assert set(codes(batch)) == {"interrupted", ""}
    assert (flying.states(batch), n_tries(batch)) == ([RunState.DONE], [0])


# Elsewhere --------------------------------------------------------------------------------------


def test_a_plan_does_not_go_back_to_a_server_that_failed_it(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, good) = pair
    bad.faults.set("node_error", times=1, match="ImageInvert", message="the ink is dry")
    batch = flying.inverted()

    flying.drive_until(first, lambda: codes(batch) == ["node_error"] and is_leaving(first))
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
    servers.set_draining(second, True)
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
    freed = flying.Once(lambda: codes(batch)[:1] == ["memory_short"], comfy.faults.clear)

    flying.drive_until(server, lambda: freed() and flying.is_finished(batch))

    assert flying.states(batch) == [RunState.DONE]
    assert n_tries(batch) == [0]
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

    assert codes(batch) == ["memory_short", "out_of_memory", "out_of_memory", "out_of_memory"]
    assert batch.runs.get().error_code == "out_of_memory"


# Servers set aside ------------------------------------------------------------------------------


def test_a_poisoned_server_is_set_aside_until_it_restarts(
    server: Server, comfy: PreviewServer
) -> None:
    comfy.faults.set("poisoned")
    batch = flying.inverted(3)

    flying.drive_until(server, lambda: False)

    server.refresh_from_db()
    assert server.set_aside_code == "cuda_poisoned"
    assert sorted(flying.states(batch)) == [RunState.QUEUED] * 3
    assert sum(n_tries(batch)) == 1
    quarantine.look()
    assert is_aside(server)

    comfy.faults.clear()
    comfy.restart()
    quarantine.look()
    assert not is_aside(server)
    flying.finish(server, batch)
    assert flying.states(batch) == [RunState.DONE] * 3


def is_aside(server: Server) -> bool:
    return Server.objects.exclude(set_aside_at=None).filter(pk=server.pk).exists()


def test_a_server_whose_worker_died_is_set_aside_and_costs_no_try(
    server: Server, comfy: PreviewServer, settings: Any
) -> None:
    settings.MADSEA_WORKER_DEAD_S = 1
    comfy.faults.set("worker_dead")
    batch = flying.inverted(2)

    flying.drive_until(server, lambda: False)

    assert is_aside(server)
    assert flying.states(batch) == [RunState.QUEUED] * 2
    assert n_tries(batch) == [0, 0]
    comfy.restart()
    quarantine.look()
    flying.finish(server, batch)
    assert flying.render_counts(comfy) == [1, 1]


def test_a_hung_prompt_is_stopped_and_tried_again(
    server: Server, comfy: PreviewServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MADSEA_HUNG_S = 1
    monkeypatch.setattr(patience, "TIMES_UNKNOWN", 1)
    comfy.faults.set("node_hang", times=1, match="ImageInvert", seconds=3)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert codes(batch) == ["hung", ""]
    assert n_tries(batch) == [1]
    assert "hung" in flying.events(batch.runs.get())
    assert not is_aside(server)


def test_a_server_that_hangs_and_hears_nothing_is_set_aside(
    server: Server, comfy: PreviewServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MADSEA_HUNG_S = 1
    monkeypatch.setattr(patience, "TIMES_UNKNOWN", 1)
    monkeypatch.setattr(patience, "DEAF_S", 0.5)
    comfy.faults.set("node_hang", match="ImageInvert", seconds=60)
    batch = flying.inverted()

    flying.drive_until(server, lambda: False)

    server.refresh_from_db()
    assert server.set_aside_code == "hung"
    assert flying.states(batch) == [RunState.QUEUED]
    assert Attempt.objects.get().is_left_behind


def test_the_limit_is_learnt_from_what_was_rendered(
    server: Server, comfy: PreviewServer, settings: Any
) -> None:
    settings.MADSEA_HUNG_S = 1
    batch = flying.inverted()
    flying.finish(server, batch)
    workflow = batch.workflow
    assert workflow is not None
    workflow.refresh_from_db()
    assert 0 < workflow.longest_render_s < 5
    workflow.longest_render_s = 1000
    workflow.save()
    comfy.faults.set("node_hang", times=1, match="ImageInvert", seconds=2)
    second = flying.inverted(of=factories.plans({"SQ0020": ["0010"]}))

    flying.finish(server, second)

    assert flying.outcomes(second) == ["done"]


# Drivers that take turns --------------------------------------------------------------------------


@pytest.fixture
def short_turns(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers whose turn is far shorter than any limit."""
    settings.MADSEA_DRIVER_LIFE_S = 0.5
    settings.MADSEA_HUNG_S = settings.MADSEA_WORKER_DEAD_S = 2
    monkeypatch.setattr(patience, "TIMES_UNKNOWN", 1)
    monkeypatch.setattr(patience, "DEAF_S", 2)


def test_a_hung_prompt_is_judged_by_drivers_that_take_turns(
    server: Server, comfy: PreviewServer, short_turns: None
) -> None:
    comfy.faults.set("node_hang", match="ImageInvert", seconds=60)
    batch = flying.inverted()

    flying.take_turns(server, lambda: is_aside(server))

    assert codes(batch) == ["hung"]
    assert flying.events(batch.runs.get()).count("hung") == 1


def test_a_dead_worker_is_judged_by_drivers_that_take_turns(
    server: Server, comfy: PreviewServer, short_turns: None
) -> None:
    comfy.faults.set("worker_dead")
    batch = flying.inverted()

    flying.take_turns(server, lambda: is_aside(server))

    assert (codes(batch), n_tries(batch)) == (["worker_dead"], [0])


def test_somebody_elses_endless_prompt_holds_no_plan(
    pair: list[tuple[Server, PreviewServer]], short_turns: None
) -> None:
    (first, bad), (second, _) = pair
    bad.faults.set("worker_stuck")
    foreign = post_foreign(bad)
    batch = flying.inverted(2)

    flying.take_turns(first, lambda: is_aside(first))

    assert (codes(batch), n_tries(batch)) == (["occupied"] * 2, [0, 0])
    assert [item[1] for item in bad.engine.queue.running()] == [foreign]
    assert bad.engine.queue.pending() == []
    assert not Attempt.objects.filter(is_left_behind=True).exists()
    quarantine.look()
    assert is_aside(first)
    flying.finish(second, batch)

    bad.restart()
    quarantine.look()
    assert not is_aside(first)


def test_a_prompt_of_somebody_elses_that_ends_in_time_is_waited_for(
    start_comfy: Start, db: None, short_turns: None
) -> None:
    comfy = start_comfy(seconds_per_plan=1.5)
    server = factories.server(url=comfy.url)
    post_foreign(comfy)
    post_foreign(comfy)
    batch = flying.inverted()

    flying.take_turns(server, lambda: flying.is_finished(batch))

    assert flying.outcomes(batch) == ["done"]


def post_foreign(comfy: PreviewServer) -> str:
    client, foreign = Client(comfy.url), str(uuid4())
    client.post_prompt(flying.SAMPLED, prompt_id=foreign, client_id="a colleague")
    client.close()
    return foreign


def test_time_without_a_driver_is_not_held_against_a_prompt(
    server: Server, comfy: PreviewServer, short_turns: None
) -> None:
    comfy.faults.set("node_hang", match="ImageInvert", seconds=4)
    batch = flying.inverted()
    flying.drive_until(server, lambda: flying.is_running_on(comfy))
    time.sleep(3)

    flying.take_turns(server, lambda: flying.is_finished(batch))

    assert flying.outcomes(batch) == ["done"]


def test_a_server_whose_clock_is_set_teaches_no_limit(server: Server, comfy: PreviewServer) -> None:
    comfy.faults.set("clock_skew", after=1, seconds=86_400)
    batch = flying.inverted()

    flying.finish(server, batch)

    assert batch.workflow is not None
    batch.workflow.refresh_from_db()
    assert 0 < batch.workflow.longest_render_s < 30
    assert Attempt.objects.get().render_s < 30


# Blocking ---------------------------------------------------------------------------------------


def test_a_server_that_fails_what_others_render_is_blocked_and_blamed(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, _) = pair
    flying.finish(second, flying.inverted())
    bad.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    batch = flying.inverted(5, of=more_plans(5), max_tries=1)

    flying.drive_until(first, Block.objects.exists)
    servers.declare_gone(first)

    block = Block.objects.get()
    assert (block.server, block.workflow) == (first, batch.workflow)
    assert "the ink is dry" in block.detail
    assert RunState.ERROR not in flying.states(batch)
    assert batch.logs.filter(event="unblamed").count() >= 3
    flying.finish(second, batch)
    assert flying.states(batch) == [RunState.DONE] * 5


def more_plans(n_plans: int) -> list[Plan]:
    return factories.plans({"SQ0020": [f"{10 * n:04d}" for n in range(1, n_plans + 1)]})


def test_a_success_elsewhere_that_comes_later_blocks_too(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, _) = pair
    bad.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    batch = flying.inverted(9, max_tries=1)
    flying.drive_until(first, lambda: flying.states(batch).count(RunState.ERROR) >= 3)
    servers.declare_gone(first)
    assert not Block.objects.exists()
    flying.drive_until(second, lambda: RunState.DONE in flying.states(batch))

    upkeep.tick()

    assert Block.objects.get().server == first
    flying.finish(second, batch)
    assert flying.states(batch) == [RunState.DONE] * 9


def test_the_last_server_is_never_blocked(pair: list[tuple[Server, PreviewServer]]) -> None:
    (first, bad), (second, good) = pair
    flying.finish(second, flying.inverted())
    batch = flying.inverted(8, of=more_plans(8), max_tries=1)
    for comfy in (bad, good):
        comfy.faults.set("node_error", match="ImageInvert", message="the ink is dry")

    flying.drive_until(first, Block.objects.exists)
    servers.declare_gone(first)
    flying.finish(second, batch)

    assert Block.objects.get().server == first
    assert RunState.ERROR in flying.states(batch)


def test_a_server_that_is_always_short_of_memory_is_blocked(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, _) = pair
    flying.finish(second, flying.inverted())
    short = {"type": "torch.OutOfMemoryError", "message": "no memory"}
    bad.faults.set("node_error", match="ImageInvert", **short)
    batch = flying.inverted(5, of=more_plans(5))

    flying.drive_until(first, Block.objects.exists)

    assert {"memory_short", "out_of_memory"} <= set(codes(batch))
    assert Block.objects.get().server == first


@pytest.fixture
def blocked(pair: list[tuple[Server, PreviewServer]]) -> tuple[Server, PreviewServer]:
    """A server that is blocked for what it failed three times in a row; it would render it now."""
    (first, bad), (second, _) = pair
    flying.finish(second, flying.inverted())
    bad.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    flying.inverted(5, of=more_plans(5))
    servers.look(first)
    flying.drive_until(first, Block.objects.exists)
    bad.faults.clear()
    return first, bad


def n_held() -> int:
    return Attempt.objects.filter(is_held_against=True).count()


def comes_back(server: Server) -> bool:
    servers.check_undriven()
    servers.read_due()
    server.refresh_from_db()
    return server.health == ServerHealth.UP and not server.needs_reading


def test_a_restart_lifts_a_block_and_forgives(blocked: tuple[Server, PreviewServer]) -> None:
    server, comfy = blocked
    comfy.restart(down_s=0.5)
    servers.check_undriven()

    assert flying.is_soon(lambda: comes_back(server))

    assert not Block.objects.exists()
    assert n_held() == 0


def test_a_hiccup_lifts_no_block_and_forgives_nothing(
    blocked: tuple[Server, PreviewServer],
) -> None:
    server, comfy = blocked
    held = n_held()
    comfy.faults.set("reset", times=1)
    servers.check_undriven()
    server.refresh_from_db()
    was_down = server.health == ServerHealth.DOWN

    assert comes_back(server)

    assert was_down
    assert Block.objects.exists()
    assert n_held() == held > 0


def test_another_node_there_lifts_a_block(blocked: tuple[Server, PreviewServer]) -> None:
    server, comfy = blocked
    comfy.faults.set("missing_class", match="Canny")

    servers.look(server)

    assert not Block.objects.exists()


def test_a_picture_that_was_uploaded_there_lifts_no_block(
    blocked: tuple[Server, PreviewServer],
) -> None:
    server, comfy = blocked
    (comfy.options.home / "input" / "holiday.png").write_bytes(factories.png())

    servers.look(server)

    assert "holiday.png" in json.dumps(server.definitions.definitions)
    assert Block.objects.exists()


def test_a_refusal_in_odd_words_is_an_error_like_any_other(
    server: Server, comfy: PreviewServer
) -> None:
    error = {"type": "odd", "message": "caf\udce9.png", "details": "\x00", "extra_info": {}}
    comfy.faults.set("refuse_prompt", error=error, node_errors={})
    batch = flying.inverted()

    flying.finish(server, batch)

    run = batch.runs.get()
    assert (run.state, run.error_code) == (RunState.ERROR, "graph_refused")
    assert "caf\U0010dce9.png" in run.error_message


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

    assert codes(batch) == ["wrong_size", ""]
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
    monkeypatch.setattr("generation.driver.contact.TOLD_AFTER_S", 0.3)
    monkeypatch.setattr(pilot, "ABSENT_AGAIN_S", 0.3)
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
    assert n_tries(batch) == [0]


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

    flying.drive_until(first, lambda: codes(batch) == [code])
    assert (flying.states(batch), n_tries(batch)) == ([RunState.QUEUED], [1])
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

    assert (flying.outcomes(batch), n_tries(batch)) == (["done"], [0])
