"""A server that fails what others render is blocked for that workflow, until it has changed."""

from collections.abc import Callable

import pytest

from comfyui_preview.server import PreviewServer
from generation.models import Attempt, Block, Plan, Server
from generation.services import servers, tick
from generation.states import RunState, ServerHealth
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

Start = Callable[..., PreviewServer]


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

    tick.tick()

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

    assert {"memory_short", "out_of_memory"} <= set(flying.codes(batch))
    assert Block.objects.get().server == first


def test_what_a_request_asks_for_is_held_against_no_server(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, one), (second, two) = pair
    flying.finish(second, flying.sampled(params={"steps": 2}))
    for comfy in (one, two):
        comfy.faults.set("node_error", match="KSampler", message="too many steps")
    batch = flying.sampled(4, params={"steps": 9}, max_tries=1)

    flying.drive_until(first, lambda: flying.states(batch).count(RunState.ERROR) >= 3)
    servers.declare_gone(first)
    tick.tick()

    assert not Block.objects.exists()


def test_plans_that_fail_on_each_server_block_none(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, one), (second, two) = pair
    before = flying.sampled()
    before.runs.update(seed="7")
    flying.finish(second, before)
    for comfy in (one, two):
        comfy.faults.set("node_error", match="KSampler", message="not these")
    batch = flying.sampled(3)
    # One or two fail at once, as many as are on the server together: no three in a row.
    flying.drive_until(first, Attempt.objects.filter(is_held_against=True).exists)
    servers.declare_gone(first)

    flying.finish(second, batch)
    flying.finish(first, batch)
    tick.tick()

    assert flying.states(batch) == [RunState.ERROR] * 3
    assert not Block.objects.exists()


def test_a_server_that_renders_a_workflow_is_not_blamed_for_a_shortage_of_memory(
    pair: list[tuple[Server, PreviewServer]],
) -> None:
    (first, bad), (second, _) = pair
    flying.finish(first, flying.sampled())
    flying.finish(second, flying.sampled())
    short = {"type": "torch.OutOfMemoryError", "message": "no memory"}
    bad.faults.set("node_error", match="KSampler", **short)
    batch = flying.sampled(4)

    flying.drive_until(first, lambda: flying.codes(batch).count("out_of_memory") >= 3)
    servers.declare_gone(first)
    tick.tick()

    assert not Block.objects.exists()


def test_what_two_bad_servers_fail_and_a_third_renders_blocks_both(
    pair: list[tuple[Server, PreviewServer]], start_comfy: Start
) -> None:
    (first, one), (second, two) = pair
    third = factories.server("gpu-3", url=start_comfy().url)
    for comfy in (one, two):
        comfy.faults.set("node_error", match="KSampler", message="the ink is dry")
    batch = flying.sampled(3)
    flying.drive_until(first, lambda: flying.codes(batch).count("node_error") >= 3)
    servers.declare_gone(first)
    flying.drive_until(second, lambda: flying.codes(batch).count("node_error") >= 6)
    servers.declare_gone(second)
    flying.finish(third, batch)

    tick.tick()

    assert {block.server.name for block in Block.objects.all()} == {"gpu-1", "gpu-2"}


@pytest.fixture
def blocked(pair: list[tuple[Server, PreviewServer]]) -> tuple[Server, PreviewServer]:
    """A server that is blocked for what it failed three times in a row; it would render it now."""
    (first, bad), (second, _) = pair
    flying.finish(second, flying.inverted())
    bad.faults.set("node_error", match="ImageInvert", message="the ink is dry")
    flying.inverted(5, of=more_plans(5))
    servers.read_now(first)
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

    servers.read_now(server)

    assert not Block.objects.exists()


def test_a_picture_that_was_uploaded_there_lifts_no_block(
    blocked: tuple[Server, PreviewServer],
) -> None:
    server, comfy = blocked
    (comfy.options.home / "input" / "holiday.png").write_bytes(factories.png())
    before = server.definitions.read_at

    servers.read_now(server)

    server.definitions.refresh_from_db()
    assert server.definitions.read_at > before
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
