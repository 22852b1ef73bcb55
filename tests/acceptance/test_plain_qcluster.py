"""A plain `manage.py qcluster`: nothing ticks there but django-q2's own schedule."""

import pytest

from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.processes import Site, Sites, wait_for

pytestmark = pytest.mark.slow

REGISTER = "from generation.services import servers; servers.register_from_settings()"
SCHEDULED = "SELECT count(*) FROM django_q_task WHERE func = 'generation.tasks.tick'"


@pytest.fixture
def plain_site(sites: Sites) -> Site:
    """A site of the default queue, which alone has schedules, in a database of its own."""
    site = sites.new(REDIS_URL="", Q_CLUSTER_NAME="madsea")
    site.preview("--seconds-per-plan", "0.3")
    return site


def test_a_plan_whose_wake_up_was_lost_is_rendered_under_a_plain_qcluster(
    plain_site: Site,
) -> None:
    plain_site.manage("shell", "-c", REGISTER)
    plain_site.generate(CODES[:2])
    lost = plain_site.lose_wake_ups()
    plain_site.preview("--seconds-per-plan", "0.3")
    plain_site.run("qcluster", ["manage.py", "qcluster"])

    plain_site.wait_done(timeout_s=240)

    wait_for(lambda: plain_site.value(SCHEDULED) >= 1, name="the record of the tick")
    assert lost == 1
    assert plain_site.value("SELECT count(*) FROM django_q_schedule") == 1
    assert plain_site.value("SELECT count(*) FROM generation_server") == 2
    assert wholeness.faults(plain_site, n_plans=2) == []
    plain_site.close()
