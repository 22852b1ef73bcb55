"""What happens in episodes, handed to all who listen in this process: one task, one thread.

However many listen, the database is asked by one task, a few times a second, on a thread that has
the only connection of all this; each listener has what waits for it and nothing else. Whoever has
just come, or reads too slowly, is told what it has missed from the database, in the same round.
"""

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from generation.selectors import episode_changes as read
from generation.selectors.episode_changes import BatchLines, Changes
from generation.services import episode_changes

logger = logging.getLogger(__name__)

#: How often the database is asked while somebody listens, and while it does not answer.
POLL_S = 0.5
RETRY_POLL_S = 2.0
#: Proxies take a connection for dead on which nothing comes: nginx after 60 s.
HEARTBEAT_S = 15.0
#: How many messages may wait for a listener; the rest is told together, once it has read them.
WAITING_MAX = 32
#: After how long a listener that was cut off comes back, and by how much they differ.
RETRY_MS, RETRY_SPREAD_MS = 1000, 2000

#: An episode (None: all of them), and the last number that a listener to it has heard.
_Place = tuple[int | None, int | None]


class Right(Protocol):
    """What somebody listens by: equal for the same token, or for the same session."""

    def holds(self) -> bool:
        """Tell whether its owner may listen still; asks the database."""

    def __hash__(self) -> int:
        """Return the same for equal ones."""


@dataclass(frozen=True)
class Message:
    """What is sent; whoever has read it has heard all up to a number, where it has one."""

    text: bytes
    number: int | None = None


@dataclass(eq=False)
class Listener:
    """One who listens to an episode, or to all (None), and what waits for it.

    `heard` is None at first.

    `is_behind`: it has missed something, and is told so as soon as it has read what waits.
    """

    user_id: int
    episode_id: int | None
    right: Right
    heard: int | None = None
    is_behind: bool = True
    is_reading: bool = False
    is_over: bool = False
    waiting: deque[Message] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def place(self) -> _Place:
        """What it listens to, and what it has heard."""
        return self.episode_id, self.heard

    @property
    def waits_for_more(self) -> bool:
        """Whether it has read all there was for it, and has missed something."""
        return self.is_behind and not self.waiting and not self.is_reading

    def tell(self, message: Message) -> None:
        """Have something sent; whoever reads too slowly is told later."""
        if len(self.waiting) >= WAITING_MAX:
            self.is_behind = True
        else:
            self.waiting.append(message)
            self.news.set()

    def end(self) -> None:
        """Let it go."""
        self.is_over = True
        self.news.set()


@dataclass(frozen=True)
class _Reading:
    """What one round has read: for each place what is new there, and whose right has ended."""

    last_number: int
    changes: Mapping[_Place, Changes]
    lines: BatchLines
    ended: Collection[Right]


class Feed:
    """All who listen in this process, and the task that hands out what there is."""

    def __init__(self) -> None:
        #: Read by any thread.
        self.n_by_user: Counter[int] = Counter()
        self.is_closed = False
        self._listeners: dict[Listener, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._somebody_comes = asyncio.Event()
        #: All who are not behind have heard what there is up to it, or it waits for them.
        self._heard: int | None = None
        self._is_cut_off = False
        self._beats_at = 0.0

    @property
    def n_listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def close(self) -> None:
        """Let all go, as the process is to end."""
        self.is_closed = True
        for listener in self._listeners:
            listener.end()

    async def messages(self, listener: Listener) -> AsyncIterator[bytes]:
        """Yield what is sent to a listener, until it may not listen any more, or all are let go."""
        self._join(listener)
        try:
            yield f"retry: {RETRY_MS + id(listener) % RETRY_SPREAD_MS}\n\n".encode()
            while not listener.is_over:
                await listener.news.wait()
                listener.news.clear()
                listener.is_reading = True
                while listener.waiting and not listener.is_over:
                    message = listener.waiting.popleft()
                    yield message.text
                    if message.number is not None:
                        listener.heard = message.number
                listener.is_reading = False
        finally:
            self._leave(listener)

    def _join(self, listener: Listener) -> None:
        self._listeners[listener] = None
        self.n_by_user[listener.user_id] += 1
        if self.is_closed:
            listener.end()
        elif self._task is None or self._task.done():
            self._somebody_comes = asyncio.Event()
            self._task = asyncio.create_task(self._run())
        self._somebody_comes.set()

    def _leave(self, listener: Listener) -> None:
        del self._listeners[listener]
        self.n_by_user -= Counter([listener.user_id])

    # The task ------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard, self._beats_at = None, loop.time() + HEARTBEAT_S
        thread = ThreadPoolExecutor(1, thread_name_prefix="events")
        try:
            while self._listeners and not self.is_closed:
                self._somebody_comes.clear()
                await self._round(thread)
                await self._rest()
        finally:
            # Whatever ended it: they come back, and are told what they have missed.
            for listener in self._listeners:
                listener.end()
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

    async def _rest(self) -> None:
        """Wait a little, or until somebody comes."""
        try:
            async with asyncio.timeout(RETRY_POLL_S if self._is_cut_off else POLL_S):
                await self._somebody_comes.wait()
        except TimeoutError:
            return

    async def _round(self, thread: ThreadPoolExecutor) -> None:
        """Read what is new, and tell everybody what concerns it."""
        loop = asyncio.get_running_loop()
        is_beat = loop.time() >= self._beats_at
        told = [each for each in self._listeners if not each.is_behind or each.waits_for_more]
        places = {listener: self._place(listener) for listener in told}
        rights = {each.right for each in self._listeners} if is_beat else set()
        reading: _Reading | None = None
        try:
            reading = await loop.run_in_executor(thread, _read, set(places.values()), rights)
            self._tell(places, reading)
            self._is_cut_off = False
        except (DatabaseError, InterfaceError) as error:
            if not self._is_cut_off:
                logger.warning("listeners are told nothing until the database answers: %s", error)
            self._is_cut_off = True
        if is_beat:
            self._beats_at = loop.time() + HEARTBEAT_S
            self._beat(reading)

    def _place(self, listener: Listener) -> _Place:
        return listener.place if listener.is_behind else (listener.episode_id, self._heard)

    def _tell(self, places: Mapping[Listener, _Place], reading: _Reading) -> None:
        messages = {
            place: _message(changes, reading.lines) for place, changes in reading.changes.items()
        }
        for listener, place in places.items():
            listener.is_behind = False
            if (message := messages[place]) is not None:
                listener.tell(message)
        self._heard = reading.last_number

    def _beat(self, reading: _Reading | None) -> None:
        """Show that the connection lives; let those go who may not listen any more."""
        beat = Message(b":\n\n")
        if reading is not None:
            # An id alone is no event, but where a browser goes on from.
            beat = Message(f"id: {reading.last_number}\n\n".encode(), reading.last_number)
        for listener in self._listeners:
            if reading is not None and listener.right in reading.ended:
                listener.end()
            elif not listener.is_behind:
                listener.tell(beat)


def _read(places: Iterable[_Place], rights: Iterable[Right]) -> _Reading:
    """Ask the database: what is new at these places, and which of these rights have ended."""
    close_old_connections()
    episode_changes.number()
    window = read.window(heard for _, heard in places)
    changes = {
        (episode_id, heard): window.after(heard, episode_id=episode_id)
        for episode_id, heard in places
    }
    rows = (row for each in changes.values() for row in each.rows)
    lines = read.lines({row.batch_id for row in rows if row.batch_id is not None})
    ended = {right for right in rights if not right.holds()}
    return _Reading(window.last_number, changes, lines, ended)


def _message(changes: Changes, lines: BatchLines) -> Message | None:
    """Return what a listener is told of changes; None where there are none."""
    if not changes.is_whole or any(row.is_everything for row in changes.rows):
        return _event("reset", changes.last_number, "{}")
    if not changes.rows:
        return None
    document = json.dumps(lines.document(changes.rows), separators=(",", ":"))
    return _event("changed", changes.last_number, document)


def _event(name: str, number: int, document: str) -> Message:
    return Message(f"id: {number}\nevent: {name}\ndata: {document}\n\n".encode(), number)


#: That of this process.
FEED = Feed()
