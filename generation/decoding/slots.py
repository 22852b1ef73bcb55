"""Taking turns: how many may decode at once, how many may wait for it, and for how long."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Condition
from time import monotonic, sleep

from generation.errors import Busy

#: What takes longer than this holds up whoever waits behind it.
HELD_UP_S = 1.0
_LOOK_S = 0.05


class Slots:
    """So many at once in this process; the others wait, but few where it takes long."""

    def __init__(
        self, n_at_once: int, *, n_waiting: int, wait_s: float, held_up_s: float = HELD_UP_S
    ) -> None:
        self._n_at_once = n_at_once
        self._n_waiting_most = n_waiting
        self._wait_s = wait_s
        self._held_up_s = held_up_s
        self._changed = Condition()
        self._begun: list[float] = []
        self._n_waiting = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have a turn.

        Raises:
            Busy: too many wait already, or it took too long.
        """
        began = self._begin()
        try:
            yield
        finally:
            with self._changed:
                self._begun.remove(began)
                self._changed.notify()

    def _begin(self) -> float:
        with self._changed:
            if self._is_held_up() and self._n_waiting >= self._n_waiting_most:
                raise Busy
            self._n_waiting += 1
            try:
                if not self._changed.wait_for(self._is_free, self._wait_s):
                    raise Busy
            finally:
                self._n_waiting -= 1
            began = monotonic()
            self._begun.append(began)
            return began

    def _is_free(self) -> bool:
        return len(self._begun) < self._n_at_once

    def _is_held_up(self) -> bool:
        return not self._is_free() and monotonic() - min(self._begun) >= self._held_up_s


@contextmanager
def alone_on_this_machine(file: Path, *, wait_s: float) -> Iterator[None]:
    """Hold a lock that no other process has meanwhile; the kernel gives it back for who dies.

    Where no file can be locked, this process' own turns have to do.

    Raises:
        Busy: others had it all the time.
    """
    with ExitStack() as stack:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            yield
            return
        stack.callback(os.close, descriptor)
        deadline = monotonic() + wait_s
        while not _try_to_lock(descriptor):
            if monotonic() > deadline:
                raise Busy
            sleep(_LOOK_S)
        yield


def _try_to_lock(descriptor: int) -> bool:
    """Take the lock; False while another process has it. What cannot be locked counts as taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
