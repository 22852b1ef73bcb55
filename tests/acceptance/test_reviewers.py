"""Two reviewers decide at random through two web processes, of which one is killed in between."""

import random
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from generation.states import ReviewState
from review.states import FROM, WORDED, Decision
from tests import factories
from tests.processes import PROJECT_ID, Site, Sites

pytestmark = pytest.mark.slow

CODES = [f"{10 * n:04d}" for n in range(1, 21)]
EACH = 200


class Reviewer:
    """Decides at random about whatever it is shown, and sends a list again until it is answered."""

    def __init__(self, token: str, bases: list[str], seed: int) -> None:
        self._headers = {"Authorization": f"Token {token}"}
        self._bases = bases
        self._random = random.Random(seed)
        self.answered: list[dict[str, Any]] = []
        self.n_refused = 0

    def work(self) -> None:
        """Take so many decisions, those that are refused among them."""
        n_taken = 0
        while n_taken < EACH:
            wanted = self._wanted()
            n_taken += len(wanted)
            answer = self._insist("POST", "reviews", json={"reviews": wanted})
            if answer.status_code == 201:
                self.answered += answer.json()["reviews"]
            else:
                assert answer.status_code == 409, answer.text
                self.n_refused += len(wanted)

    def _wanted(self) -> list[dict[str, Any]]:
        shown = self._insist("GET", "versions", params={"task": "AI-concept", "page_size": "100"})
        chosen = self._random.sample(shown.json()["results"], self._random.randint(1, 5))
        return [self._decision(version) for version in chosen]

    def _decision(self, version: Mapping[str, Any]) -> dict[str, Any]:
        seen = ReviewState(version["review_state"])
        fits = [decision for decision in FROM if seen in FROM[decision]]
        decision = self._random.choice([*fits, Decision.UNDO, Decision.COMMENT])
        words = {"comment": "Because."} if decision in {*WORDED, Decision.UNDO} else {}
        return {"version": version["id"], "seen": seen, "decision": decision, **words}

    def _insist(self, method: str, name: str, **sent: Any) -> requests.Response:
        key = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        while True:
            base = self._random.choice(self._bases)
            try:
                answer = requests.request(
                    method,
                    f"{base}/api/{name}",
                    headers=self._headers | key,
                    timeout=60,
                    **sent,
                )
            except requests.RequestException:
                time.sleep(0.1)
                continue
            if answer.status_code != 503:
                return answer


def reviewed(sites: Sites) -> Site:
    """Return a site with two versions of each of twenty plans."""
    site = sites.new()
    for n in (1, 2):
        folder = site.home / f"concepts-{n}"
        folder.mkdir()
        for code in CODES:
            image = factories.png(color=f"#{n:02x}00{int(code):02x}"[:7])
            (folder / f"E202_SQ0010-{code}_AI-concept.png").write_bytes(image)
        site.manage("import_concepts", "--project", PROJECT_ID, str(folder))
    return site


def test_no_decision_is_lost_and_none_is_double_though_a_web_process_is_killed(
    sites: Sites,
) -> None:
    site = reviewed(sites)
    bases = [site.web(), site.web()]
    token = sites.access["token"]
    two = [Reviewer(token, bases, seed) for seed in (1, 2)]

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(reviewer.work) for reviewer in two]
        kept = "SELECT count(*) FROM review_review"
        while site.value(kept) < EACH // 2:
            time.sleep(0.02)
        killed = site.started[-1].process
        killed.kill()
        killed.wait()
        for each in working:
            each.result(timeout=400)

    answered = [review for reviewer in two for review in reviewer.answered]
    ids = [review["id"] for review in answered]
    assert len(set(ids)) == len(ids) == site.value(kept)
    assert sum(reviewer.n_refused for reviewer in two) > 0, "two are in each other's way"
    assert faults(answered, dict(site.rows(STATES))) == []
    assert site.value(TWICE_APPROVED) == 0


STATES = "SELECT id, review_state FROM generation_version WHERE task = 'AI-concept'"
TWICE_APPROVED = (
    "SELECT count(*) FROM (SELECT plan_id FROM generation_version WHERE review_state = 'approved'"
    " GROUP BY plan_id HAVING count(*) > 1) AS twice"
)


def faults(answered: list[dict[str, Any]], now: Mapping[int, str]) -> list[str]:
    """Play the history again, from its beginning, and return where it does not fit."""
    found: list[str] = []
    states = dict.fromkeys(now, "to_review")
    for review in sorted(answered, key=lambda each: int(each["id"])):
        changed = [{"version": review["version"], "was": review["seen"], **_became(review)}]
        for each in [*changed, *review["changed"]]:
            if states[each["version"]] != each["was"]:
                found.append(f"review {review['id']}: {each} was {states[each['version']]}")
            states[each["version"]] = each["became"]
    return found + [f"{pk}: {states[pk]}, not {now[pk]}" for pk in now if states[pk] != now[pk]]


def _became(review: Mapping[str, Any]) -> dict[str, Any]:
    return {"became": review["became"]}
