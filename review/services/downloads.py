"""Sending what is read piece by piece, without a thread of the web process for each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from generation.errors import MadseaError
from review.services.stored_zip import NotAsPromised

logger = logging.getLogger(__name__)

#: So many read at once in a web process, however many are sent.
READERS = 2
_READERS = ThreadPoolExecutor(READERS, thread_name_prefix="downloads")


class _Reading:
    """Pieces that one thread at a time asks for: one that is left may still be reading."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._lock = Lock()

    def next(self) -> bytes | None:
        with self._lock:
            return next(self._pieces, None)

    def close(self) -> None:
        with self._lock:
            getattr(self._pieces, "close", lambda: None)()


async def send_pieces(pieces: Iterator[bytes], name: str) -> AsyncIterator[bytes]:
    """Yield pieces that are read on a few threads, each once the one before was sent.

    Raises:
        StorageError, NotAsPromised: a file has gone or changed: the answer ends too short, which
            its length tells to whoever waits for it.
    """
    reading = _Reading(pieces)
    loop = asyncio.get_running_loop()
    try:
        while (piece := await loop.run_in_executor(_READERS, reading.next)) is not None:
            yield piece
    except (MadseaError, NotAsPromised) as error:
        logger.warning("%s was not sent whole: %s", name, error)
        raise
    finally:
        await loop.run_in_executor(_READERS, reading.close)
