"""Small pictures are made beside the workers: by a process of low priority that comes back."""

import os
import signal

import pytest

from tests.processes import Site, alive, companions, wait_for

pytestmark = pytest.mark.slow

PENDING = "SELECT count(*) FROM generation_version WHERE derived <> 'made'"


def companion_of(main: int) -> int:
    """Return the process that makes small pictures, once it runs."""
    (found,) = wait_for(lambda: companions(main), 60, "the process that makes small pictures")
    return int(found)


def test_what_is_published_has_its_small_pictures_soon(site: Site) -> None:
    site.work()
    site.generate(["0010", "0020"])
    site.wait_done()

    wait_for(lambda: site.value(PENDING) == 0, name="the small pictures")
    made = list((site.projects / ".derived").rglob("*.webp"))
    n_files = site.value("SELECT count(DISTINCT sha256) FROM generation_version")
    assert len(made) == 4 * n_files


def test_whoever_kills_it_has_it_back_and_it_ends_with_the_workers(site: Site) -> None:
    work = site.work()
    main = work.process.pid
    first = companion_of(main)
    wait_for(lambda: site.value(PENDING) == 0, name="the pictures of the panels")

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: companions(main) not in ([], [first]), 60, "another one")
    site.generate(["0010"])
    site.wait_done()
    wait_for(lambda: site.value(PENDING) == 0, name="the small pictures")
    priority = os.getpriority(os.PRIO_PROCESS, companion_of(main))
    os.kill(main, signal.SIGKILL)
    work.process.wait(60)

    wait_for(lambda: alive(main) == [], 60, "the end of all")
    assert priority == 19
