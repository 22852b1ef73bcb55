"""Variations as clients ask for them and see them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Batch, PlanRun
from generation.states import RunState
from tests import factories
from tests.api.calls import EXAMPLE, URL

TWO = EXAMPLE | {
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010", "0020"]}],
    "variations": 2,
}
PLAN = {"sequence_id": "SQ0010", "plan": "0010"}


@pytest.fixture
def made(api: APIClient) -> Any:
    return api.post(URL, TWO, format="json")


def varied(made: Any, **more: Any) -> dict[str, Any]:
    return {"batch_id": made.json()["batch_id"]} | PLAN | more


def test_the_answer_has_the_specifications_five_keys(made: Any) -> None:
    assert list(made.json()) == ["status", "batch_id", "logs", "progress", "results"]


def test_each_variation_is_a_line_of_its_own(api: APIClient, made: Any) -> None:
    document = api.get(made["Location"]).json()

    lines = [(plan["plan"], plan["variation"]) for plan in document["plans"]]
    assert lines == [("0010", 1), ("0010", 2), ("0020", 1), ("0020", 2)]
    assert document["counts"]["total"] == 4


def test_logs_and_results_tell_variations_apart(api: APIClient, made: Any) -> None:
    run = PlanRun.objects.get(plan__code="0010", variation=2)
    factories.version(run.plan, run=run, revision=1)
    factories.log(run.batch, run)

    document = api.get(made["Location"]).json()

    assert [result["variation"] for result in document["results"]] == [2]
    assert [log["variation"] for log in document["logs"] if log["event"] == "posted"] == [2]
    logs = api.get(document["logs_url"]).json()["results"]
    assert [log["variation"] for log in logs if log["event"] == "posted"] == [2]


def test_the_queue_tells_variations_apart(api: APIClient, made: Any) -> None:
    PlanRun.objects.update(wait_reason="")

    lines = api.get("/api/queue").json()["results"]

    assert [line["variation"] for line in lines] == [1, 2, 1, 2]


def test_a_batch_of_one_variation_says_nothing_of_them(api: APIClient) -> None:
    made = api.post(URL, EXAMPLE, format="json")
    document = api.get(made["Location"]).json()

    lines = [*document["plans"], *document["logs"], *api.get("/api/queue").json()["results"]]
    assert not [line for line in lines if "variation" in line]


def test_cancel_takes_one_variation_or_all_of_a_plan(api: APIClient, made: Any) -> None:
    one = api.post(f"{URL}/cancel", varied(made, variation=2), format="json").json()
    both = api.post(f"{URL}/cancel", varied(made), format="json").json()

    assert (one["counts"]["cancelled"], both["counts"]["cancelled"]) == (1, 2)


def test_retry_takes_one_variation(api: APIClient, made: Any) -> None:
    api.post(f"{URL}/cancel", varied(made), format="json")

    api.post(f"{URL}/retry", varied(made, variation=2), format="json")

    assert PlanRun.objects.get(plan__code="0010", variation=2).state == RunState.QUEUED
    assert PlanRun.objects.get(plan__code="0010", variation=1).state == RunState.CANCELLED


@pytest.mark.parametrize(("more", "variation"), [({}, 1), ({"variation": 2}, 2)])
def test_an_upload_goes_to_the_first_variation_unless_it_names_one(
    api: APIClient, made: Any, more: dict[str, Any], variation: int
) -> None:
    form = varied(made, **more) | {"file": factories.sent(factories.png())}

    answer = api.post(f"{URL}/upload", form, format="multipart")

    assert (answer.status_code, answer.json()["variation"]) == (201, variation)
    assert PlanRun.objects.get(state=RunState.DONE).variation == variation


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"variation": 2}, ("variation", "no_plan")),
        (PLAN | {"variation": 0}, ("variation", "min_value")),
        (PLAN | {"variation": 17}, ("variation", "max_value")),
        (PLAN | {"variation": "2"}, ("variation", "not_a_number")),
        (PLAN | {"variation": True}, ("variation", "not_a_number")),
    ],
)
def test_a_variation_that_is_none_is_refused(
    api: APIClient, made: Any, body: dict[str, Any], problem: tuple[str, str]
) -> None:
    answer = api.post(f"{URL}/cancel", {"batch_id": made.json()["batch_id"]} | body, format="json")

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == problem


def test_a_variation_that_there_is_none_of_is_404(api: APIClient, made: Any) -> None:
    answer = api.post(f"{URL}/retry", varied(made, variation=3), format="json")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_variation")


def test_a_batch_tells_its_name_reason_and_variations(api: APIClient) -> None:
    body = TWO | {"name": "Retakes", "reason": "More wind."}
    api.post(URL, body, format="json")

    [batch] = api.get("/api/batches").json()["results"]

    told = (batch["name"], batch["reason"], batch["variations"])
    assert told == ("Retakes", "More wind.", 2)
    assert Batch.objects.get().variations == 2
