"""The children of one process that decode: started when they are needed, used again, let go."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Timer
from time import monotonic
from typing import Any

from generation.decoding.child_process import ChildEnded, Process
from generation.decoding.child_protocol import ChildAnswer, DecodingJob
from generation.decoding.slots import Slots, alone_on_this_machine
from generation.errors import Busy
from generation.examined_images import UnreadableImage

IDLE_S = 60.0
#: What a busy machine may take for a second of computing.
_WALL_FACTOR = 4
#: Shorter than a proxy waits for an answer.
_SMALL_WAIT_S, _LARGE_WAIT_S = 10.0, 45.0
_SMALL_WAITING, _LARGE_WAITING = 1, 3


@dataclass(frozen=True)
class DecodingLimits:
    """What decoding an image may take; by the file `lock` a machine's processes take turns."""

    memory_bytes: int
    cpu_s: float
    max_pixels: int
    lock: Path


@dataclass(frozen=True)
class _Idle:
    process: Process
    since: float


class Pool:
    """Decodes in children; a child that overruns its limits is ended, and another takes its place.

    What is large is decoded alone on its machine, by whichever process: that bounds the memory.
    """

    def __init__(self, n_processes: int) -> None:
        self._slots = Slots(n_processes, n_waiting=_SMALL_WAITING, wait_s=_SMALL_WAIT_S)
        self._large = Slots(1, n_waiting=_LARGE_WAITING, wait_s=_LARGE_WAIT_S)
        self._idle: list[_Idle] = []
        self._lock = Lock()
        self._sweep: Timer | None = None

    def ask(
        self, content: bytes, limits: DecodingLimits, *, is_large: bool, **asked: Any
    ) -> ChildAnswer:
        """Have an image examined, or made small where widths are given.

        `asked` are fields of the Job.

        Raises:
            UnreadableImage: it is none that can be used, or costs too much to decode.
            Busy: others are decoded, and that takes long; or no child can be started.
        """
        memory_bytes = limits.memory_bytes if is_large else limits.memory_bytes // 4
        job = DecodingJob(limits.max_pixels, memory_bytes, limits.cpu_s, **asked)
        if not is_large:
            return self._asked(job, content)
        with self._large.one(), alone_on_this_machine(limits.lock, wait_s=_LARGE_WAIT_S):
            return self._asked(job, content)

    def _asked(self, job: DecodingJob, content: bytes) -> ChildAnswer:
        with self._slots.one():
            answer = self._answer(job, content)
        answer.raise_refusal()
        return answer

    def _answer(self, job: DecodingJob, content: bytes) -> ChildAnswer:
        """Ask twice at most: a child may be ended by anybody, and by an image again."""
        try:
            return self._answer_once(job, content)
        except ChildEnded as error:
            _refuse_overrun(error, job)
        try:
            return self._answer_once(job, content)
        except ChildEnded as error:
            _refuse_overrun(error, job)
        detail = "The image ends whatever decodes it: it is damaged, or made to do so."
        raise UnreadableImage("too_costly", detail)

    def _answer_once(self, job: DecodingJob, content: bytes) -> ChildAnswer:
        with self._process() as process:
            return process.ask(job, content, timeout_s=job.cpu_s * _WALL_FACTOR)

    @contextmanager
    def _process(self) -> Iterator[Process]:
        process = self._take_idle() or _started()
        yield process
        # Whatever was raised has ended it.
        with self._lock:
            self._idle.append(_Idle(process, monotonic()))
            if self._sweep is None:
                self._sweep_later()

    def _take_idle(self) -> Process | None:
        with self._lock:
            while self._idle:
                process = self._idle.pop().process
                if process.is_alive():
                    return process
                process.end()
        return None

    def _sweep_later(self) -> None:
        self._sweep = Timer(IDLE_S, self.let_go, kwargs={"idle_s": IDLE_S})
        self._sweep.daemon = True
        self._sweep.start()

    def warm_up(self) -> None:
        """Have a child ready before there is an image to decode."""
        with suppress(Busy), self._process():
            """It starts beside us, and is idle from now on."""

    def let_go(self, *, idle_s: float = 0.0) -> None:
        """End the children that have been idle for so long."""
        now = monotonic()
        with self._lock:
            old = [child for child in self._idle if now - child.since >= idle_s]
            self._idle = [child for child in self._idle if now - child.since < idle_s]
            self._sweep = None
            if self._idle:
                self._sweep_later()
        for child in old:
            child.process.end()

    def forget(self) -> None:
        """Close what a forked process has inherited: the children are its parent's."""
        for child in self._idle:
            child.process.forget()
        self._idle = []


def _started() -> Process:
    try:
        return Process()
    except OSError as error:
        raise Busy(f"No process can be started to decode it: {error.strerror}.") from error


def _refuse_overrun(error: ChildEnded, job: DecodingJob) -> None:
    if error.is_overrun:
        detail = f"Decoding it takes more than {job.cpu_s:g} s of computing."
        raise UnreadableImage("too_costly", detail) from None
