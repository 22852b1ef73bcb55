"""Asking many servers at once: a thread for each, the database left to whoever asks.

A server that keeps its thread waiting holds up nobody: nothing is waited for longer than the asker
has time, and what is still under way is not asked a second time.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
#: Asks one server; it runs in a thread, so it may not touch the database.
Question = Callable[[], Answer]


class Asking(Generic[Answer]):
    """One kind of question to many servers, by address; used by one thread at a time."""

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._answers: SimpleQueue[tuple[str, Answer | None]] = SimpleQueue()

    @property
    def under_way(self) -> Collection[str]:
        """The addresses that an answer is still to come from."""
        return frozenset(self._under_way)

    def start(self, url: str, question: Question[Answer]) -> None:
        """Ask a server, unless it is being asked already."""
        if url in self._under_way:
            return
        self._under_way.add(url)
        # A daemon: a process that is to end does not wait for servers.
        threading.Thread(target=self._run, args=[url, question], name=url, daemon=True).start()

    def answers(self, within_s: float) -> Iterator[tuple[str, Answer | None]]:
        """Yield the answers as they come, until all are there or the time is over.

        None is the answer of a question that failed by a mistake of ours.
        """
        ends_at = monotonic() + within_s
        while self._under_way:
            try:
                url, answer = self._answers.get(timeout=max(0.0, ends_at - monotonic()))
            except Empty:
                return
            self._under_way.discard(url)
            yield url, answer

    def ask(
        self, questions: Mapping[str, Question[Answer]], within_s: float
    ) -> Iterator[tuple[str, Answer | None]]:
        """Ask servers all at once and yield each answer as it comes; None for those without one.

        An answer that was late the last time is dropped: it says how the server was.
        """
        for _ in self.answers(0):
            pass
        for url, question in questions.items():
            self.start(url, question)
        silent = set(questions)
        for url, answer in self.answers(within_s):
            if url in silent:
                silent.discard(url)
                yield url, answer
        for url in silent:
            yield url, None

    def _run(self, url: str, question: Question[Answer]) -> None:
        answer = None
        try:
            answer = question()
        finally:
            self._answers.put((url, answer))
