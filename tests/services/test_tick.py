"""The tick: nothing that a server does, and nothing that fails, keeps a bell from ringing."""

import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from comfyui_preview.definitions import MODELS
from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation import queueing
from generation.comfyui.http_transport import Timeouts
from generation.management.commands import work
from generation.models import Batch, Server, ServerDefinitions
from generation.services import batches, server_leases, server_quarantine, servers, tick
from generation.services.parallel_calls import Asking
from generation.services.server_leases import Lease
from generation.states import ServerHealth
from tests import factories

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"
DOWN: dict[str, Any] = {"health": ServerHealth.DOWN, "down_since": LONG_AGO}
ASIDE = {"set_aside_at": LONG_AGO, "set_aside_code": "hung", "set_aside_prompt": "x"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tick waits so long that whatever is answered is answered in time, and asks afresh."""
    long = Timeouts(connect_s=60, read_s=60, whole_s=60)
    monkeypatch.setattr(servers, "PROBE", long)
    monkeypatch.setattr(servers, "PROBE_S", 60)
    monkeypatch.setattr(servers, "READ_TICK_S", 60)
    monkeypatch.setattr(server_quarantine, "ASK_S", 60)
    monkeypatch.setattr(servers, "_probes", Asking())
    monkeypatch.setattr(servers, "_readings", Asking())
    monkeypatch.setattr(server_quarantine, "_restarts", Asking())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., PreviewServer]]:
    """Starts preview servers."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def begin(**options: Any) -> PreviewServer:
            home = tmp_path / f"comfy{next(numbers)}"
            return stack.enter_context(PreviewServer(Options(home, port=0, faults=True, **options)))

        yield begin


class Silent:
    """Ports that take connections and never answer, until they are closed."""

    def __init__(self, stack: ExitStack, n: int) -> None:
        self._ports = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            for _ in range(n)
        ]
        self.urls = [f"http://127.0.0.1:{port.getsockname()[1]}" for port in self._ports]

    def close(self) -> None:
        for port in self._ports:
            port.close()


@pytest.fixture
def hanging() -> Iterator[Callable[[int], Silent]]:
    """Opens ports that never answer."""
    with ExitStack() as stack:
        yield lambda n: Silent(stack, n)


@pytest.fixture
def meeting() -> Iterator[Callable[[int], list[str]]]:
    """Starts servers that have no prompts, and say so once all of them are asked."""
    with ExitStack() as stack:
        yield lambda n: _met(stack, threading.Barrier(n, timeout=60))


def _met(stack: ExitStack, barrier: threading.Barrier) -> list[str]:
    class Meets(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            barrier.wait()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"queue_running": [], "queue_pending": []}')

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    return [_serving(stack, Meets) for _ in range(barrier.parties)]


def _serving(stack: ExitStack, handler: type[BaseHTTPRequestHandler]) -> str:
    listening = stack.enter_context(HTTPServer(("127.0.0.1", 0), handler))
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}).start()
    stack.callback(listening.shutdown)
    return f"http://127.0.0.1:{listening.server_address[1]}"


def health(server: Server) -> str:
    server.refresh_from_db()
    return server.health


# Servers that hang ------------------------------------------------------------------------------


def test_a_server_that_is_back_gets_its_driver_while_others_hang(
    batch: Batch,
    start: Callable[..., PreviewServer],
    hanging: Callable[[int], Silent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = hanging(40)
    for n, url in enumerate(silent.urls):
        factories.server(f"gpu-{n:02}", url=url, **DOWN)
    back = factories.server("zz", url=start().url, **DOWN)
    rung: list[tuple[int, int]] = []

    def ring(_: str, pk: int) -> None:
        rung.append((pk, len(servers._probes.under_way)))
        silent.close()

    monkeypatch.setattr(queueing, "call_soon", ring)

    tick.tick()

    assert rung == [(back.pk, 40)]


def test_a_tick_ends_while_servers_hang(
    hanging: Callable[[int], Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PROBE_S", 0.1)
    silent = hanging(5)
    hung = [factories.server(f"gpu-{n}", url=url) for n, url in enumerate(silent.urls)]

    tick.tick()

    assert servers._probes.under_way == set(silent.urls)
    assert {health(server) for server in hung} == {ServerHealth.DOWN}
    assert {server.health_detail for server in hung} == {servers.SILENT}


def test_what_hangs_is_not_asked_a_second_time_meanwhile(
    hanging: Callable[[int], Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PROBE_S", 0.1)
    asked: list[str] = []
    probe = servers._probe
    monkeypatch.setattr(servers, "_probe", lambda server: asked.append(server.url) or probe(server))
    [url] = hanging(1).urls
    factories.server(url=url)

    tick.tick()
    tick.tick()

    assert asked == [url]


def test_what_answers_is_up(start: Callable[..., PreviewServer]) -> None:
    answers = factories.server(url=start().url, **DOWN)

    servers.check_undriven()

    assert health(answers) == ServerHealth.UP


def test_servers_that_are_set_aside_are_asked_all_at_once(
    meeting: Callable[[int], list[str]],
) -> None:
    for n, url in enumerate(meeting(8)):
        factories.server(f"gpu-{n}", url=url, needs_reading=False, **ASIDE)

    server_quarantine.take_back_restarted()

    assert not Server.objects.exclude(set_aside_at=None).exists()


def test_servers_that_are_set_aside_and_hang_do_not_hold_the_tick(
    hanging: Callable[[int], Silent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_quarantine, "ASK_S", 0.1)
    silent = hanging(8)
    for n, url in enumerate(silent.urls):
        factories.server(f"gpu-{n}", url=url, needs_reading=False, **ASIDE)

    server_quarantine.take_back_restarted()

    assert server_quarantine._restarts.under_way == set(silent.urls)
    assert Server.objects.exclude(set_aside_at=None).count() == 8


def test_a_driver_that_came_meanwhile_knows_better(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent_and_taken(*_: Any) -> Iterator[tuple[str, None]]:
        server_leases.take(server.pk)
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

    tick.tick()
    tick.tick()

    assert (health(server), server.needs_reading) == (ServerHealth.UP, True)
    assert "It cannot be read" in server.health_detail
    assert calls == [server.pk]


def test_what_was_known_stays_known_while_a_server_cannot_be_read(
    start: Callable[..., PreviewServer],
) -> None:
    comfy = start()
    server = servers.read_now(factories.server(url=comfy.url))
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

    tick.tick()

    server.refresh_from_db()
    assert (server.has_jobs_api, server.needs_reading) == (True, False)


def test_definitions_that_come_slowly_are_written_by_a_later_tick(
    batch: Batch,
    start: Callable[..., PreviewServer],
    calls: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = factories.server(url=start().url, health=ServerHealth.UNKNOWN)
    read, may_answer = servers._read, threading.Event()
    monkeypatch.setattr(servers, "_read", lambda *of: may_answer.wait(60) and read(*of))

    with monkeypatch.context() as hurried:
        hurried.setattr(servers, "READ_TICK_S", 0.1)
        tick.tick()
    is_known_first, under_way = ServerDefinitions.objects.exists(), servers._readings.under_way
    may_answer.set()
    tick.tick()

    assert under_way == {server.url}
    assert (is_known_first, ServerDefinitions.objects.exists()) == (False, True)
    assert calls == [server.pk]


@pytest.mark.parametrize("name", ["mod\udce9le.safetensors", "mod\x00le.safetensors"])
def test_an_odd_name_of_one_server_is_nothing_to_the_others(
    name: str, batch: Batch, start: Callable[..., PreviewServer], calls: list[int]
) -> None:
    odd = factories.server("odd", url=start(models=MODELS | {"checkpoints": [name]}).url)
    fine = factories.server("zz", url=start().url)

    tick.tick()

    assert calls == [odd.pk, fine.pk]
    assert ServerDefinitions.objects.count() == 2


# Steps that fail --------------------------------------------------------------------------------


def fail() -> None:
    raise ValueError("an odd row")


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (servers, "check_undriven"),
        (servers, "give_up_gone"),
        (batches, "cancel_unanswered"),
        (servers, "read_due"),
    ],
)
def test_a_step_that_fails_is_told_and_keeps_no_other_from_its_turn(
    module: ModuleType, step: str, batch: Batch, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = factories.server(needs_reading=False)
    monkeypatch.setattr(servers, "check_undriven", lambda: None)
    monkeypatch.setattr(module, step, fail)

    with pytest.raises(ExceptionGroup) as caught:
        tick.tick()

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
