"""Real web processes tell what happens: all of it, once, and what whoever asks would see."""

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.event_streams import Ear
from tests.processes import DATABASE_URL, Site, Sites, request, wait_for

pytestmark = pytest.mark.slow

#: Drawn once: the same on each run.
_CHANCE = random.Random(11)
N_PLANS = 40


@pytest.fixture(scope="module")
def site(sites: Sites) -> Iterator[Site]:
    made = sites.new()
    yield made
    made.close()


@pytest.fixture(scope="module")
def webs(site: Site) -> list[str]:
    """Two web processes of one site."""
    return [site.web(), site.web()]


@pytest.fixture(scope="module")
def client(sites: Sites) -> requests.Session:
    made = requests.Session()
    made.headers["Authorization"] = f"Token {sites.access['token']}"
    return made


@pytest.fixture
def ear(sites: Sites) -> Ear:
    return Ear(sites.access["token"])


@pytest.fixture(scope="module")
def plan_ids(client: requests.Session, webs: list[str]) -> list[int]:
    """Plans whose notes can be changed."""
    codes = [f"{number:04d}" for number in range(1, N_PLANS + 1)]
    asked = request(codes, mode="manuel")
    answer = client.post(f"{webs[0]}/api/generate_ai_concept", json=asked, timeout=60)
    assert answer.status_code == 201, answer.text
    rows = client.get(f"{webs[0]}/api/plans?page_size=1000", timeout=60).json()["results"]
    return [row["id"] for row in rows if row["plan"] in codes]


def note(client: requests.Session, url: str, plan_id: int, text: str) -> None:
    answer = client.patch(f"{url}/api/plans/{plan_id}", json={"notes": text}, timeout=60)
    assert answer.status_code == 200, answer.text


def test_nothing_is_missed_and_nothing_told_twice_over_twenty_cuts(
    client: requests.Session, webs: list[str], plan_ids: list[int], ear: Ear
) -> None:
    ear.connect(webs[0])
    ear.wait_for(lambda it: it.names == ["reset"])
    for place, plan_id in enumerate(plan_ids):
        if place % 2:
            ear.cut()
            note(client, _CHANCE.choice(webs), plan_id, "while nobody listens")
            ear.connect(_CHANCE.choice(webs))
        else:
            note(client, _CHANCE.choice(webs), plan_id, "while somebody listens")

    ear.wait_for(lambda it: len(it.all_of("plans")) >= N_PLANS)
    ear.cut()

    assert sorted(ear.all_of("plans")) == sorted(plan_ids)
    assert ear.names.count("reset") == 1


def test_what_a_listener_sees_is_what_a_poller_sees(
    site: Site, client: requests.Session, webs: list[str], ear: Ear
) -> None:
    site.preview("--seconds-per-plan", "2")
    site.work()
    ear.connect(webs[1])
    asked = request(["0010", "0020", "0030"])
    made = client.post(f"{webs[0]}/api/generate_ai_concept", json=asked, timeout=60).json()

    follower = Follower(client, webs[1], made["batch_id"])
    polled = []
    for document in polls(client, webs[0], made["batch_id"]):
        polled.append(document)
        follower.obey(of(ear, made["batch_id"]))
    last = polled[-1]["revision"]
    ear.wait_for(lambda it: any(each["revision"] >= last for each in of(it, made["batch_id"])))
    follower.obey(of(ear, made["batch_id"]))
    ear.cut()

    heard = {each["revision"]: figures(each) for each in of(ear, made["batch_id"])}
    seen = {each["revision"]: figures(each) for each in polled}
    same = heard.keys() & seen.keys()
    assert polled[-1]["status"] == "done"
    assert follower.plans == plans_of(polled[-1])
    assert max(heard) == max(seen)
    assert {revision: heard[revision] for revision in same} == {
        revision: seen[revision] for revision in same
    }
    assert len(same) > 3, "so few of the revisions were seen by both that nothing was compared"


@dataclass
class Follower:
    """Knows of a batch what it has read since the revisions that it was told of."""

    client: requests.Session
    url: str
    batch_id: str
    revision: int = 0
    plans: dict[tuple[str, str], Any] = field(default_factory=dict)

    def obey(self, told: list[dict[str, Any]]) -> None:
        if told and told[-1]["revision"] > self.revision:
            query = f"batch_id={self.batch_id}&since={self.revision}"
            address = f"{self.url}/api/generate_ai_concept/status?{query}"
            document = self.client.get(address, timeout=60).json()
            self.revision = document["revision"]
            self.plans |= plans_of(document)


def plans_of(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (plan["sequence_id"], plan["plan"]): (plan["status"], plan["progress"], plan["attempt"])
        for plan in document["plans"]
    }


def polls(client: requests.Session, url: str, batch_id: str) -> Iterator[dict[str, Any]]:
    """Ask for a batch's status again and again until it is done, and once more."""
    address = f"{url}/api/generate_ai_concept/status?batch_id={batch_id}"
    document: dict[str, Any] = {"status": ""}
    while document["status"] != "done":
        document = client.get(address, timeout=60).json()
        yield document
    yield client.get(address, timeout=60).json()


def of(ear: Ear, batch_id: str) -> list[dict[str, Any]]:
    """Return what was heard of a batch, in order."""
    return [each for each in ear.all_of("batches") if each["batch_id"] == batch_id]


def figures(told: dict[str, Any]) -> tuple[Any, ...]:
    return told["status"], told["progress"], told["counts"]


def test_a_killed_web_process_loses_nothing_and_holds_nobody_up(
    site: Site, client: requests.Session, webs: list[str], plan_ids: list[int], ear: Ear
) -> None:
    other, doomed_url = Ear(ear.token), site.web()
    doomed = site.started[-1].process
    ear.connect(webs[0])
    other.connect(doomed_url)
    wait_for(lambda: ear.names and other.names)
    for plan_id in plan_ids[:10]:
        note(client, webs[0], plan_id, "before")
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    for plan_id in plan_ids[10:20]:
        note(client, webs[0], plan_id, "after")
    other.connect(webs[1])

    for each in (ear, other):
        each.wait_for(lambda it: set(plan_ids[:20]) <= set(it.all_of("plans")))
        each.cut()

    assert [sorted(each.all_of("plans")) for each in (ear, other)] == [sorted(plan_ids[:20])] * 2
    assert [each.names.count("reset") for each in (ear, other)] == [1, 1]


def test_a_web_process_that_stops_lets_go_of_those_who_listen(site: Site, ear: Ear) -> None:
    url = site.web()
    process = site.started[-1].process
    ears = [Ear(ear.token) for _ in range(5)]
    for each in ears:
        each.connect(url)
        each.wait_for(lambda it: it.names == ["reset"])

    process.terminate()
    process.wait(60)
    for each in ears:
        each.wait_for_end()

    # Cut off by the server's own time limit, they would not have come to their ends.
    assert [each.has_ended for each in ears] == [True] * 5


def test_those_who_listen_hear_on_after_the_database_was_away(
    site: Site, client: requests.Session, webs: list[str], plan_ids: list[int], ear: Ear
) -> None:
    if not DATABASE_URL:
        pytest.skip("SQLite is never away")
    ear.connect(webs[0])
    ear.wait_for(lambda it: it.names == ["reset"])

    site.cut_connections()
    note(client, webs[1], plan_ids[0], "after the cut")

    ear.wait_for(lambda it: it.all_of("plans") == [plan_ids[0]])
    assert not ear.has_ended
    ear.cut()
