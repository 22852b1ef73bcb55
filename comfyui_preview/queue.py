"""The one queue of a preview server: what waits, what runs, and the history of what has ended."""

import copy
import heapq
import threading
from collections.abc import Callable
from typing import Any, TypedDict

Graph = dict[str, dict[str, Any]]
# [number, prompt id, graph, extra data, ids of the output nodes to run]; compared as a tuple, so
# that two items with the same number and id cannot be compared, as on a real server
Item = tuple[float, str, Graph, dict[str, Any], list[str]]

HISTORY_CAPACITY = 10_000


class Status(TypedDict):
    """How a prompt ended: the last message that is terminal says it."""

    status_str: str
    completed: bool
    messages: list[tuple[str, dict[str, Any]]]


class HistoryEntry(TypedDict):
    """What GET /history/{id} holds for one prompt. Source: protocol §5."""

    prompt: Item
    outputs: dict[str, Any]
    status: Status
    meta: dict[str, Any]


class PromptQueue:
    """Heap by (number, id), at most one running item, and the history, behind one lock.

    `changed` is called after each change, as the sockets are told the number that remains.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Condition(threading.RLock())
        self._heap: list[Any] = []
        self._running: Item | None = None
        self._history: dict[str, HistoryEntry] = {}
        self._number = 0

    def next_number(self) -> int:
        """The counter's value, and advance it; refused prompts advance it too."""
        with self._lock:
            number, self._number = self._number, self._number + 1
            return number

    def put(self, item: Item) -> None:
        """Queue a prompt. Raises TypeError when the same number and id wait already."""
        with self._lock:
            heapq.heappush(self._heap, item)
            self._changed()
            self._lock.notify()

    def get(self, timeout_s: float, is_dead: Callable[[], bool]) -> Item | None:
        """The next prompt, which is the running one from now on.

        None when none came in time, or when who asks turns out to be dead.
        """
        with self._lock:
            if not self._heap:
                self._lock.wait(timeout_s)
            if not self._heap or is_dead():
                return None
            item: Item = heapq.heappop(self._heap)
            # what runs may write into its graph; what is shown stays as it was sent
            self._running = copy.deepcopy(item)
            self._changed()
            return item

    def wake(self) -> None:
        """Let who waits for a prompt look again, as the server stops."""
        with self._lock:
            self._lock.notify_all()

    def finish(self, entry: HistoryEntry | None) -> None:
        """The running prompt has ended: move it to the history, or drop it when None."""
        with self._lock:
            if self._running is not None and entry is not None:
                entry["prompt"] = self._running
                self._history.pop(self._running[1], None)
                self._history[self._running[1]] = entry
            while len(self._history) > HISTORY_CAPACITY:
                del self._history[next(iter(self._history))]
            self._running = None
            self._changed()

    def delete(self, prompt_id: str) -> bool:
        """Take one waiting prompt out; False when none of this id waits."""
        with self._lock:
            place = next((i for i, item in enumerate(self._heap) if item[1] == prompt_id), None)
            if place is None:
                return False
            del self._heap[place]
            heapq.heapify(self._heap)
            if not self._heap:
                # a real server tells twice when the last waiting prompt goes
                self._changed()
            self._changed()
            return True

    def clear(self) -> None:
        """Take all waiting prompts out."""
        with self._lock:
            self._heap.clear()
            self._changed()

    def forget_everything(self) -> None:
        """What a restart does: nothing waits, nothing runs, no history, numbers from 0."""
        with self._lock:
            self._heap.clear()
            self._history.clear()
            self._running = None
            self._number = 0

    def remaining(self) -> int:
        """How many prompts wait or run."""
        with self._lock:
            return len(self._heap) + (self._running is not None)

    def running(self) -> list[Item]:
        """The running item, or nothing."""
        with self._lock:
            return [] if self._running is None else [self._running]

    def pending(self) -> list[Item]:
        """The waiting items in the heap's own order, which is not the order of execution."""
        with self._lock:
            return list(self._heap)

    def history(self, max_items: int | None = None, offset: int = -1) -> dict[str, HistoryEntry]:
        """The history, oldest first. `max_items` alone: the newest. Source: protocol §5."""
        with self._lock:
            ids = list(self._history)
            if offset < 0 and max_items is not None:
                offset = max(0, len(ids) - max_items)
            start = max(0, offset)
            chosen = ids[start:] if max_items is None else ids[start : start + max_items]
            return {prompt_id: self._history[prompt_id] for prompt_id in chosen}

    def entry(self, prompt_id: str) -> HistoryEntry | None:
        """The history entry of one prompt; None while unknown or not finished."""
        with self._lock:
            return self._history.get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        """Take one entry out of the history, if it is there."""
        with self._lock:
            self._history.pop(prompt_id, None)

    def forget_history(self) -> None:
        """Empty the history."""
        with self._lock:
            self._history.clear()
