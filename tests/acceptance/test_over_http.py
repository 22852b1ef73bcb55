"""What a frontend does to a batch while real workers render it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests import factories
from tests.acceptance.conftest import CODES
from tests.driver.flying import SAMPLED
from tests.processes import Preview, Site, Sites, request, wait_for

pytestmark = pytest.mark.slow


class Frontend:
    """A client of the API with the demo user's token."""

    def __init__(self, base: str, token: str) -> None:
        self._url = f"{base}/api/generate_ai_concept"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"

    def post(self, action: str = "", status: int = 200, **asked: Any) -> Any:
        """Return the document that a verb answers."""
        answer = self._session.post(f"{self._url}{action}", timeout=60, **asked)
        assert answer.status_code == status, answer.text
        return answer.json()

    def status(self, batch_id: str) -> Any:
        """Return the status document."""
        given = {"batch_id": batch_id}
        return self._session.get(f"{self._url}/status", params=given, timeout=60).json()

    def wait(self, batch_id: str, *states: str) -> Any:
        """Return the status document once the batch is in one of these states."""

        def reached() -> Any:
            document = self.status(batch_id)
            return document if document["status"] in states else None

        return wait_for(reached, 180, f"a batch that is {states}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


@pytest.fixture
def frontend(slow_site: Site, sites: Sites) -> Iterator[Frontend]:
    """A frontend of a site whose web process and workers run."""
    slow_site.work()
    made = Frontend(slow_site.web(), sites.access["token"])
    yield made
    made.close()


@pytest.fixture
def endless(sites: Sites) -> Iterator[Site]:
    """A site whose preview server takes a day for a plan: what ends there was stopped."""
    made = sites.new()
    made.preview("--seconds-per-plan", "86400")
    yield made
    made.close()


def post_foreign(preview: Preview) -> str:
    """Queue a prompt of somebody else and return its id."""
    foreign: dict[str, Any] = {
        "prompt": SAMPLED,
        "prompt_id": str(uuid4()),
        "client_id": "a colleague",
    }
    requests.post(f"{preview.url}/prompt", json=foreign, timeout=60).raise_for_status()
    return str(foreign["prompt_id"])


def states_of(document: Any) -> list[str]:
    """Return the state of each plan."""
    return [plan["status"] for plan in document["plans"]]


def test_a_running_batch_is_cancelled_and_retried(slow_site: Site, frontend: Frontend) -> None:
    batch_id = frontend.post(json=request(CODES[:5]), status=201)["batch_id"]
    wait_for(lambda: "done" in states_of(frontend.status(batch_id)), name="a plan that is done")

    frontend.post("/cancel", json={"batch_id": batch_id})
    cancelled = frontend.wait(batch_id, "cancelled", "done")
    on_server = slow_site.previews[0].queue()
    frontend.post("/retry", json={"batch_id": batch_id})
    document = frontend.wait(batch_id, "done", "error")

    assert {"done", "cancelled"} == set(states_of(cancelled))
    assert on_server == []
    assert states_of(document) == ["done"] * 5
    assert [result["version"] for result in document["results"]] == [1] * 5


def test_a_cancel_stops_what_runs_at_once_and_nobody_elses(endless: Site, sites: Sites) -> None:
    endless.work()
    frontend = Frontend(endless.web(), sites.access["token"])
    preview = endless.previews[0]
    batch_id = frontend.post(json=request(CODES[:2]), status=201)["batch_id"]
    wait_for(lambda: len(preview.queue()) == 2, name="two prompts")
    foreign = post_foreign(preview)

    frontend.post("/cancel", json={"batch_id": batch_id})
    document = frontend.wait(batch_id, "cancelled")

    frontend.close()
    assert (states_of(document), document["results"]) == (["cancelled"] * 2, [])
    assert preview.queue() == [foreign]


def test_an_image_is_uploaded_for_a_waiting_plan(slow_site: Site, frontend: Frontend) -> None:
    asked = request(CODES[:1], mode="manuel")
    del asked["params"]
    batch_id = frontend.post(json=asked, status=201)["batch_id"]
    image = factories.png(color="#123456")

    place = {"batch_id": batch_id, "sequence_id": "SQ0010", "plan": CODES[0]}
    frontend.post("/upload", status=201, data=place, files={"file": ("a.png", image)})

    document = frontend.status(batch_id)
    (result,) = document["results"]
    assert document["status"] == "done"
    assert (slow_site.projects / result["path"]).read_bytes() == image
