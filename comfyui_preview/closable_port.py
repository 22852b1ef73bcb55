"""The port of a preview server, which it can leave and take again, as in a slow restart."""

import asyncio
import socket
import threading
from contextlib import suppress

from aiohttp import web

SETTLE_S = 0.01


class ClosablePort:
    """Opens the port; `shut_for` and `come_back` may be called from any thread."""

    def __init__(self, runner: web.AppRunner, host: str) -> None:
        self._runner = runner
        self._host = host
        self._port = 0
        self._socket: socket.socket | None = None
        self._site: web.SockSite | None = None
        self._loop = asyncio.get_running_loop()
        self._absences: set[asyncio.Task[None]] = set()
        self._is_awaited = asyncio.Event()

    async def open(self, port: int) -> int:
        """Listen on a port, 0 for a free one; gives the port. Raises OSError when it is taken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.create_server((self._host, port), family=family)
        self._site = web.SockSite(self._runner, self._socket)
        await self._site.start()
        self._port = int(self._socket.getsockname()[1])
        return self._port

    async def _leave(self) -> None:
        """Leave the port; what is being accepted at that moment becomes a connection first."""
        site, self._site = self._site, None
        if site is None or self._socket is None:
            return
        # A port that is closed between an accept and its connection leaves a socket to nobody.
        self._loop.remove_reader(self._socket)
        try:
            await asyncio.sleep(SETTLE_S)
        finally:
            await site.stop()

    async def close(self) -> None:
        """Leave the port for good."""
        absences = list(self._absences)
        for absence in absences:
            absence.cancel()
        await asyncio.gather(*absences, return_exceptions=True)
        await self._leave()

    def shut_for(self, seconds: float) -> threading.Event:
        """Refuse connections for so long and cut those that there are; set once it is shut."""
        is_shut = threading.Event()
        self._loop.call_soon_threadsafe(self._begin, seconds, is_shut)
        return is_shut

    def come_back(self) -> None:
        """Take the port again before its time."""
        self._loop.call_soon_threadsafe(self._is_awaited.set)

    def _begin(self, seconds: float, is_shut: threading.Event) -> None:
        absence = self._loop.create_task(self._stay_away(seconds, is_shut))
        self._absences.add(absence)
        absence.add_done_callback(self._absences.discard)

    async def _stay_away(self, seconds: float, is_shut: threading.Event) -> None:
        if self._site is None:
            is_shut.set()
            return
        await self._leave()
        for connection in self._runner.server.connections if self._runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()
        self._is_awaited.clear()
        is_shut.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_awaited.wait(), seconds)
        await self.open(self._port)
