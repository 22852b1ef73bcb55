"""Several servers share a batch; one that loses its memory costs a second render, never a plan."""

import pytest

from comfyui_preview.journal import entries, renders
from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.processes import Site, Sites, wait_for

pytestmark = pytest.mark.slow

N_DONE = "SELECT count(*) FROM generation_planrun WHERE state = 'done'"
N_OPEN = "SELECT count(*) FROM generation_attempt WHERE outcome = 'open'"
OUTCOMES = "SELECT outcome, count(*) FROM generation_attempt GROUP BY outcome"


def test_three_servers_share_a_batch(sites: Sites) -> None:
    site = sites.new()
    previews = [site.preview("--seconds-per-plan", "2") for _ in range(3)]
    site.work()

    site.generate(CODES)

    site.wait_done()
    shares = [sum(renders(preview.journal).values()) for preview in previews]
    assert wholeness.faults(site, n_plans=12) == []
    assert min(shares) >= 1
    site.close()


def test_a_server_that_lost_its_queue_renders_again_what_it_lost(slow_site: Site) -> None:
    slow_site.work()
    slow_site.generate(CODES[:6])
    wait_for(lambda: slow_site.value(N_DONE) >= 1 and slow_site.value(N_OPEN) == 2)

    old = slow_site.previews[0]
    old.started.process.kill()
    old.started.process.wait()
    new = slow_site.preview("--seconds-per-plan", "1", home=old.home.name, port=old.port)

    slow_site.wait_done()
    outcomes = dict(slow_site.rows(OUTCOMES))
    n_lost = outcomes.pop("lost")
    events = slow_site.value("SELECT count(*) FROM generation_logentry WHERE event = 'lost'")
    assert outcomes == {"done": 6}
    assert 1 <= n_lost <= 2
    assert events == n_lost
    assert len(list(entries(new.journal, "server_started"))) == 2
    assert wholeness.published_once(slow_site, n_plans=6) == []
