"""Broker and database go away in the middle of a batch, and come back."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.ports import own_port
from tests.processes import DATABASE_URL, Redis, Site, Sites, request, sentinels, wait_for

pytestmark = pytest.mark.slow

NO_REDIS = "Redis (REDIS_URL) cannot be used"
N_DONE = "SELECT count(*) FROM generation_planrun WHERE state = 'done'"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server of this test's own."""
    server = Redis(tmp_path, own_port())
    server.start()
    yield server
    server.stop()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
def test_a_broker_that_goes_away_stops_nobody(sites: Sites, redis: Redis) -> None:
    site = sites.new(REDIS_URL=redis.url)
    site.preview("--seconds-per-plan", "0.5")
    url = site.web()
    headers = {"Authorization": f"Token {sites.access['token']}"}
    address = f"{url}/api/generate_ai_concept"
    site.work()
    first = requests.post(address, json=request(CODES[:6]), headers=headers, timeout=120)
    wait_for(lambda: site.value(N_DONE) >= 1, name="a plan that is done")

    redis.stop()
    second = requests.post(address, json=request(CODES[6:8]), headers=headers, timeout=120)
    wait_for(lambda: site.value(N_DONE) == 8, name="the end, without a broker")
    third = requests.post(address, json=request(CODES[8:10]), headers=headers, timeout=120)
    redis.start()

    site.wait_done()
    assert [answer.status_code for answer in (first, second, third)] == [201] * 3
    assert wholeness.faults(site, n_plans=10) == []
    site.close()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
@pytest.mark.soak
def test_workers_that_begin_anew_without_a_broker_do_so_until_it_is_there(
    sites: Sites, redis: Redis
) -> None:
    site = sites.new(REDIS_URL=redis.url)
    site.preview()
    work = site.work("--restart")
    (sentinel,) = wait_for(lambda: sentinels(work.process.pid), name="the sentinel")

    redis.stop()
    os.kill(sentinel, signal.SIGKILL)
    said = site.home / "logs" / "work-1.log"
    wait_for(
        lambda: said.read_text().count("begins anew: Redis (REDIS_URL)") >= 2,
        120,
        "two starts in vain",
    )
    redis.start()
    site.generate(CODES[:2])

    site.wait_done()
    assert work.process.poll() is None
    assert wholeness.faults(site, n_plans=2) == []
    site.close()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
def test_workers_without_a_broker_say_so_and_end(sites: Sites, redis: Redis) -> None:
    site = sites.new(REDIS_URL=redis.url)
    site.preview()
    redis.stop()

    work = site.work()

    assert work.process.wait(120) == 1
    (said,) = (site.home / "logs").glob("work-*.log")
    assert NO_REDIS in said.read_text().splitlines()[-1]
    site.close()


@pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
def test_workers_that_begin_anew_can_be_stopped_in_between(sites: Sites, redis: Redis) -> None:
    site = sites.new(REDIS_URL=redis.url)
    redis.stop()
    work = site.work("--restart")
    (said,) = (site.home / "logs").glob("work-*.log")
    wait_for(lambda: NO_REDIS in said.read_text(), 120, "a start in vain")

    os.kill(work.process.pid, signal.SIGTERM)

    assert work.process.wait(120) == 1
    site.close()


@pytest.mark.skipif(not DATABASE_URL, reason="SQLite has no connections to cut")
def test_a_database_that_cuts_its_connections_costs_no_plan(slow_site: Site) -> None:
    slow_site.work()
    slow_site.generate(CODES[:5])
    wait_for(lambda: slow_site.value(N_DONE) >= 1, name="a plan that is done")

    slow_site.cut_connections()

    slow_site.wait_done()
    assert wholeness.faults(slow_site, n_plans=5) == []
