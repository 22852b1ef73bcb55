"""`/api/reviews`: decisions taken and read over HTTP."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from generation.models import Plan
from generation.states import RunState
from review.models import Review
from tests import factories
from tests.conftest import client_of
from tests.review.deciding import approve, concepts, retake, state

pytestmark = pytest.mark.django_db
URL = "/api/reviews"


@pytest.fixture
def office(supervisor: User) -> APIClient:
    """The API as the supervisor's frontend uses it."""
    return client_of(supervisor)


def post(api: APIClient, *decisions: dict[str, Any], key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(URL, {"reviews": list(decisions)}, format="json", headers=headers)


def approval(version: Any, seen: str = "to_review") -> dict[str, Any]:
    return {"version": version.pk, "seen": seen, "decision": "approve"}


def test_a_version_is_approved(office: APIClient, plans: list[Plan]) -> None:
    first, second = concepts(plans[0], 2)

    answer = post(office, approval(second))

    assert answer.status_code == 201
    [made] = answer.json()["reviews"]
    assert (made["version"], made["became"], made["by"]) == (second.pk, "approved", "supervisor")
    assert made["changed"] == [{"version": first.pk, "was": "to_review", "became": "superseded"}]
    assert state(second) == "approved"


def test_what_was_seen_otherwise_is_a_conflict_at_its_place(
    office: APIClient, plans: list[Plan]
) -> None:
    [first], [second] = concepts(plans[0], 1), concepts(plans[1], 1)
    approve(second)

    answer = post(office, approval(first), approval(second))

    assert answer.status_code == 409
    assert [(each["attr"], each["code"]) for each in answer.json()["errors"]] == [
        ("reviews.1.seen", "changed_meanwhile")
    ]
    assert state(first) == "to_review"


def test_who_may_not_decide_is_refused(api: APIClient, plans: list[Plan], settings: Any) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    [version] = concepts(plans[0], 1)

    assert post(api, approval(version)).status_code == 403


@pytest.mark.parametrize(
    ("sent", "attr"),
    [
        ({"decision": "approve", "seen": "to_review"}, "reviews.0.version"),
        ({"version": "1", "decision": "approve", "seen": "to_review"}, "reviews.0.version"),
        ({"version": 1, "decision": "burn", "seen": "to_review"}, "reviews.0.decision"),
        ({"version": 1, "decision": "approve"}, "reviews.0.seen"),
        ({"version": 1, "decision": "approve", "seen": "good"}, "reviews.0.seen"),
        ({"version": 1, "decision": "comment", "comment": "x" * 2001}, "reviews.0.comment"),
        ({"version": 1, "decision": "approve", "seen": "retake", "why": ""}, "reviews.0.why"),
        (
            {"version": 1, "decision": "comment", "comment": "x", "pin": {"x": 1.1, "y": 0}},
            "reviews.0.pin.x",
        ),
        ({"version": 1, "decision": "comment", "comment": "x", "pin": 1}, "reviews.0.pin"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    office: APIClient, sent: dict[str, Any], attr: str
) -> None:
    answer = post(office, sent)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr


def test_decisions_sent_twice_under_one_key_are_taken_once(
    office: APIClient, plans: list[Plan]
) -> None:
    [version] = concepts(plans[0], 1)
    first = post(office, approval(version), key="a-key")

    again = post(office, approval(version), key="a-key")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Review.objects.count() == 1


def test_a_key_of_other_decisions_is_refused(office: APIClient, plans: list[Plan]) -> None:
    [first], [second] = concepts(plans[0], 1), concepts(plans[1], 1)
    post(office, approval(first), key="a-key")

    answer = post(office, approval(second), key="a-key")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")
    assert state(second) == "to_review"


def test_a_refused_request_leaves_no_key_behind(office: APIClient, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    sent = approval(version, seen="retake")
    post(office, sent, key="a-key")
    retake(version)

    assert post(office, sent, key="a-key").status_code == 201


def test_decisions_are_listed_the_newest_first(office: APIClient, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    retake(version)
    approve(version)

    found = office.get(URL).json()["results"]

    assert [each["decision"] for each in found] == ["approve", "retake"]


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ({"decision": "retake"}, 1),
        ({"decision": "undo"}, 0),
        ({"by": "supervisor"}, 1),
        ({"by": "nobody"}, 0),
        ({"date_from": "2025-01-01"}, 2),
        ({"date_to": "2025-01-01"}, 0),
        ({"version": 10**9}, 0),
        ({"plan_id": 10**9}, 0),
        ({"episode_id": 10**9}, 0),
    ],
)
def test_decisions_are_found_by_filters(
    office: APIClient, plans: list[Plan], query: dict[str, Any], n_found: int
) -> None:
    [first], [second] = concepts(plans[0], 1), concepts(plans[1], 1)
    retake(first)
    post(office, approval(second))

    assert office.get(URL, query).json()["count"] == n_found


def test_decisions_are_found_by_their_place(office: APIClient, plans: list[Plan]) -> None:
    [first], [second] = concepts(plans[0], 1), concepts(plans[1], 1)
    approve(first)
    approve(second)
    episode = plans[0].sequence.episode_id

    def found(**query: int) -> list[int]:
        return [each["version"] for each in office.get(URL, query).json()["results"]]

    assert found(version=first.pk) == found(plan_id=plans[0].pk) == [first.pk]
    assert found(episode_id=episode) == [second.pk, first.pk]


def test_reads_of_plans_and_versions_tell_what_their_review_has_come_to(
    api: APIClient, plans: list[Plan]
) -> None:
    first, second = concepts(plans[0], 2)
    retake(first)
    panel = factories.version(plans[0], task="extracted-raw")

    def told(version: Any) -> str | None:
        answer: str | None = api.get(f"/api/versions/{version.pk}").json()["review_state"]
        return answer

    assert [told(each) for each in (first, second, panel)] == ["retake", "to_review", None]
    plan = api.get(f"/api/plans/{plans[0].pk}").json()
    assert (plan["review_state"], plan["in_render"]) == ("to_review", False)


@pytest.mark.parametrize(("wanted", "index"), [("approved", 0), ("retake", 1), ("to_review", 2)])
def test_plans_are_found_by_what_their_review_has_come_to(
    api: APIClient, plans: list[Plan], wanted: str, index: int
) -> None:
    first, retaken, _ = (concepts(plan, 2) for plan in plans)
    approve(first[0])
    retake(retaken[1])

    found = api.get("/api/plans", {"review_state": wanted}).json()["results"]

    assert [each["id"] for each in found] == [plans[index].pk]


def test_the_status_tells_what_reviews_have_come_to_and_again_when_that_changes(
    api: APIClient,
) -> None:
    batch = factories.batch([RunState.DONE, RunState.DONE])
    status = f"/api/generate_ai_concept/status?batch_id={batch.public_id}"
    before = api.get(status).json()
    run = batch.runs.order_by("position").last()
    assert run is not None and run.result is not None

    approve(run.result)

    after = api.get(f"{status}&since={before['revision']}").json()
    assert [each["review_state"] for each in before["results"]] == ["to_review", "to_review"]
    assert [each["review_state"] for each in after["results"]] == ["approved"]


def test_versions_to_review_are_listed_by_a_few_queries_however_many_there_are(
    api: APIClient, django_assert_max_num_queries: Any
) -> None:
    many = factories.many_plans(40)
    for plan in many:
        factories.version(plan)

    with django_assert_max_num_queries(6):
        found = api.get("/api/versions", {"review_state": "to_review", "page_size": "20"}).json()

    assert (found["count"], len(found["results"])) == (40, 20)
