"""A client that got no answer sends its request again, with its key: one batch, one answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.acceptance.conftest import CODES
from tests.processes import Site, Sites, request

pytestmark = pytest.mark.slow

KEY = "6a1f6c1e-52c0-4b0e-9d1c-0c8a4f6f7a35"


class Client:
    """Sends one request under one key, to any web process of a site."""

    def __init__(self, token: str) -> None:
        self._headers = {"Authorization": f"Token {token}", "Idempotency-Key": KEY}

    def post(self, base: str, **change: Any) -> requests.Response:
        """Return the answer of one web process."""
        return requests.post(
            f"{base}/api/generate_ai_concept",
            json=request(CODES, **change),
            headers=self._headers,
            timeout=120,
        )

    def insist(self, first: str, then: str) -> requests.Response:
        """Return the answer of the first web process, or of the other when that gives none."""
        try:
            return self.post(first)
        except requests.RequestException:
            return self.post(then)


@pytest.fixture
def client(sites: Sites) -> Client:
    """A client with the demo user's token."""
    return Client(sites.access["token"])


def kill_last(site: Site) -> None:
    """Kill the process that the site has started last."""
    killed = site.started[-1].process
    killed.kill()
    killed.wait()


def n_batches(site: Site) -> int:
    """Return how many batches there are."""
    return int(site.value("SELECT count(*) FROM generation_batch"))


def test_a_key_is_remembered_over_a_kill_of_the_web_process(site: Site, client: Client) -> None:
    first = client.post(site.web())
    kill_last(site)

    base = site.web()
    again, other = client.post(base), client.post(base, mode="manuel")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "mode: 'auto' → 'manuel'" in other.json()["detail"]
    assert n_batches(site) == 1


def test_twenty_at_once_on_two_web_processes_of_which_one_is_killed(
    site: Site, client: Client
) -> None:
    stays, dies = site.web(), site.web()

    with ThreadPoolExecutor(20) as pool:
        sent = [pool.submit(client.insist, base, stays) for base in [dies, stays] * 10]
        time.sleep(0.05)
        kill_last(site)
        answers = [each.result(timeout=120) for each in sent]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert n_batches(site) == 1
