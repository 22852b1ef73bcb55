"""The preview server itself: web part, worker and sender, from start to a clean stop."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from comfyui_preview import fault_routes, file_routes, jobs_api_routes, routes
from comfyui_preview.closable_port import ClosablePort
from comfyui_preview.faults import Faults
from comfyui_preview.options import Options
from comfyui_preview.origins import check_origin
from comfyui_preview.routes import ENGINE, MAX_UPLOAD_BYTES
from comfyui_preview.shared_state import Engine
from comfyui_preview.socket_route import get_socket
from comfyui_preview.worker import Worker

START_S = 10
STOP_S = 5


def application(engine: Engine) -> web.Application:
    """All routes of a server, each also under /api."""
    app = web.Application(
        middlewares=[fault_routes.strike, check_origin], client_max_size=MAX_UPLOAD_BYTES
    )
    app[ENGINE] = engine
    for method, path, handler in [*routes.ROUTES, *file_routes.ROUTES, ("GET", "/ws", get_socket)]:
        app.router.add_route(method, path, handler)
        app.router.add_route(method, f"/api{path}", handler)
        if method == "GET" and path != "/ws":
            app.router.add_route("HEAD", path, handler)
    extra = jobs_api_routes.ROUTES if engine.options.generation == "jobs" else []
    extra = [*extra, *fault_routes.ROUTES] if engine.options.faults else extra
    for method, path, handler in extra:
        app.router.add_route(method, path, handler)
    app.router.add_route("GET", "/{unknown:.*}", routes.get_unknown)
    return app


class PreviewServer:
    """A preview server in threads of this process, for tests.

    `with PreviewServer(Options(home=folder, port=0)) as server: requests.get(server.url)`
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.engine = Engine(options)
        self.url = ""
        self._listening = threading.Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="preview-server", daemon=True)

    @property
    def faults(self) -> Faults:
        """What this server does wrong, to be switched while it runs."""
        return self.engine.faults

    @property
    def journal_path(self) -> Path:
        """The file that says what this server executed."""
        return self.options.journal_path

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait(START_S)
        if self._failure is not None:
            raise RuntimeError("the preview server did not start") from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._thread.join(STOP_S)

    def restart(self, down_s: float = 0.0) -> None:
        """Lose what a killed server loses, sockets without a word; refuse all for `down_s`."""
        is_shut = self.engine.restart(down_s)
        if is_shut is not None:
            is_shut.wait(STOP_S)

    def come_back(self) -> None:
        """Answer again after a restart, before its `down_s` is over."""
        self.engine.come_back()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as failure:
            self._failure = failure
            self._listening.set()

    async def _serve(self) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)

        def note(url: str) -> None:
            self.url = url
            self._listening.set()

        await run(self.engine, stop, note)


def serve(options: Options, listening: Callable[[str], None]) -> None:
    """Run a preview server until SIGTERM or SIGINT; `listening` is told its address once it is up.

    Raises OSError when the port is taken.
    """
    asyncio.run(_serve_until_signal(options, listening))


async def _serve_until_signal(options: Options, listening: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(Engine(options), stop, listening)


async def run(engine: Engine, stop: asyncio.Event, listening: Callable[[str], None]) -> None:
    """Listen, work and send until told to stop; what runs then is left undone."""
    runner = web.AppRunner(application(engine), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    engine.sockets.bind(asyncio.get_running_loop())
    sender = asyncio.create_task(engine.sockets.send_forever())
    worker = Worker(engine)
    door = ClosablePort(runner, engine.options.host)
    try:
        port = await door.open(engine.options.port)
        engine.go_away, engine.come_back = door.shut_for, door.come_back
        worker.start()
        url = f"http://{engine.options.host}:{port}"
        engine.journal.write("server_started", url=url)
        listening(url)
        await stop.wait()
    finally:
        await door.close()
        await _shut_down(engine, runner, sender, worker)


async def _shut_down(
    engine: Engine, runner: web.AppRunner, sender: asyncio.Task[None], worker: Worker
) -> None:
    engine.stopping.set()
    engine.interrupts.vanish()
    engine.queue.wake()
    engine.sockets.unbind()
    sender.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sender
    await engine.sockets.close_all()
    await runner.cleanup()
    if worker.is_alive():
        await asyncio.to_thread(worker.join, STOP_S)
