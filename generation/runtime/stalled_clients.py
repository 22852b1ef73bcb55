"""What uvicorn does not do: a connection on which nothing gets on is closed.

Uvicorn waits for ever for the end of a request's head, and for a client that does not read; and it
unpacks a body of a million chunks of one byte in one go. (Bodies have their bounds of size and time
where they are read, `madsea.web.request_bodies`.)
"""

import asyncio
import weakref
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: A head comes in one piece, or soon.
HEAD_S = 10.0
#: Connections whose head is not there yet; one more, and the one that waits longest is closed.
UNFINISHED_MAX = 500
#: A client reads at least WRITE_BYTES of its answer in WRITE_S, or its connection is closed.
WRITE_S = 30.0
WRITE_BYTES = 64 * 2**10
#: What is read at once: the event loop has its turn between, and the bounds of bodies theirs.
READ_BYTES = 16 * 2**10
#: The most pieces of a body, and one more for each PIECE_BYTES: each costs time to unpack.
PIECES_MAX = 1024
PIECE_BYTES = 64


class CountingConnection(h11.Connection):
    """h11's, counting in how many pieces a request's body has come."""

    n_pieces = 0
    n_bytes = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Data):
            self.n_pieces += 1
            self.n_bytes += len(event.data)
        return event

    def start_next_cycle(self) -> None:
        super().start_next_cycle()
        self.n_pieces = self.n_bytes = 0

    def is_in_crumbs(self) -> bool:
        """Tell whether the pieces are so small that unpacking them is all that they are for."""
        return self.n_pieces > PIECES_MAX + self.n_bytes // PIECE_BYTES


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to its patience."""

    #: In the order in which they began to wait.
    _unfinished: "dict[int, weakref.ref[ImpatientProtocol]]" = {}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = self._counting = CountingConnection(h11.SERVER)
        self._head_is_due: asyncio.TimerHandle | None = None
        self._progress_is_due: asyncio.TimerHandle | None = None
        self._n_unsent = 0

    # The head ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        vars(transport)["max_size"] = READ_BYTES
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._counting.is_in_crumbs():
            self._give_up()
        elif self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_is_due is None and self.timeout_keep_alive_task is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if len(self._unfinished) >= UNFINISHED_MAX:
            self._close_oldest()
        self._unfinished[id(self)] = weakref.ref(self)
        self._head_is_due = self.loop.call_later(HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        self._unfinished.pop(id(self), None)
        if self._head_is_due is not None:
            self._head_is_due.cancel()
            self._head_is_due = None

    def _close_oldest(self) -> None:
        oldest = self._unfinished.pop(next(iter(self._unfinished)))()
        if oldest is not None:
            oldest._give_up()  # noqa: SLF001 - another of this class

    def _give_up(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    # The answer ----------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress()

    def resume_writing(self) -> None:
        if self._progress_is_due is not None:
            self._progress_is_due.cancel()
            self._progress_is_due = None
        super().resume_writing()

    def _expect_progress(self) -> None:
        self._n_unsent = self.transport.get_write_buffer_size()
        self._progress_is_due = self.loop.call_later(WRITE_S, self._look_at_progress)

    def _look_at_progress(self) -> None:
        if self._n_unsent - self.transport.get_write_buffer_size() < WRITE_BYTES:
            self.transport.abort()
        else:
            self._expect_progress()
