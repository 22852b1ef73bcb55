"""Two machines that share a database and a projects folder; one of them disappears."""

import os
import signal

import pytest

from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.processes import Site, Sites, wait_for

pytestmark = pytest.mark.slow

OWNERS = "SELECT DISTINCT lease_owner FROM generation_server WHERE lease_token IS NOT NULL"


@pytest.fixture
def studio(sites: Sites) -> Site:
    """A site with two slow servers, and leases as long as they are by default."""
    site = sites.new()
    site.settings |= {"MADSEA_LEASE_S": "15", "MADSEA_TICK_S": "5"}
    for _ in range(2):
        site.preview("--seconds-per-plan", "3")
    return site


def test_a_machine_that_disappears_gives_its_servers_up(studio: Site) -> None:
    lost = studio.work()
    studio.generate(CODES)
    wait_for(lambda: len(owners(studio)) == 2, name="a driver for each server")
    before = owners(studio)
    stays = studio.work()

    os.killpg(lost.process.pid, signal.SIGKILL)

    wait_for(lambda: len(owners(studio) - before) == 2, 120, "two new drivers")
    studio.wait_done()
    assert wholeness.faults(studio, n_plans=len(CODES)) == []
    stays.process.terminate()


def owners(site: Site) -> set[str]:
    """Return who drives now."""
    return {owner for (owner,) in site.rows(OWNERS)}
