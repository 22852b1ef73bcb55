"""Interruptions: asked for by the web part, obeyed by the worker at node starts and steps."""

import threading


class Interrupted(Exception):
    """The running prompt was interrupted."""


class Vanished(Exception):
    """The server forgot everything while a prompt ran: it ends without a message or history."""


class Interrupts:
    """A flag that the next look of the running prompt obeys; one set while idle is lost."""

    def __init__(self) -> None:
        self._interrupt = threading.Event()
        self._vanished = threading.Event()

    def request(self) -> None:
        """Ask the running prompt to stop."""
        self._interrupt.set()

    def vanish(self) -> None:
        """Let the running prompt end as if the process had been killed."""
        self._vanished.set()
        self._interrupt.set()

    def reset(self) -> None:
        """A prompt starts: what was asked before does not concern it."""
        self._vanished.clear()
        self._interrupt.clear()

    def check(self) -> None:
        """Raises Interrupted or Vanished when that was asked."""
        if self._vanished.is_set():
            raise Vanished
        if self._interrupt.is_set():
            self._interrupt.clear()
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Sleep, unless asked to stop; raises as check does."""
        if seconds > 0:
            self._interrupt.wait(seconds)
        self.check()

    def gone(self) -> bool:
        """Whether the running prompt is to leave no trace."""
        return self._vanished.is_set()

    def sleep_deaf(self, seconds: float) -> None:
        """Sleep, whatever interrupt is asked for; only a restart ends it."""
        self._vanished.wait(seconds)
