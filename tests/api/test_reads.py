"""What a frontend reads: shapes, filters, pages, and as many queries for many rows as for few."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from generation.models import Batch, Server
from generation.services import derived_making
from generation.states import AttemptOutcome, RunState, WaitReason
from tests import factories

QUEUED, RUNNING, DONE = RunState.QUEUED, RunState.RUNNING, RunState.DONE


def rows(api: APIClient, address: str) -> list[dict[str, Any]]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def queries_of(api: APIClient, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        api.get(address)
    return len(captured)


LISTS = ["projects", "episodes", "sequences", "plans", "batches", "queue", "styles", "servers"]
PAGE = {"count", "next", "previous", "results"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_comes_in_pages(api: APIClient, batch: Batch, name: str, slash: str) -> None:
    answer = api.get(f"/api/{name}{slash}")

    assert answer.status_code == 200
    assert set(answer.json()) - {"reasons", "expected_end"} == PAGE


@pytest.mark.parametrize("name", LISTS)
def test_a_list_refuses_a_parameter_that_it_does_not_know(api: APIClient, name: str) -> None:
    answer = api.get(f"/api/{name}?colour=red")

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == ("colour", "unknown_parameter")


@pytest.mark.parametrize("name", ["plans", "batches", "queue", "servers", "sequences"])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(api: APIClient, name: str) -> None:
    factories.batch([DONE, RUNNING, QUEUED])
    few = queries_of(api, f"/api/{name}")
    factories.batch([DONE, RUNNING, QUEUED] * 10)
    factories.batch([DONE, RUNNING, QUEUED], style=factories.style("labo"))

    assert queries_of(api, f"/api/{name}") == few


def test_pages_are_as_long_as_asked_for(api: APIClient) -> None:
    factories.batch([QUEUED] * 5)

    answer = api.get("/api/plans?page=2&page_size=2").json()

    assert [plan["plan"] for plan in answer["results"]] == ["0030", "0040"]
    assert (answer["count"], answer["next"][-18:]) == (5, "page=3&page_size=2")


def test_the_production_tree_is_told_from_the_top(api: APIClient, batch: Batch) -> None:
    factories.episode("other", "E101", "S01")

    assert [row["project_id"] for row in rows(api, "/api/projects")] == [
        "madsea-2025-ep202",
        "other",
    ]
    assert api.get("/api/projects/other").json()["n_episodes"] == 1
    assert rows(api, "/api/episodes?project_id=other")[0]["episode"] == "E101"
    assert rows(api, "/api/sequences?episode=E202")[0]["n_plans"] == 3
    assert len(rows(api, "/api/plans?sequence_id=SQ0010&project_id=madsea-2025-ep202")) == 3


def test_a_plan_comes_with_its_published_versions(api: APIClient) -> None:
    plan = factories.plans({"SQ0010": ["0010"]})[0]
    factories.version(plan, task="extracted-raw")
    factories.version(plan)
    factories.version(plan)
    factories.reserved(plan)

    shown = api.get(f"/api/plans/{plan.pk}").json()

    assert [(v["task"], v["version"]) for v in shown["versions"]] == [
        ("AI-concept", 2),
        ("AI-concept", 1),
        ("extracted-raw", 1),
    ]
    assert shown["status"] is None


def test_the_addresses_of_a_version_can_be_asked_for_again(
    api: APIClient, anonymous: APIClient
) -> None:
    version = factories.version(factories.plans()[0])

    derived_making.Maker().make_pending()

    shown = api.get(f"/api/versions/{version.pk}").json()

    thumbnail = anonymous.get(shown["thumbnail_url"].removeprefix("http://testserver"))
    assert thumbnail["Content-Type"] == "image/webp"


def test_a_plan_tells_the_state_of_its_last_run(api: APIClient, batch: Batch) -> None:
    last = factories.batch([DONE])

    shown = rows(api, "/api/plans?plan=0010")[0]

    assert (shown["status"], shown["batch_id"]) == ("done", last.public_id)
    assert [plan["plan"] for plan in rows(api, "/api/plans?status=queued")] == ["0020", "0030"]


def test_a_batch_is_told_with_what_was_asked_for(api: APIClient, artist: Any) -> None:
    batch = factories.batch(
        [DONE, RUNNING], requested_by=artist, params={"steps": 30}, sources={"steps": "style"}
    )

    shown = api.get(f"/api/batches/{batch.public_id}/").json()

    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "batch_id": batch.public_id,
        "project_id": "madsea-2025-ep202",
        "season": "S02",
        "episode": "E202",
        "style": "ombres_chinoises",
        "workflow_json": "Small.json",
        "mode": "auto",
        "name": "",
        "reason": "",
        "variations": 1,
        "params": {"steps": 30},
        "sources": {"steps": "style"},
        "priority": 0,
        "paused": False,
        "max_tries": 3,
        "requested_by": "artist",
        "status": "running",
        "progress": 75,
        "counts": {
            "total": 2,
            "queued": 0,
            "waiting": 0,
            "running": 1,
            "done": 1,
            "error": 0,
            "cancelled": 0,
        },
        "revision": 1,
        "finished_at": None,
        "expected_end": None,
    }


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ("project_id=madsea-2025-ep202", 2),
        ("project_id=other", 0),
        ("episode=E202", 2),
        ("style=labo", 1),
        ("status=done", 1),
        ("status=started&style=ombres_chinoises", 0),
        ("requested_by=artist", 1),
        ("date=2025-03-14", 1),
        ("date_from=2025-03-15", 1),
        ("date_to=2025-03-14", 1),
        ("date_to=2025-03-13", 0),
    ],
)
def test_batches_are_filtered(api: APIClient, artist: Any, query: str, n_found: int) -> None:
    old = factories.batch([DONE], requested_by=artist)
    Batch.objects.filter(pk=old.pk).update(created_at=factories.NOW)
    factories.batch([QUEUED], style=factories.style("labo"))

    assert len(rows(api, f"/api/batches?{query}")) == n_found


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ("status=finished", "status"),
        ("date=14/03/2025", "date"),
        ("date_from=9999-12-31T00:00", "date_from"),
        ("date_to=9999-12-31", "date_to"),
        ("style=%00", "style"),
    ],
)
def test_a_filter_refuses_a_value_that_it_cannot_use(api: APIClient, query: str, attr: str) -> None:
    answer = api.get(f"/api/batches?{query}")

    assert answer.status_code == 400
    assert answer.json()["attr"] == attr


@pytest.mark.parametrize(
    "path",
    [
        "batches/abc123",
        "batches/abc123/logs",
        "projects/nope",
        "episodes/999999999999999999999",
        "plans/0",
        "versions/0",
        "versions/99999999999999999999999",
        "styles/nope",
        "servers/0",
        "workflows/Nope.json",
    ],
)
def test_what_is_not_there_is_not_found(api: APIClient, path: str) -> None:
    assert api.get(f"/api/{path}").status_code == 404


def test_the_log_of_a_batch_is_whole_and_in_order(api: APIClient, batch: Batch) -> None:
    run = batch.runs.get(plan__code="0020")
    factories.log(batch, None, "batch_cancel_requested")
    factories.log(batch, run, "claimed", level="warning", revision=2)

    address = f"/api/batches/{batch.public_id}/logs"

    assert [line["event"] for line in rows(api, address)] == ["batch_cancel_requested", "claimed"]
    assert [line["plan"] for line in rows(api, f"{address}/?level=warning")] == ["0020"]
    assert [line["plan"] for line in rows(api, f"{address}?since=1&plan=0020")] == ["0020"]
    assert rows(api, f"{address}?sequence_id=SQ0990") == []


def test_the_queue_is_in_the_order_of_its_turn(api: APIClient) -> None:
    first = factories.batch([QUEUED, QUEUED])
    second = factories.batch([QUEUED, RUNNING], style=factories.style("labo"))
    urgent = factories.batch([QUEUED], priority=9)

    queue = rows(api, "/api/queue")

    assert [(line["position"], line["batch_id"]) for line in queue] == [
        (1, urgent.public_id),
        (2, first.public_id),
        (3, second.public_id),
        (4, first.public_id),
    ]


def test_the_queue_of_a_batch_keeps_its_positions_amongrows(api: APIClient) -> None:
    factories.batch([QUEUED], priority=9)
    batch = factories.batch([QUEUED])

    queue = rows(api, f"/api/queue?batch_id={batch.public_id}")

    assert [line["position"] for line in queue] == [2]


def test_a_plan_without_panel_has_no_position_yet(api: APIClient) -> None:
    batch = factories.batch([QUEUED, QUEUED])
    batch.runs.filter(position=0).update(wait_reason=WaitReason.PANEL)

    queue = rows(api, "/api/queue")

    assert [(line["plan"], line["position"]) for line in queue] == [("0020", 1), ("0010", None)]
    assert queue[1]["waits"]["code"] == "panel"


def test_the_queue_of_an_unknown_batch_is_not_found(api: APIClient) -> None:
    assert api.get("/api/queue?batch_id=abc123").status_code == 404


def test_styles_tell_their_defaults(api: APIClient) -> None:
    told = rows(api, "/api/styles")[0]

    assert "{description}" in told.pop("prompt")
    assert "visible face" in told.pop("negative_prompt")
    assert set(told.pop("variants")) == {"golden_hour", "blue_hour", "neutral"}
    assert told == {
        "style": "ombres_chinoises",
        "label": "Ombres chinoises",
        "workflow_json": "OmbresChinoises.json",
        "workflows": ["OmbresChinoises.json"],
        "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9, "denoise": 0.4},
    }


def test_servers_tell_what_they_do_and_never_their_headers(api: APIClient) -> None:
    batch = factories.batch([RUNNING])
    Server.objects.update(
        headers={"Authorization": "Bearer secret"}, url="http://user:secret@10.0.0.5:8188"
    )

    answer = api.get("/api/servers")

    shown = answer.json()["results"][0]
    assert b"secret" not in answer.content
    assert shown["url"] == "http://10.0.0.5:8188"
    assert (shown["health"], shown["enabled"], shown["driven"]) == ("up", True, False)
    assert shown["doing"] == [
        {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": "0010", "progress": 50}
    ]


def test_what_is_unfinished_says_when_it_is_expected_to_end(api: APIClient, db: None) -> None:
    done = factories.batch([RunState.DONE])
    server = factories.server()
    factories.attempt(done.runs.get(), on=server, outcome=AttemptOutcome.DONE, render_s=100)
    batch = factories.batch([RunState.QUEUED] * 2, priority=5)
    unknown = factories.batch([RunState.QUEUED], workflow=factories.workflow("Other.json"))

    ends = {row["batch_id"]: row["expected_end"] for row in rows(api, "/api/batches")}
    queue = api.get("/api/queue").json()

    assert ends.pop(batch.public_id) is not None
    assert ends == {unknown.public_id: None, done.public_id: None}
    first, last, not_known = (row["expected_end"] for row in queue["results"])
    assert first < last
    assert (not_known, queue["expected_end"]) == (None, None)
    [plan] = rows(api, f"/api/plans?plan={batch.runs.order_by('-position')[0].plan.code}")
    assert plan["expected_end"] >= last
