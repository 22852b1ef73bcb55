"""GET /api/generate_ai_concept/status: what the document says."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Batch
from generation.services import derived_making
from generation.states import RunState, ServerHealth, WaitReason
from tests import factories
from tests.api.calls import EXAMPLE, URL, keep_forecast, queries_of, status

QUEUED, WAITING, RUNNING = RunState.QUEUED, RunState.WAITING, RunState.RUNNING
DONE, ERROR, CANCELLED = RunState.DONE, RunState.ERROR, RunState.CANCELLED


def test_the_document_has_these_keys_and_no_other(api: APIClient, batch: Batch) -> None:
    document = status(api, batch).json()

    assert list(document) == [
        "status",
        "batch_id",
        "logs",
        "progress",
        "results",
        "plans",
        "reasons",
        "params",
        "sources",
        "counts",
        "expected_end",
        "revision",
        "logs_url",
    ]


def test_values_and_sources_of_all_plans_are_told_once_and_beside_them_a_plan_s_own(
    api: APIClient,
) -> None:
    plan = {"plan": "0010", "params": {"steps": 12}}
    sequences = [{"sequence_id": "SQ0010", "plans": [plan, "0020"]}]

    made = api.post(URL, EXAMPLE | {"sequences": sequences, "params": {"cfg": 3}}, format="json")

    document = api.get(made["Location"]).json()
    assert document["params"] == factories.style().values | {"cfg": 3}
    assert document["sources"] == {
        "seed": "drawn",
        "steps": "style",
        "cfg": "request",
        "lora_strength": "style",
        "denoise": "style",
        "prompt": "style",
        "negative_prompt": "style",
    }
    own, other = document["plans"]
    assert (own["params"], own["sources"]) == ({"steps": 12}, {"steps": "plan"})
    assert not {"params", "sources"} & other.keys()


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_address_is_good_with_and_without_slash(
    api: APIClient, batch: Batch, slash: str
) -> None:
    answer = api.get(f"/api/generate_ai_concept/status{slash}?batch_id={batch.public_id}")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([QUEUED, QUEUED], "started"),
        ([WAITING], "started"),
        ([QUEUED, RUNNING], "running"),
        ([QUEUED, DONE], "running"),
        ([DONE, DONE], "done"),
        ([DONE, ERROR], "error"),
        ([DONE, CANCELLED], "done"),
        ([CANCELLED, CANCELLED], "cancelled"),
    ],
)
def test_the_status_follows_the_plans(
    api: APIClient, states: list[RunState], expected: str
) -> None:
    batch = factories.batch(states)

    assert status(api, batch).json()["status"] == expected
    assert api.get(f"/api/batches?status={expected}").json()["count"] == 1


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([QUEUED, QUEUED, QUEUED], 0),
        ([RUNNING, QUEUED, QUEUED], 16),
        ([DONE, RUNNING, QUEUED], 50),
        ([DONE, ERROR, CANCELLED], 100),
    ],
)
def test_progress_is_the_floor_of_the_mean(
    api: APIClient, states: list[RunState], expected: int
) -> None:
    document = status(api, factories.batch(states)).json()

    assert document["progress"] == expected
    assert document["progress"] == sum(p["progress"] for p in document["plans"]) // 3


def test_progress_is_100_only_when_all_is_finished(api: APIClient) -> None:
    batch = factories.batch([RUNNING])
    batch.runs.update(progress_pct=100)

    assert status(api, batch).json()["progress"] == 99


def test_counts_say_how_many_plans_are_in_each_state(api: APIClient) -> None:
    batch = factories.batch([QUEUED, QUEUED, RUNNING, DONE, ERROR])

    assert status(api, batch).json()["counts"] == {
        "total": 5,
        "queued": 2,
        "waiting": 0,
        "running": 1,
        "done": 1,
        "error": 1,
        "cancelled": 0,
    }


def test_a_running_plan_says_where_and_how_far_it_is(api: APIClient) -> None:
    document = status(api, factories.batch([RUNNING])).json()

    assert document["plans"] == [
        {
            "sequence_id": "SQ0010",
            "plan": "0010",
            "status": "running",
            "progress": 50,
            "attempt": 1,
            "seed": "42",
            "server": "gpu-1",
            "error": None,
            "waits": None,
        }
    ]


def test_a_failed_plan_says_what_failed_and_what_to_do(api: APIClient) -> None:
    plan = status(api, factories.batch([ERROR])).json()["plans"][0]

    assert plan["error"] == {
        "code": "node_error",
        "message": "KSampler: out of memory.",
        "remedy": "Retry it on a server with more memory.",
    }


@pytest.mark.parametrize(
    ("reason", "code"), [(WaitReason.TURN, "turn"), (WaitReason.PANEL, "panel")]
)
def test_a_queued_plan_says_why_it_waits(api: APIClient, reason: WaitReason, code: str) -> None:
    factories.server()
    batch = factories.batch([QUEUED])
    batch.runs.update(wait_reason=reason)

    assert status(api, batch).json()["plans"][0]["waits"]["code"] == code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"is_enabled": False}, "no_server"),
        ({"is_draining": True}, "no_server"),
        ({"health": ServerHealth.DOWN}, "servers_down"),
        ({"health": ServerHealth.UNKNOWN}, "turn"),
    ],
)
def test_a_queued_plan_says_when_no_server_would_take_it(
    api: APIClient, fields: dict[str, Any], code: str
) -> None:
    factories.server(**fields)

    assert status(api, factories.batch([QUEUED])).json()["plans"][0]["waits"]["code"] == code


def test_a_result_names_the_file_and_gives_an_absolute_address(api: APIClient) -> None:
    batch = factories.batch([DONE])
    derived_making.Maker().make_pending()

    result = status(api, batch).json()["results"][0]

    url, thumbnail_url = result.pop("url"), result.pop("thumbnail_url")
    version = batch.versions.get()
    assert result == {
        "sequence_id": "SQ0010",
        "plan": "0010",
        "task": "AI-concept",
        "version": 1,
        "image": 1,
        "filename": "E202_SQ0010-0010_AI-concept_v0001.png",
        "path": "madsea-2025-ep202/E202/SQ0010/AI-concept/E202_SQ0010-0010_AI-concept_v0001.png",
        "width": 64,
        "height": 36,
        "bytes": version.n_bytes,
        "sha256": version.sha256,
        "served_sha256": version.sha256,
        "review_state": "to_review",
    }
    assert url.startswith("http://testserver/files/")
    assert api.get(thumbnail_url).headers["Content-Type"] == "image/webp"


def test_a_reserved_version_is_no_result_yet(api: APIClient) -> None:
    batch = factories.batch([QUEUED])
    factories.reserved(batch.runs.get().plan, run=batch.runs.get(), batch=batch)

    assert status(api, batch).json()["results"] == []


def test_a_log_line_tells_what_happened_where(api: APIClient, batch: Batch) -> None:
    entry = factories.log(batch, batch.runs.first())

    assert status(api, batch).json()["logs"] == [
        {
            "time": entry.at.isoformat().replace("+00:00", "Z"),
            "level": "info",
            "event": "posted",
            "sequence_id": "SQ0010",
            "plan": "0010",
            "message": "gpu-1 accepted the prompt.",
        }
    ]


def test_a_batch_of_few_plans_shows_its_whole_log(api: APIClient, batch: Batch) -> None:
    factories.log(batch, batch.runs.first(), "claimed")
    factories.log(batch, batch.runs.first(), "posted")

    assert [line["event"] for line in status(api, batch).json()["logs"]] == ["claimed", "posted"]


def test_a_batch_of_many_plans_shows_the_last_entry_of_each(api: APIClient) -> None:
    batch = factories.batch([QUEUED] * 21)
    first, last = batch.runs.order_by("position")[:2]
    factories.log(batch, None, "batch_created")
    factories.log(batch, first, "claimed")
    factories.log(batch, last, "claimed")
    factories.log(batch, first, "posted")

    document = status(api, batch).json()

    shown = [(line["plan"], line["event"]) for line in document["logs"]]
    assert shown == [(None, "batch_created"), ("0020", "claimed"), ("0010", "posted")]
    assert api.get(document["logs_url"]).json()["count"] == 4


@pytest.mark.parametrize("since", ["-1", "1.5", "x", "", "٣", "1" * 40, "1e3", " 1"])
def test_since_must_be_a_whole_number(api: APIClient, batch: Batch, since: str) -> None:
    answer = status(api, batch, f"&since={since}")

    assert answer.status_code == 400
    assert answer.json()["attr"] == "since"


def test_an_unknown_parameter_is_refused(api: APIClient, batch: Batch) -> None:
    answer = status(api, batch, "&sience=1")

    assert answer.status_code == 400
    assert answer.json()["attr"] == "sience"


def test_a_status_without_batch_id_is_refused(api: APIClient) -> None:
    answer = api.get("/api/generate_ai_concept/status")

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == ("batch_id", "required")


@pytest.mark.parametrize("batch_id", ["abc123", "a" * 500, "%00", "é", "../x", "a b"])
def test_an_unknown_batch_is_not_found(api: APIClient, batch_id: str) -> None:
    answer = api.get(f"/api/generate_ai_concept/status?batch_id={batch_id}")

    assert answer.status_code == 404
    assert (answer.json()["attr"], answer.json()["code"]) == ("batch_id", "unknown_batch")


@pytest.mark.parametrize("query", ["", "&since=0", "&since=1"])
def test_the_number_of_queries_does_not_depend_on_the_plans(
    api: APIClient, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = factories.batch([DONE, RUNNING])
    large = factories.batch([DONE, RUNNING] * 25, of=factories.plans({"SQ0020": codes(50)}))

    keep_forecast(monkeypatch)

    assert queries_of(api, small, query) == queries_of(api, large, query) == 5


def codes(n_plans: int) -> list[str]:
    return [f"{n:04d}" for n in range(n_plans)]


def test_it_tells_when_its_last_plan_is_expected_to_end_as_the_list_does(api: APIClient) -> None:
    done = factories.batch([DONE])
    factories.attempt(done.runs.get(), on=factories.server(), outcome="done", render_s=3600)
    waiting = factories.batch([QUEUED], of=factories.plans({"SQ0020": ["0010"]}))

    told = status(api, waiting).json()["expected_end"]

    # An hour from now, whichever second that is.
    listed = api.get(f"/api/batches/{waiting.public_id}").json()["expected_end"]
    apart = datetime.fromisoformat(told) - datetime.fromisoformat(listed)
    assert abs(apart) < timedelta(minutes=30)
    assert status(api, done).json()["expected_end"] is None
