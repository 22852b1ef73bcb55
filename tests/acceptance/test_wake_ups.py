"""No request is stranded, whenever it comes: also in the moment in which a driver leaves."""

import random
import time

import pytest
import requests

from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.processes import Sites, request, wait_for

pytestmark = pytest.mark.slow

N_BATCHES = 30
N_UNFINISHED = "SELECT count(*) FROM generation_planrun WHERE state <> 'done'"


def test_no_request_is_stranded_while_drivers_leave(sites: Sites) -> None:
    # No tick comes to the rescue, and a driver leaves as soon as it has nothing to do.
    site = sites.new(MADSEA_LINGER_S="0", MADSEA_TICK_S="300")
    site.preview()
    url = site.web()
    session = requests.Session()
    session.headers["Authorization"] = f"Token {sites.access['token']}"
    site.work()
    wait_for(lambda: site.value("SELECT count(*) FROM generation_server"))
    chance = random.Random(2)

    answers = []
    for n in range(N_BATCHES):
        asked = request([CODES[n % len(CODES)]])
        answers.append(session.post(f"{url}/api/generate_ai_concept", json=asked, timeout=120))
        time.sleep(chance.uniform(0.0, 0.8))
    session.close()

    wait_for(lambda: site.value(N_UNFINISHED) == 0, 180, "the end of all batches")
    assert [answer.status_code for answer in answers] == [201] * N_BATCHES
    assert sorted(wholeness.rendered(site).values()) == [1] * N_BATCHES
    site.close()
