"""django-q2's cluster as it needs to be run: a stop that ends, no orphans, and a watchdog.

Facts, measurements and reasons: docs/operations.md.
"""

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress
from time import monotonic
from types import FrameType
from typing import Any

from django_q.cluster import Cluster
from django_q.conf import Conf
from django_q.status import Stat, Status

# What the workers run is loaded before they are forked, not by the first plan that each drives.
from generation import driver  # noqa: F401
from generation.queueing import broker_error

#: A signal to the whole process group ends the sentinel too: it gets this long to be gone.
SETTLE_S = 0.3
#: Drivers leave within seconds, or when a call that is under way has had its time.
STOP_S = 20.0
PR_SET_PDEATHSIG = 1


class WorkCluster(Cluster):  # type: ignore[misc]
    """A cluster whose signal handler only takes a note: the main loop does the stopping.

    Stopping inside the handler deadlocks when a signal reaches the whole process group.
    """

    def __init__(self, n_workers: int) -> None:
        Conf.WORKERS = n_workers
        self.is_told_to_stop = False
        super().__init__()

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Note that the cluster is to stop."""
        self.is_told_to_stop = True

    def start(self) -> int:
        """Start the sentinel, which starts the rest; none of them outlives the one before."""
        _tie_children()
        # What is there stays: no child's garbage collector walks, and so copies, it.
        gc.collect()
        gc.freeze()
        return int(super().start())

    def stop(self) -> bool:
        """Stop all processes and wait for them; True when they stopped by themselves.

        Telling a sentinel that dies this moment would wait for ever, as would waiting for workers
        that are stuck.
        """
        self.sentinel.join(SETTLE_S)
        if not self.sentinel.is_alive():
            return False
        self.stop_event.set()
        self.sentinel.join(STOP_S)
        if self.sentinel.is_alive():
            self.kill()
            return False
        return True

    @property
    def status(self) -> Status:
        """What the sentinel wrote last about its processes; nothing while Redis is out of order."""
        try:
            return Stat.get(pid=self.pid, cluster_id=self.cluster_id)
        except broker_error():
            return Status(pid=self.pid, cluster_id=self.cluster_id)

    def kill(self) -> None:
        """End every process of this cluster at once, by its id."""
        status: Any = self.status
        pids = [self.sentinel.pid, *status.workers, status.monitor, status.pusher]
        ours = [pid for pid in pids if pid and _is_descendant(pid, os.getpid())]
        for pid in ours:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sentinel.join(SETTLE_S)


class _Forker:
    pid = 0


def _tie_children() -> None:
    """Have every process forked from now on end when the one that forked it does (Linux only).

    What a killed main process or sentinel leaves behind would go on taking tasks, unguarded.
    """
    if sys.platform != "linux" or _Forker.pid:
        return
    prctl = ctypes.CDLL(None).prctl

    def note() -> None:
        _Forker.pid = os.getpid()

    def follow() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != _Forker.pid:
            os._exit(1)

    note()
    os.register_at_fork(before=note, after_in_child=follow)


def _is_descendant(pid: int, ancestor: int) -> bool:
    """Tell whether a process is a child or grandchild of another (Linux); else trust the status."""
    for _ in range(4):
        if pid == ancestor:
            return True
        try:
            with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - no file of ours
                pid = int(stat.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return False
    return False


class Watchdog:
    """Notices a cluster that has stopped taking work.

    A worker killed while it waits for work takes the queue's lock with it, and a killed monitor
    that of the results: then tasks lie in memory for good, and nothing else shows it.
    """

    def __init__(self, cluster: WorkCluster, patience_s: float) -> None:
        self._cluster = cluster
        self._patience_s = patience_s
        self._stuck_since: float | None = None

    def complaint(self, n_busy: int) -> str:
        """Return what is wrong with the cluster, or nothing; `n_busy` of its workers drive."""
        if not self._cluster.sentinel.is_alive():
            return "its sentinel has died"
        status: Any = self._cluster.status
        waits = status.task_q_size > 0 and n_busy < Conf.WORKERS
        if not (waits or status.done_q_size > 0):
            self._stuck_since = None
            return ""
        now = monotonic()
        self._stuck_since = self._stuck_since or now
        if now - self._stuck_since < self._patience_s:
            return ""
        return f"its workers have taken nothing for {self._patience_s:.0f} s"
