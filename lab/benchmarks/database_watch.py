"""PostgreSQL while something runs: its own counters, and what its connections wait for."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg

from lab.benchmarks import process_usage

SAMPLE_EVERY_S = 0.05
SETTLE_S = 1.5
ACTIVITY = """
    SELECT pid, state, coalesce(wait_event_type || ': ' || wait_event, 'CPU') FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
"""
COUNTERS = """
    SELECT deadlocks, xact_commit + xact_rollback, active_time / 1000,
    idle_in_transaction_time / 1000, pg_current_wal_lsn() - '0/0'
    FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass
class Watched:
    """What was seen: counters as differences, times in seconds; `waits` counts samples."""

    deadlocks: int = 0
    transactions: int = 0
    active_s: float = 0.0
    in_transaction_s: float = 0.0
    wal_bytes: int = 0
    waits: Counter[str] = field(default_factory=Counter)
    cpu: dict[int, float] = field(default_factory=dict)
    n_connections: int = 0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the connections' processes; 0 where they are on another machine."""
        return sum(self.cpu.values())

    def busiest(self, most: int = 3) -> str:
        """Say what active connections were doing, the most frequent first."""
        total = self.waits.total()
        return ", ".join(f"{name} {n / total:.0%}" for name, n in self.waits.most_common(most))


@contextmanager
def watch(url: str) -> Iterator[Watched]:
    """Watch the database at `url` while the block runs."""
    found, is_over = Watched(), threading.Event()
    before = _counters(url)
    thread = threading.Thread(target=_sample, args=(url, found, is_over))
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()
        # Connections report their counters when they are idle, at most once a second.
        threading.Event().wait(SETTLE_S)
        after = _counters(url)
        values = [now - then for now, then in zip(after, before, strict=True)]
        found.deadlocks, found.transactions = int(values[0]), int(values[1])
        found.active_s, found.in_transaction_s = values[2], values[3]
        found.wal_bytes = int(values[4])


def _counters(url: str) -> list[float]:
    with psycopg.connect(url) as connection:
        row = connection.execute(COUNTERS).fetchone()
    return [float(value) for value in row or ()]


def _sample(url: str, found: Watched, is_over: threading.Event) -> None:
    first: dict[int, float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        while not is_over.wait(SAMPLE_EVERY_S):
            rows = connection.execute(ACTIVITY).fetchall()
            found.waits.update(wait for _, state, wait in rows if state == "active")
            found.n_connections = max(found.n_connections, len(rows))
            for pid, _, _ in rows:
                if (seconds := _cpu(pid)) is not None:
                    found.cpu[pid] = seconds - first.setdefault(pid, seconds)


def _cpu(pid: int) -> float | None:
    """Return the CPU seconds of a connection's process; None on another machine."""
    with suppress(OSError):
        return process_usage.cpu_s(pid) if process_usage.name(pid).startswith("postgres") else None
    return None
