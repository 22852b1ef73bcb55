"""Answers that are kept for the next who asks for the very same: many clients follow one batch.

Nothing here grows old by the clock. A key names the state that the answer tells of, as it was read
from the database for the request at hand; another state is another key. What nobody has asked for
longest makes room.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock


class AnswerCache:
    """Bodies of answers by their key, `max_bytes` of them at the most; for any thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()
        self._under_way: dict[Hashable, Future[bytes]] = {}
        self._lock = Lock()

    def body(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the body of this key: the kept one, else what `make` makes, which is kept.

        Of several threads that miss the same body one makes it, and the others wait for it.
        """
        with self._lock:
            if (kept_body := self._bodies.get(key)) is not None:
                self._bodies.move_to_end(key)
                return kept_body
            under_way = self._under_way.get(key)
            if under_way is None:
                mine: Future[bytes] = Future()
                self._under_way[key] = mine
        if under_way is not None:
            return under_way.result() or make()
        made = b""
        try:
            made = make()
            self._keep(key, made)
        finally:
            with self._lock:
                del self._under_way[key]
            # Empty where making it failed: then each makes its own, and has its own error.
            mine.set_result(made)
        return made

    def _keep(self, key: Hashable, made: bytes) -> None:
        with self._lock:
            self._bodies[key] = made
            self._n_bytes += len(made)
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= len(self._bodies.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._bodies.clear()
            self._n_bytes = 0

    @property
    def n_bytes(self) -> int:
        """How much is kept."""
        return self._n_bytes
