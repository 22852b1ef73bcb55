"""The port of a preview server, which it can leave and take again, as in a slow restart."""

import asyncio
import threading

from aiohttp import web

SETTLE_S = 0.01


class Door:
    """Opens the port; `shut_for` may be called from any thread."""

    def __init__(self, runner: web.AppRunner, host: str) -> None:
        self._runner = runner
        self._host = host
        self._port = 0
        self._site: web.TCPSite | None = None
        self._loop = asyncio.get_running_loop()
        self._absences: set[asyncio.Task[None]] = set()

    async def open(self, port: int) -> int:
        """Listen on a port, 0 for a free one; gives the port. Raises OSError when it is taken."""
        self._site = web.TCPSite(self._runner, self._host, port)
        await self._site.start()
        self._port = int(self._runner.addresses[0][1])
        return self._port

    async def close(self) -> None:
        """Leave the port for good; what is being accepted meanwhile becomes a connection first."""
        absences = list(self._absences)
        for absence in absences:
            absence.cancel()
        await asyncio.gather(*absences, return_exceptions=True)
        site, self._site = self._site, None
        if site is not None:
            await site.stop()
        await asyncio.sleep(SETTLE_S)

    def shut_for(self, seconds: float) -> threading.Event:
        """Refuse connections for so long and cut those that there are; set once it is shut."""
        is_shut = threading.Event()
        self._loop.call_soon_threadsafe(self._begin, seconds, is_shut)
        return is_shut

    def _begin(self, seconds: float, is_shut: threading.Event) -> None:
        absence = self._loop.create_task(self._stay_away(seconds, is_shut))
        self._absences.add(absence)
        absence.add_done_callback(self._absences.discard)

    async def _stay_away(self, seconds: float, is_shut: threading.Event) -> None:
        site, self._site = self._site, None
        if site is None:
            is_shut.set()
            return
        await site.stop()
        # what was being accepted at that moment is cut as well
        await asyncio.sleep(SETTLE_S)
        for connection in self._runner.server.connections if self._runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()
        is_shut.set()
        await asyncio.sleep(seconds)
        await self.open(self._port)
