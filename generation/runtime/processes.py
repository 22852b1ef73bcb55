"""Processes that belong together: one set of them per home, each ended by its own id."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.1


class HomeInUseError(Exception):
    """Another Madsea runs with the same home."""


class NotReadyError(Exception):
    """A process ended, or did not answer in time."""


def claim_home(home: Path) -> int:
    """Reserve a home for this process and those it becomes; return the open lock.

    Two sets of workers on two preview servers would take each other's plans.

    Raises:
        HomeInUseError: somebody has it.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "running.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        text = f"Madsea runs already with {home}: stop it first, or set MADSEA_HOME to another."
        raise HomeInUseError(text) from None
    os.set_inheritable(descriptor, True)
    return descriptor


def free_port(preferred: int) -> int:
    """Return the preferred port if nobody listens there, else one that the system chooses."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def why_not_free(host: str, port: int) -> str:
    """Return why nothing can listen at a host's port, or nothing where it can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or "it is no host's name"
    return ""


class Leaders:
    """Processes that this one is to end with, however they end; none: it stands alone."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._poll = select.poll()
        self._unwatched: list[int] = []
        for pid in pids:
            self._watch(pid)

    def wait_for_an_end(self, wait_s: float = 0) -> bool:
        """Tell whether one of them has ended, or does so while we wait."""
        if any(not _exists(pid) for pid in self._unwatched):
            return True
        return bool(self._poll.poll(1000 * wait_s))

    def _watch(self, pid: int) -> None:
        # The system tells it at once, of a process that nobody has waited for yet too (Linux).
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._poll.register(os.pidfd_open(pid), select.POLLIN)
                return
        self._unwatched.append(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_with(pids: Sequence[int]) -> None:
    """Have this process get SIGTERM as soon as one of these processes has ended."""

    def follow() -> None:
        leaders = Leaders(pids)
        while not leaders.wait_for_an_end(wait_s=1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    if pids:
        threading.Thread(target=follow, name="end-with", daemon=True).start()


class CompanionProcess:
    """A command of Madsea's beside this process: begun again when it ends, and ended with it.

    It gets what the others leave of the machine's cores.
    """

    PRIORITY = 19
    #: One that ends at once is not begun again at once.
    PAUSE_S = 5.0
    STOP_S = 5.0

    def __init__(self, *command: str) -> None:
        self._command = [sys.executable, str(ROOT / "manage.py"), *command]
        self._process: subprocess.Popen[bytes] | None = None
        self._begins_at = 0.0

    def keep(self, leaders: Sequence[int]) -> None:
        """Begin it if it does not run; `leaders` are processes that it is to end with as well."""
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() < self._begins_at:
            return
        self._begins_at = time.monotonic() + self.PAUSE_S
        ends_with = ",".join(map(str, [*leaders, os.getpid()]))
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            cwd=ROOT,
            env=os.environ | {"MADSEA_ENDS_WITH": ends_with},
            stdin=subprocess.DEVNULL,
        )
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, self.PRIORITY)

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self.STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class Started:
    """A process in a session of its own, and the file that it writes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def leave_on_sigterm() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that everything is stopped on the way out.

    So does SIGHUP, of a terminal that is closed.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def start_python(
    name: str, command: Sequence[str], *, env: Mapping[str, str], logs: Path
) -> Started:
    """Start a Python program of the project in the background; its output goes to a file."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with open(log, "wb", opener=_privately) as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            [sys.executable, *command],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Started(name, process, log)


def _privately(path: str, flags: int) -> int:
    # What was asked of Madsea, and by whom, is nobody else's.
    return os.open(path, flags, 0o600)


def wait_until(ready: Callable[[], bool], started: Sequence[Started], timeout_s: float) -> None:
    """Wait until `ready` says so.

    Raises:
        NotReadyError: one of the processes ended, or the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        check_alive(started)
        if time.monotonic() > deadline:
            logs = ", ".join(str(child.log) for child in started)
            raise NotReadyError(f"Not ready after {timeout_s:.0f} s. Logs: {logs or 'none'}.")
        time.sleep(POLL_S)


def check_alive(started: Sequence[Started]) -> None:
    """Check that all the processes still run.

    Raises:
        NotReadyError: one ended.
    """
    for child in started:
        if child.process.poll() is not None:
            tail = child.log.read_text(errors="replace")[-2000:]
            raise NotReadyError(f"{child.name} ended with {child.process.returncode}:\n{tail}")


def stop(started: Sequence[Started], timeout_s: float = 10) -> None:
    """Ask the processes to end, in the order given, and end what is left of them."""
    for child in started:
        if child.process.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + timeout_s
    for child in started:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        _end_session(child.process.pid)


def _end_session(pid: int) -> None:
    # What a process has left behind is in the group that it led.
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
