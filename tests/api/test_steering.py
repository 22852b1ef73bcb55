"""PATCH /api/batches/<batch_id>: priority, pause and resume, and what clients see of it."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from generation.failures import failure
from generation.models import Batch, Block, LogEntry
from generation.services import server_quarantine
from generation.states import RunState, ServerHealth
from tests import factories
from tests.api.calls import keep_forecast, queries_of, status

DONE, QUEUED, RUNNING = RunState.DONE, RunState.QUEUED, RunState.RUNNING


def steer(api: APIClient, batch: Batch, **change: Any) -> Any:
    return api.patch(f"/api/batches/{batch.public_id}", change, format="json")


def waits(api: APIClient, batch: Batch) -> list[str | None]:
    plans = status(api, batch).json()["plans"]
    return [plan["waits"] and plan["waits"]["code"] for plan in plans]


def test_a_paused_batch_says_so_and_goes_on_when_it_is_resumed(
    api: APIClient, batch: Batch
) -> None:
    factories.server()

    paused = steer(api, batch, paused=True).json()
    said = waits(api, batch)
    resumed = steer(api, batch, paused=False).json()

    assert (paused["paused"], resumed["paused"]) == (True, False)
    assert (said, waits(api, batch)) == (["paused"] * 3, ["turn"] * 3)


def test_a_pause_leaves_status_and_running_plans_as_they_are(api: APIClient) -> None:
    batch = factories.batch([RUNNING, QUEUED])

    steer(api, batch, paused=True)

    assert status(api, batch).json()["status"] == "running"
    assert waits(api, batch) == [None, "paused"]


def test_the_priority_is_changed_while_it_runs(api: APIClient) -> None:
    batch = factories.batch([RUNNING, QUEUED])

    answer = steer(api, batch, priority=-100)

    assert (answer.status_code, answer.json()["priority"]) == (200, -100)
    assert status(api, batch).json()["logs"][-1]["message"] == "Priority 0 became -100."


def test_both_at_once_are_one_revision(api: APIClient, batch: Batch, artist: Any) -> None:
    before = batch.revision

    steer(api, batch, priority=5, paused=True)

    batch.refresh_from_db()
    entries = LogEntry.objects.filter(batch=batch).values_list("event", "actor__username")
    assert batch.revision == before + 1
    assert sorted(entries) == [("paused", "artist"), ("priority_changed", "artist")]


def test_what_is_so_already_changes_nothing(api: APIClient, batch: Batch) -> None:
    steer(api, batch, paused=True)
    batch.refresh_from_db()
    before = batch.revision

    answer = steer(api, batch, paused=True, priority=0)

    batch.refresh_from_db()
    assert (answer.status_code, batch.revision) == (200, before)


def test_a_client_that_follows_by_revision_sees_the_pause(api: APIClient, batch: Batch) -> None:
    steer(api, batch, paused=True)

    document = status(api, batch, f"&since={batch.revision}").json()

    assert [plan["waits"]["code"] for plan in document["plans"]] == ["paused"] * 3


def test_a_finished_batch_cannot_be_paused(api: APIClient) -> None:
    answer = steer(api, factories.batch([DONE]), paused=True)

    assert (answer.status_code, answer.json()["code"]) == (409, "batch_finished")


@pytest.mark.parametrize(
    ("change", "attr"),
    [
        ({"priority": 101}, "priority"),
        ({"priority": -101}, "priority"),
        ({"priority": "5"}, "priority"),
        ({"priority": True}, "priority"),
        ({"priority": 1.0}, "priority"),
        ({"priority": None}, "priority"),
        ({"paused": 1}, "paused"),
        ({"paused": "true"}, "paused"),
        ({"paused": None}, "paused"),
        ({"status": "done"}, "status"),
        ({}, None),
    ],
)
def test_anything_else_is_refused(
    api: APIClient, batch: Batch, change: dict[str, Any], attr: str | None
) -> None:
    answer = steer(api, batch, **change)

    assert (answer.status_code, answer.json()["attr"]) == (400, attr)


def test_an_unknown_batch_is_not_found(api: APIClient) -> None:
    assert api.patch("/api/batches/abc123", {"paused": True}, format="json").status_code == 404


def test_a_stranger_steers_nothing(anonymous: APIClient, batch: Batch) -> None:
    assert steer(anonymous, batch, paused=True).status_code == 401


# No capable server ------------------------------------------------------------------------------


def waits_for(api: APIClient, batch: Batch) -> tuple[dict[str, Any], str]:
    """Return why the first plan waits, and the reason that it refers to."""
    document = status(api, batch).json()
    wait = document["plans"][0]["waits"]
    return wait, document["reasons"][wait["reason"]]


def test_a_plan_says_what_each_server_lacks(api: APIClient) -> None:
    batch = factories.unmet(missing="Real.safetensors", closest=["Reel.safetensors"])
    factories.server("gpu-2", health=ServerHealth.DOWN)

    wait, reason = waits_for(api, batch)

    assert wait["code"] == "no_capable_server"
    assert wait["message"] == "No server that answers can take its workflow."
    assert reason == (
        "gpu-1 lacks Real.safetensors for Loader.name (closest: Reel.safetensors)."
        " gpu-2 does not answer."
    )


def test_a_reason_that_plans_share_is_told_once(api: APIClient) -> None:
    needs = factories.unmet(missing="Real.safetensors").needs
    batch = factories.batch([QUEUED] * 3, needs=needs)

    answer = status(api, batch)

    assert len(answer.json()["reasons"]) == 1
    assert answer.content.count(b"Real.safetensors") == 1


def test_the_reasons_are_whole_when_only_changes_are_asked_for(api: APIClient) -> None:
    batch = factories.unmet(missing="Real.safetensors")

    document = status(api, batch, f"&since={batch.revision}").json()

    assert (document["plans"], len(document["reasons"])) == ([], 1)


def test_a_batch_without_waiting_plans_gives_no_reasons(api: APIClient) -> None:
    needs = factories.unmet(missing="Real.safetensors").needs
    batch = factories.batch([RunState.DONE], needs=needs)

    assert status(api, batch).json()["reasons"] == {}


def test_the_queue_tells_a_reason_once(api: APIClient) -> None:
    needs = factories.unmet(missing="Real.safetensors").needs
    factories.batch([QUEUED] * 3, needs=needs)

    queue = api.get("/api/queue").json()

    [(key, told)] = queue["reasons"].items()
    assert {line["waits"]["reason"] for line in queue["results"]} == {key}
    assert "gpu-1 lacks Real.safetensors" in told


def test_a_plan_says_that_the_server_which_could_take_it_drains(api: APIClient) -> None:
    batch = factories.unmet(missing="Real.safetensors")
    factories.server("gpu-2", is_draining=True)

    wait, reason = waits_for(api, batch)

    assert wait["code"] == "no_capable_server"
    assert reason.endswith(" gpu-2 drains: it takes nothing more.")


def test_a_plan_says_that_all_servers_drain(api: APIClient, batch: Batch) -> None:
    factories.server("gpu-1", is_draining=True)
    factories.server("gpu-2", is_draining=True, health=ServerHealth.DOWN)

    wait, reason = waits_for(api, batch)

    assert (wait["code"], wait["message"]) == (
        "no_server",
        "No ComfyUI server takes plans: a technical director has to enable one.",
    )
    assert reason == "gpu-1 drains: it takes nothing more. gpu-2 drains: it takes nothing more."


def test_what_is_missing_is_part_of_the_tag(api: APIClient) -> None:
    batch = factories.unmet(missing="Real.safetensors")
    before = status(api, batch).headers["ETag"]
    batch.needs.capabilities.update(missing=[{"name": "B.pt", "where": "C.d", "closest": []}])

    answer = status(api, batch, if_none_match=before)

    assert answer.status_code == 200
    assert "lacks B.pt for C.d" in "".join(answer.json()["reasons"].values())


def test_saying_what_is_missing_takes_three_queries_more(
    api: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.server()
    keep_forecast(monkeypatch)
    normal = queries_of(api, batch)

    unmet = factories.unmet(missing="Real.safetensors")

    assert queries_of(api, unmet) == normal + 3


def test_a_server_that_can_is_enough_to_wait_for_ones_turn(api: APIClient) -> None:
    batch = factories.unmet(missing="Real.safetensors")
    factories.server("gpu-2")

    assert waits(api, batch) == ["turn"]


def test_a_plan_that_was_retried_with_another_model_waits_for_that(api: APIClient) -> None:
    batch = factories.batch([QUEUED] * 2)
    before = status(api, batch).headers["ETag"]
    factories.regroup(batch.runs.filter(position=1), factories.unmet(missing="Own.pt").needs)

    answer = status(api, batch, if_none_match=before)

    first, second = (plan["waits"] for plan in answer.json()["plans"])
    assert (first["code"], second["code"]) == ("turn", "no_capable_server")
    assert "gpu-1 lacks Own.pt" in answer.json()["reasons"][second["reason"]]


def test_a_plan_that_was_retried_with_a_model_that_is_there_has_a_place_in_the_queue(
    api: APIClient,
) -> None:
    unmet = factories.unmet(missing="Gone.pt")
    other = factories.batch([QUEUED] * 2, needs=unmet.needs)
    factories.regroup(other.runs.filter(position=1), factories.needs("met"))

    lines = api.get("/api/queue").json()["results"]

    assert [(line["position"], line["waits"]["code"]) for line in lines] == [
        (1, "turn"),
        (None, "no_capable_server"),
        (None, "no_capable_server"),
    ]


def test_what_cannot_be_claimed_has_no_place_in_the_queue(api: APIClient) -> None:
    unmet = factories.unmet(missing="Real.safetensors")
    paused = factories.batch([QUEUED], paused_at=factories.NOW)
    free = factories.batch([QUEUED])

    queue = api.get("/api/queue").json()["results"]

    assert [(line["batch_id"], line["position"], line["waits"]["code"]) for line in queue] == [
        (free.public_id, 1, "turn"),
        (unmet.public_id, None, "no_capable_server"),
        (paused.public_id, None, "paused"),
    ]


# Tries, and servers that are set aside or blocked ------------------------------------------------


def test_the_tries_of_a_batch_are_changed_and_logged(api: APIClient, batch: Batch) -> None:
    answer = steer(api, batch, max_tries=1)

    assert answer.json()["max_tries"] == 1
    assert LogEntry.objects.get(event="max_tries_changed").data == {"most": 1}


@pytest.mark.parametrize("value", [0, 21, "2", None, True])
def test_tries_out_of_bounds_are_refused(api: APIClient, batch: Batch, value: Any) -> None:
    answer = steer(api, batch, max_tries=value)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "max_tries"


def test_a_server_that_is_set_aside_says_why_and_what_to_do(api: APIClient, batch: Batch) -> None:
    server = factories.server()
    why = failure("cuda_poisoned", "KSampler (node 5): CUDA error.")
    server_quarantine.set_aside(server, why, uuid4())

    [shown] = api.get("/api/servers").json()["results"]
    waiting, reason = waits_for(api, batch)

    assert shown["set_aside"]["code"] == "cuda_poisoned"
    assert "Restart" in shown["set_aside"]["remedy"]
    assert waiting["code"] == "servers_down"
    assert "gpu-1 is set aside (cuda_poisoned): KSampler (node 5): CUDA error." in reason


def test_a_block_is_told_by_the_server_and_by_the_plans(api: APIClient, batch: Batch) -> None:
    assert batch.workflow is not None
    detail = "3 plans in a row failed there"
    Block.objects.create(server=factories.server(), workflow=batch.workflow, detail=detail)

    [shown] = api.get("/api/servers").json()["results"]
    waiting, reason = waits_for(api, batch)

    assert shown["blocked_for"][0]["workflow_json"] == batch.workflow.name
    assert waiting["code"] == "no_capable_server"
    assert f"gpu-1 is blocked for this workflow: {detail}." in reason


def test_a_batch_is_called_otherwise(api: APIClient) -> None:
    batch = factories.batch([QUEUED], name="E202 · SQ0010 · Labo · 14:05")

    answer = steer(api, batch, name="Retakes")

    assert answer.json()["name"] == "Retakes"
    told = {"before": "E202 · SQ0010 · Labo · 14:05", "after": "Retakes"}
    assert LogEntry.objects.get(event="renamed").data == told


@pytest.mark.parametrize("value", ["", " ", "x" * 201, 7])
def test_a_name_that_is_none_is_refused(api: APIClient, value: object) -> None:
    answer = steer(api, factories.batch([QUEUED]), name=value)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "name"
