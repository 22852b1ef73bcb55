"""The tick: nothing that a server does, and nothing that fails, keeps a bell from ringing."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from generation import queueing
from generation.comfyui.transport import Timeouts
from generation.management.commands import work
from generation.models import Batch, Server, ServerDefinitions
from generation.preview.definitions import MODELS
from generation.preview.options import Options
from generation.preview.server import PreviewServer
from generation.services import leases, quarantine, servers, upkeep
from generation.services.leases import Lease
from generation.states import ServerHealth
from tests import factories

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"
DOWN: dict[str, Any] = {"health": ServerHealth.DOWN, "down_since": LONG_AGO}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of the tick, a fifth as long."""
    monkeypatch.setattr(servers, "PROBE", Timeouts(connect_s=0.4, read_s=0.8, whole_s=0.8))
    monkeypatch.setattr(servers, "PROBE_S", 1.0)
    monkeypatch.setattr(servers, "READ_TICK_S", 0.2)
    monkeypatch.setattr(quarantine, "ASK_S", 0.5)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., PreviewServer]]:
    """Starts preview servers."""
    with ExitStack() as stack:

        def begin(**options: Any) -> PreviewServer:
            home = tmp_path / f"comfy{time.monotonic_ns()}"
            return stack.enter_context(PreviewServer(Options(home, port=0, faults=True, **options)))

        yield begin


@pytest.fixture
def hanging() -> Iterator[Callable[[int], list[str]]]:
    """Opens ports that take connections and never answer; returns their addresses."""
    with ExitStack() as stack:
        yield lambda n: [_silent(stack) for _ in range(n)]


def _silent(stack: ExitStack) -> str:
    listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def took_s(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def health(server: Server) -> str:
    server.refresh_from_db()
    return server.health


# Servers that hang ------------------------------------------------------------------------------


def test_a_server_that_is_back_gets_its_driver_while_others_hang(
    batch: Batch,
    start: Callable[..., PreviewServer],
    hanging: Callable[[int], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n, url in enumerate(hanging(40)):
        factories.server(f"gpu-{n:02}", url=url, **DOWN)
    back = factories.server("zz", url=start().url, **DOWN)
    rung_at: dict[int, float] = {}
    begun = time.monotonic()
    monkeypatch.setattr(
        queueing, "call_soon", lambda _, pk: rung_at.setdefault(pk, time.monotonic() - begun)
    )

    whole_s = took_s(upkeep.tick)

    assert list(rung_at) == [back.pk]
    assert rung_at[back.pk] < 1.0
    assert whole_s < 2.5


def test_what_hangs_is_down_and_what_answers_is_up(
    start: Callable[..., PreviewServer], hanging: Callable[[int], list[str]]
) -> None:
    [url] = hanging(1)
    hangs, answers = factories.server("a", url=url), factories.server("b", url=start().url)

    servers.check_undriven()

    assert (health(hangs), health(answers)) == (ServerHealth.DOWN, ServerHealth.UP)
    assert hangs.health_detail == servers.SILENT


def test_servers_that_are_set_aside_and_hang_hold_the_tick_for_a_moment_only(
    start: Callable[..., PreviewServer],
) -> None:
    for n in range(8):
        comfy = start()
        comfy.faults.set("delay", match="GET /queue", seconds=0.8)
        aside = {"set_aside_at": LONG_AGO, "set_aside_code": "hung", "set_aside_prompt": None}
        factories.server(f"gpu-{n}", url=comfy.url, needs_reading=False, **aside)

    assert took_s(quarantine.look) < 0.8


def test_a_driver_that_came_meanwhile_knows_better(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent_and_taken(*_: Any) -> Iterator[tuple[str, None]]:
        leases.take(server.pk)
        yield server.url, None

    monkeypatch.setattr(servers, "_probes", SimpleNamespace(ask=silent_and_taken))

    servers.check_undriven()

    assert health(server) == ServerHealth.UP


# Servers that cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/object_info", "/system_stats"])
def test_a_server_that_cannot_be_read_is_up_and_gets_its_work(
    path: str, batch: Batch, start: Callable[..., PreviewServer], calls: list[int]
) -> None:
    comfy = start()
    comfy.faults.set("answer", match=f"GET {path}", status=500, text="Server got itself in trouble")
    server = factories.server(url=comfy.url, health=ServerHealth.UNKNOWN)

    upkeep.tick()
    upkeep.tick()

    assert (health(server), server.needs_reading) == (ServerHealth.UP, True)
    assert "It cannot be read" in server.health_detail
    assert calls == [server.pk]


def test_what_was_known_stays_known_while_a_server_cannot_be_read(
    start: Callable[..., PreviewServer],
) -> None:
    comfy = start()
    server = servers.look(factories.server(url=comfy.url))
    comfy.faults.set("answer", match="GET /object_info", status=500, text="trouble")

    problems = servers.look_at([server])

    assert list(problems) == [server.pk]
    assert "LoadImage" in ServerDefinitions.objects.get().definitions
    assert health(server) == ServerHealth.UP


def test_a_list_of_jobs_that_fails_is_a_list_of_jobs(
    start: Callable[..., PreviewServer],
) -> None:
    comfy = start(generation="jobs")
    comfy.faults.set("answer", match="GET /api/jobs", status=500, text="a foreign prompt is odd")
    server = factories.server(url=comfy.url)

    upkeep.tick()

    server.refresh_from_db()
    assert (server.has_jobs_api, server.needs_reading) == (True, False)


def test_definitions_that_come_slowly_are_written_by_a_later_tick(
    batch: Batch, start: Callable[..., PreviewServer], calls: list[int]
) -> None:
    comfy = start()
    comfy.faults.set("delay", match="GET /object_info", seconds=0.8, times=1)
    server = factories.server(url=comfy.url, health=ServerHealth.UNKNOWN)

    first_s = took_s(upkeep.tick)
    is_known_first = ServerDefinitions.objects.exists()
    time.sleep(1.0)
    upkeep.tick()

    assert first_s < 0.8
    assert (is_known_first, ServerDefinitions.objects.exists()) == (False, True)
    assert calls == [server.pk]


@pytest.mark.parametrize("name", ["mod\udce9le.safetensors", "mod\x00le.safetensors"])
def test_an_odd_name_of_one_server_is_nothing_to_the_others(
    name: str, batch: Batch, start: Callable[..., PreviewServer], calls: list[int]
) -> None:
    odd = factories.server("odd", url=start(models=MODELS | {"checkpoints": [name]}).url)
    fine = factories.server("zz", url=start().url)

    upkeep.tick()

    assert calls == [odd.pk, fine.pk]
    assert ServerDefinitions.objects.count() == 2


# Steps that fail --------------------------------------------------------------------------------


def fail() -> None:
    raise ValueError("an odd row")


@pytest.mark.parametrize("step", ["check_undriven", "give_up_gone", "settle_cancels", "read_due"])
def test_a_step_that_fails_is_told_and_keeps_no_other_from_its_turn(
    step: str, batch: Batch, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = factories.server(needs_reading=False)
    monkeypatch.setattr(servers, "check_undriven", lambda: None)
    monkeypatch.setattr(servers, step, fail)

    with pytest.raises(ExceptionGroup) as caught:
        upkeep.tick()

    [error] = caught.value.exceptions
    assert error.__notes__ == [f"in {__name__}.fail"]
    assert calls == [server.pk]


def test_workers_go_on_when_the_tick_stumbles(
    lease: Lease, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(servers, "check_undriven", fail)
    # The test's own connection has to stay open.
    monkeypatch.setattr(work, "close_old_connections", lambda: None)
    cluster: Any = SimpleNamespace(status=SimpleNamespace(workers=[os.getpid()]))

    assert work._tick(cluster) == 1

    assert "an odd row" in caplog.text
