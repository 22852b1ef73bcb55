"""One child process that decodes, as whoever asks it sees it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import IO

from generation.decoding import child_protocol
from generation.decoding.child_protocol import ChildAnswer, DecodingJob
from generation.errors import MadseaError

_ROOT = Path(__file__).resolve().parents[2]
_PIECE_BYTES = 2**18


class ChildEnded(MadseaError):
    """The child process has ended, or was ended, without an answer."""

    def __init__(self, *, is_overrun: bool = False) -> None:
        self.is_overrun = is_overrun  #: it took more time than its job may
        super().__init__()


class Process:
    """A child process; whatever goes wrong, it is ended, and of no more use."""

    def __init__(self) -> None:
        # Nothing else of our environment: it holds secrets, and this reads what anybody has sent.
        where = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "generation.decoding.child_main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            cwd=_ROOT,
            env=where,
        )
        self._in, self._out = (_descriptor(pipe) for pipe in self._pipes())
        self.pid = self._child.pid

    def is_alive(self) -> bool:
        """Tell whether it is still there."""
        return self._child.poll() is None

    def ask(self, job: DecodingJob, content: bytes, *, timeout_s: float) -> ChildAnswer:
        """Have a job done.

        Raises:
            Ended: it has ended meanwhile, or did not answer within the time.
        """
        deadline = monotonic() + timeout_s
        try:
            for piece in child_protocol.request(job, content):
                self._send(piece, deadline)
            return self._receive(deadline)
        except TimeoutError:
            self.end()
            raise ChildEnded(is_overrun=True) from None
        except (OSError, EOFError):
            raise ChildEnded(is_overrun=self.end() == -signal.SIGPROF) from None
        except BaseException:
            self.end()
            raise

    def end(self) -> int:
        """End it, if it has not ended, and return with which code; a signal's is negative."""
        for pipe in self._pipes():
            pipe.close()
        try:
            # Its pipe's end has ended it, or its own limits have.
            return self._child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()

    def forget(self) -> None:
        """Close the pipes of a child that is another process' own."""
        for pipe in self._pipes():
            pipe.close()
        self._child.returncode = 0

    def _pipes(self) -> list[IO[bytes]]:
        return [pipe for pipe in (self._child.stdin, self._child.stdout) if pipe is not None]

    def _send(self, content: bytes, deadline: float) -> None:
        left = memoryview(content)
        while left:
            _wait(self._in, select.POLLOUT, deadline)
            left = left[os.write(self._in, left[:_PIECE_BYTES]) :]

    def _receive(self, deadline: float) -> ChildAnswer:
        held = bytearray()
        pieces = self._pieces(deadline)
        while b"\n" not in held:
            held += next(pieces)
        line, _, body = held.partition(b"\n")
        fields = json.loads(line)
        while len(body) < fields["n_bytes"]:
            body += next(pieces)
        return ChildAnswer(fields, bytes(body))

    def _pieces(self, deadline: float) -> Iterator[bytes]:
        while True:
            _wait(self._out, select.POLLIN, deadline)
            piece = os.read(self._out, _PIECE_BYTES)
            if not piece:
                raise EOFError
            yield piece


def _descriptor(pipe: IO[bytes]) -> int:
    os.set_blocking(pipe.fileno(), False)
    return pipe.fileno()


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Wait until a pipe can be used, or has ended."""
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - monotonic()) * 1000):
        raise TimeoutError
