"""Stopping the workers, and what becomes of the rest when one of their processes is killed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance import wholeness
from tests.processes import Site, alive, children, sentinels, wait_for

pytestmark = pytest.mark.slow

PLANS = ("0010", "0020", "0030", "0040", "0050", "0060")
ADOPTED = "SELECT count(*) FROM generation_logentry WHERE event = 'adopted'"
RUNNING = "SELECT count(*) FROM generation_attempt WHERE outcome = 'open'"


def in_the_middle(slow_site: Site) -> Callable[[], bool]:
    """Tell when a plan is done, and two are on the server."""

    def is_there() -> bool:
        done = slow_site.value("SELECT count(*) FROM generation_planrun WHERE state = 'done'")
        return bool(done) and bool(slow_site.value(RUNNING) == 2)

    return is_there


@pytest.mark.parametrize(
    "end", [os.kill, pytest.param(os.killpg, marks=pytest.mark.soak)], ids=["main", "group"]
)
def test_sigterm_ends_the_workers_and_the_next_ones_go_on(
    slow_site: Site, end: Callable[[int, int], None]
) -> None:
    work = slow_site.work()
    slow_site.generate(PLANS)
    wait_for(in_the_middle(slow_site), name="the middle of the batch")

    end(work.process.pid, signal.SIGTERM)
    code = work.process.wait(120)
    wait_for(lambda: alive(work.process.pid) == [], name="the end of all")
    left = slow_site.value(RUNNING)
    slow_site.work()

    slow_site.wait_done()
    # It has waited for no render: the next ones found them.
    assert (code, left) == (0, 2)
    assert slow_site.value(ADOPTED) >= 1
    assert wholeness.faults(slow_site, n_plans=6) == []


def sentinel_of(main: int) -> int:
    """Return the process that guards the workers."""
    (sentinel,) = sentinels(main)
    return sentinel


def itself(main: int) -> int:
    """Return the main process."""
    return main


@pytest.mark.parametrize(
    "victim", [itself, pytest.param(sentinel_of, marks=pytest.mark.soak)], ids=["main", "sentinel"]
)
def test_orphans_leave_by_themselves_and_other_workers_take_over(
    slow_site: Site, victim: Callable[[int], int]
) -> None:
    work = slow_site.work()
    slow_site.generate(PLANS)
    wait_for(in_the_middle(slow_site), name="the middle of the batch")

    os.kill(victim(work.process.pid), signal.SIGKILL)
    work.process.wait(120)
    wait_for(lambda: alive(work.process.pid) == [], 60, "the end of the orphans")
    slow_site.work()

    slow_site.wait_done()
    assert work.process.returncode != 0
    assert wholeness.faults(slow_site, n_plans=6) == []


def test_a_frozen_driver_that_thaws_writes_nothing(slow_site: Site) -> None:
    slow_site.work()
    slow_site.generate(PLANS)
    wait_for(in_the_middle(slow_site), name="the middle of the batch")

    driver = int(slow_site.value("SELECT lease_owner FROM generation_server").rpartition(":")[2])
    os.kill(driver, signal.SIGSTOP)
    slow_site.wait_done()
    os.kill(driver, signal.SIGCONT)
    time.sleep(2)

    assert wholeness.faults(slow_site, n_plans=6) == []
    wait_for(lambda: wholeness.staged(slow_site) == [], name="an empty staging folder")


def test_the_watchdog_ends_a_tree_whose_workers_are_stuck(slow_site: Site) -> None:
    work = slow_site.work()
    kill_idle_until_stuck(slow_site, work.process.pid)

    slow_site.generate(PLANS)
    code = work.process.wait(120)
    wait_for(lambda: alive(work.process.pid) == [], 60, "the end of all")
    slow_site.work()

    slow_site.wait_done()
    assert code == 1
    assert wholeness.faults(slow_site, n_plans=6) == []


@pytest.mark.soak
def test_a_stuck_tree_begins_anew_when_it_may(slow_site: Site) -> None:
    work = slow_site.work("--restart")
    kill_idle_until_stuck(slow_site, work.process.pid)

    slow_site.generate(PLANS)

    slow_site.wait_done()
    assert work.process.poll() is None
    assert wholeness.faults(slow_site, n_plans=6) == []


def kill_idle_until_stuck(slow_site: Site, main: int) -> None:
    """Kill the idle worker that holds the lock of the queue: the one that reads its pipe."""
    wait_for(lambda: len(sentinels(main)) == 1 and len(children(sentinel_of(main))) == 5)
    reader = wait_for(lambda: waiting_for_a_task(sentinel_of(main)), 60, "a worker that waits")
    os.kill(reader[0], signal.SIGKILL)


def waiting_for_a_task(sentinel: int) -> list[int]:
    """Return the workers that wait in the read of a pipe; the others wait for the lock."""
    return [pid for pid in children(sentinel)[:3] if wchan(pid).startswith(("pipe", "anon_pipe"))]


def wchan(pid: int) -> str:
    """Return where in the kernel a process waits."""
    return Path(f"/proc/{pid}/wchan").read_text()
