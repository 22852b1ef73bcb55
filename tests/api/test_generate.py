"""POST /api/generate_ai_concept and the verbs that follow it."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from generation.models import Batch, LogEntry, PlanRun
from generation.services import requested_workflows
from generation.states import Mode, RunState
from tests import factories
from tests.api.calls import EXAMPLE, URL, one_plan, panel, upload

QUEUED, WAITING, RUNNING = RunState.QUEUED, RunState.WAITING, RunState.RUNNING
DONE, ERROR, CANCELLED = RunState.DONE, RunState.ERROR, RunState.CANCELLED


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_specifications_example_gets_the_specifications_answer(
    api: APIClient, slash: str
) -> None:
    answer = api.post(URL + slash, EXAMPLE, format="json")

    assert answer.status_code == 201
    batch = Batch.objects.get()
    assert answer.json() == {
        "status": "started",
        "batch_id": batch.public_id,
        "logs": [],
        "progress": 0,
        "results": [],
    }


def test_the_answer_says_where_the_status_is(api: APIClient) -> None:
    answer = api.post(URL, EXAMPLE, format="json")

    status = api.get(answer["Location"])
    assert answer["Location"].startswith("http://testserver/")
    assert status.json()["batch_id"] == answer.json()["batch_id"]


def test_a_seed_is_taken_back_as_it_was_given_out(api: APIClient) -> None:
    first = api.post(URL, EXAMPLE, format="json")
    plan = api.get(first["Location"]).json()["plans"][0]

    again = api.post(URL, EXAMPLE | {"params": {"seed": plan["seed"]}}, format="json")

    plans = api.get(again["Location"]).json()["plans"]
    assert {each["seed"] for each in plans} == {plan["seed"]}


def test_a_retry_takes_a_seed_as_it_was_given_out(api: APIClient) -> None:
    batch = factories.batch([ERROR], workflow=requested_workflows.load("OmbresChinoises.json"))
    body = one_plan(batch) | {"params": {"seed": "18446744073709551615"}}

    answer = api.post(f"{URL}/retry", body, format="json")

    assert answer.json()["plans"][0]["seed"] == "18446744073709551615"


def test_a_body_may_begin_with_a_byte_order_mark(api: APIClient) -> None:
    body = json.dumps(EXAMPLE).encode("utf-8-sig")

    answer = api.post(URL, data=body, content_type="application/json")

    assert answer.status_code == 201


def test_a_request_records_its_requester(api: APIClient, artist: User) -> None:
    api.post(URL, EXAMPLE, format="json")

    assert Batch.objects.get().requested_by == artist


def test_a_request_in_mode_manuel_waits_for_uploads(api: APIClient) -> None:
    answer = api.post(URL, EXAMPLE | {"mode": "manuel"}, format="json")

    status = api.get(answer["Location"]).json()
    assert [plan["status"] for plan in status["plans"]] == ["waiting"] * 3
    assert status["plans"][0]["waits"]["code"] == "artist"
    assert status["status"] == "started"


def test_retry_of_one_plan_queues_it_again_and_answers_the_status(api: APIClient) -> None:
    batch = factories.batch([ERROR, DONE])

    answer = api.post(f"{URL}/retry", one_plan(batch), format="json")

    assert answer.status_code == 200
    assert [plan["status"] for plan in answer.json()["plans"]] == ["queued", "done"]
    assert answer.json()["plans"][0]["seed"] == "42"


def test_retry_without_a_plan_queues_everything_that_failed(api: APIClient) -> None:
    batch = factories.batch([ERROR, DONE, ERROR, CANCELLED])

    answer = api.post(f"{URL}/retry/", {"batch_id": batch.public_id}, format="json")

    states = [plan["status"] for plan in answer.json()["plans"]]
    assert states == ["queued", "done", "queued", "cancelled"]


def test_retry_of_a_cancelled_batch_queues_what_was_cancelled(api: APIClient) -> None:
    batch = factories.batch([CANCELLED, DONE], cancel_requested_at=factories.NOW)

    answer = api.post(f"{URL}/retry", {"batch_id": batch.public_id}, format="json")

    assert [plan["status"] for plan in answer.json()["plans"]] == ["queued", "done"]
    assert answer.json()["status"] == "running"


@pytest.mark.parametrize("state", [QUEUED, RUNNING, DONE])
def test_retry_of_what_has_not_failed_is_a_conflict_that_tells_the_way(
    api: APIClient, state: RunState
) -> None:
    batch = factories.batch([state])

    answer = api.post(f"{URL}/retry", one_plan(batch), format="json")

    assert answer.status_code == 409
    assert answer.json()["code"] == f"run_{state}"
    assert "new request" in answer.json()["detail"]


def test_retry_of_a_batch_without_failures_is_a_conflict(api: APIClient) -> None:
    batch = factories.batch([DONE])

    answer = api.post(f"{URL}/retry", {"batch_id": batch.public_id}, format="json")

    assert answer.status_code == 409
    assert answer.json()["code"] == "nothing_to_retry"


def test_retry_takes_params_for_these_runs(api: APIClient) -> None:
    answer = api.post(URL, EXAMPLE, format="json")
    batch = Batch.objects.get(public_id=answer.json()["batch_id"])
    api.post(f"{URL}/cancel", one_plan(batch), format="json")

    answer = api.post(
        f"{URL}/retry", one_plan(batch) | {"params": {"steps": 12, "seed": 7}}, format="json"
    )

    run = PlanRun.objects.get(batch=batch, plan__code="0010")
    assert answer.status_code == 200
    assert run.params == {"steps": 12}
    assert run.seed == "7"


def test_retry_takes_another_workflow_for_these_runs(api: APIClient) -> None:
    answer = api.post(URL, EXAMPLE | {"params": {}}, format="json")
    batch = Batch.objects.get(public_id=answer.json()["batch_id"])
    api.post(f"{URL}/cancel", one_plan(batch), format="json")

    asked = one_plan(batch) | {"workflow_json": "Silhouette.json"}
    answer = api.post(f"{URL}/retry", asked, format="json")

    lines = answer.json()["plans"]
    assert answer.status_code == 200
    assert [line.get("workflow_json") for line in lines[:2]] == ["Silhouette.json", None]


def test_retry_refuses_a_workflow_that_there_is_not(api: APIClient) -> None:
    batch = factories.batch([ERROR])

    asked = one_plan(batch) | {"workflow_json": "Nothing.json"}
    answer = api.post(f"{URL}/retry", asked, format="json")

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == ("workflow_json", "unknown_workflow")


def test_retry_refuses_params_that_the_workflow_does_not_have(api: APIClient) -> None:
    answer = api.post(URL, EXAMPLE, format="json")
    batch = Batch.objects.get(public_id=answer.json()["batch_id"])
    api.post(f"{URL}/cancel", one_plan(batch), format="json")

    answer = api.post(f"{URL}/retry", one_plan(batch) | {"params": {"stpes": 12}}, format="json")

    assert answer.status_code == 400
    assert answer.json()["attr"] == "params.stpes"


def test_cancel_of_a_batch_answers_the_status(api: APIClient) -> None:
    batch = factories.batch([QUEUED, DONE, QUEUED])

    answer = api.post(f"{URL}/cancel", {"batch_id": batch.public_id}, format="json")

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert [p["status"] for p in answer.json()["plans"]] == ["cancelled", "done", "cancelled"]


@pytest.mark.parametrize("body", [{}, {"sequence_id": "SQ0010", "plan": "0010"}])
def test_a_second_cancel_changes_nothing(api: APIClient, body: dict[str, str]) -> None:
    batch = factories.batch([QUEUED])
    asked = {"batch_id": batch.public_id} | body

    first = api.post(f"{URL}/cancel", asked, format="json")
    second = api.post(f"{URL}/cancel/", asked, format="json")

    assert second.status_code == 200
    assert second["ETag"] == first["ETag"]
    assert second.json() == first.json()


def test_cancel_of_one_plan_leaves_the_others(api: APIClient) -> None:
    batch = factories.batch([QUEUED, QUEUED])

    answer = api.post(f"{URL}/cancel", one_plan(batch), format="json")

    assert [plan["status"] for plan in answer.json()["plans"]] == ["cancelled", "queued"]


@pytest.mark.parametrize("verb", ["retry", "cancel"])
def test_a_plan_that_the_batch_does_not_have_is_not_found(api: APIClient, verb: str) -> None:
    batch = factories.batch([QUEUED])

    answer = api.post(f"{URL}/{verb}", one_plan(batch, "0990"), format="json")

    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_plan"


@pytest.mark.parametrize("verb", ["retry", "cancel"])
@pytest.mark.parametrize(
    ("change", "attr", "code"),
    [
        ({"plan": 10}, "plan", "not_a_string"),
        ({"sequence_id": "SQ0010"}, "plan", "required"),
        ({"plan": "0010"}, "sequence_id", "required"),
        ({"batch_id": 12}, "batch_id", "not_a_string"),
        ({"batch_id": None}, "batch_id", "null"),
        ({"planes": "0010"}, "planes", "unknown_key"),
    ],
)
def test_a_verb_refuses_a_body_that_it_does_not_understand(
    api: APIClient, verb: str, change: dict[str, Any], attr: str, code: str
) -> None:
    answer = api.post(f"{URL}/{verb}", {"batch_id": "abc123"} | change, format="json")

    assert answer.status_code == 400
    assert (attr, code) in [(line["attr"], line["code"]) for line in answer.json()["errors"]]


def test_a_verb_lists_all_that_is_wrong_with_its_body(api: APIClient) -> None:
    answer = api.post(f"{URL}/retry", {"plan": 10, "params": [], "x": 1}, format="json")

    places = {line["attr"] for line in answer.json()["errors"]}
    assert places == {"batch_id", "plan", "sequence_id", "params", "x"}


def test_an_upload_brings_the_plan_to_done(api: APIClient, artist: User) -> None:
    batch = factories.batch([WAITING], mode=Mode.MANUEL)

    answer = upload(api, batch, factories.png())

    assert answer.status_code == 201
    assert answer.json()["filename"] == "E202_SQ0010-0010_AI-concept_v0001.png"
    assert answer.json()["created_by"] == "artist"
    status = api.get(f"{URL}/status?batch_id={batch.public_id}").json()
    assert (status["status"], status["progress"]) == ("done", 100)
    assert status["results"][0]["sha256"] == answer.json()["sha256"]


@pytest.mark.parametrize("state", [QUEUED, ERROR, DONE])
def test_an_artists_correction_is_taken_in_any_mode(api: APIClient, state: RunState) -> None:
    batch = factories.batch([state])

    answer = upload(api, batch, factories.png(color="white"))

    assert answer.status_code == 201
    assert batch.runs.get().state == DONE


@pytest.mark.parametrize("state", [RUNNING, CANCELLED])
def test_an_upload_on_a_running_or_cancelled_plan_is_a_conflict(
    api: APIClient, state: RunState
) -> None:
    batch = factories.batch([state])

    answer = upload(api, batch, factories.png())

    assert answer.status_code == 409
    assert answer.json()["code"] == f"run_{state}"


def test_a_panel_is_published_and_its_plan_made(api: APIClient) -> None:
    answer = panel(api, factories.png())

    assert answer.status_code == 201
    assert answer.json()["filename"] == "E202_SQ0010-0010_extracted-raw_v0001.png"


def test_a_second_panel_is_the_next_version(api: APIClient) -> None:
    panel(api, factories.png())

    answer = panel(api, factories.png(color="white"))

    assert answer.json()["version"] == 2


def test_a_panel_that_is_no_image_leaves_no_project_behind(api: APIClient) -> None:
    answer = panel(api, b"GIF89a")

    assert answer.status_code == 400
    assert answer.json()["attr"] == "file"
    assert api.get("/api/projects").json()["count"] == 0


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"project_id": "../etc"}, "project_id"),
        ({"season": "2"}, "season"),
        ({"episode": "E302"}, "episode"),
        ({"sequence_id": "10"}, "sequence_id"),
        ({"plan": "10"}, "plan"),
        ({"task": "AI-concept"}, "task"),
    ],
)
def test_a_panel_with_a_wrong_name_is_refused(
    api: APIClient, change: dict[str, str], attr: str
) -> None:
    answer = panel(api, factories.png(), **change)

    assert answer.status_code == 400
    assert answer.json()["attr"] == attr


def events() -> list[tuple[str, str]]:
    return list(LogEntry.objects.order_by("pk").values_list("event", "level"))


def test_a_project_that_a_request_has_made_is_told_in_its_log(api: APIClient) -> None:
    api.post(URL, EXAMPLE, format="json")

    assert events() == [("batch_created", "info"), ("project_created", "info")]


def test_a_project_beside_one_of_a_similar_name_is_warned_of(api: APIClient) -> None:
    factories.episode("madsea-2025-ep20")

    answer = api.post(URL, EXAMPLE, format="json")

    logs = api.get(answer["Location"]).json()["logs"]
    assert events() == [("batch_created", "info"), ("project_created_beside", "warning")]
    assert "There is madsea-2025-ep20 already" in logs[-1]["message"]


def test_an_episode_that_a_request_has_made_is_told_in_its_log(api: APIClient) -> None:
    factories.episode()

    api.post(URL, EXAMPLE | {"episode": "E203"}, format="json")

    assert events()[1:] == [("episode_created", "info")]


def test_what_is_there_already_is_no_news(api: APIClient) -> None:
    factories.episode()

    api.post(URL, EXAMPLE, format="json")

    assert events() == [("batch_created", "info")]
