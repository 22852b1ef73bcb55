"""One at a time, and those who wait take turns by where they come from."""

import asyncio
from collections import OrderedDict, deque


class FairQueue:
    """A lock for an event loop; whoever asks for it most often holds up nobody but itself."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def take(self, source: str, wait_s: float) -> bool:
        """Wait for the turn of a source; tell whether it has come. It must be given back."""
        if not self._is_taken:
            self._is_taken = True
            return True
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(source, deque()).append(mine)
        try:
            async with asyncio.timeout(wait_s):
                await mine
        except TimeoutError:
            self._leave(mine)
            return False
        except asyncio.CancelledError:
            self._leave(mine)
            raise
        return True

    def _leave(self, mine: asyncio.Future[None]) -> None:
        # It may have come in the very moment in which it was no longer waited for.
        if mine.done() and not mine.cancelled():
            self.give()

    def give(self) -> None:
        """Pass the turn on: to the next source, and there to who waits longest."""
        while self._waiting:
            source, queue = self._waiting.popitem(last=False)
            first = queue.popleft()
            if queue:
                self._waiting[source] = queue
            if not first.done():
                first.set_result(None)
                return
        self._is_taken = False
