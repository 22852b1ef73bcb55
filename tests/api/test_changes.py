"""Following a batch cheaply: 304 when nothing has changed, `since` for what has."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Batch, PlanRun, Server
from generation.services.transitions.unit_of_work import change
from generation.states import Mode, RunState, ServerHealth
from tests import factories
from tests.api.calls import queries_of, status

QUEUED, WAITING, DONE = RunState.QUEUED, RunState.WAITING, RunState.DONE


def test_an_unchanged_batch_is_304(api: APIClient, batch: Batch) -> None:
    tag = status(api, batch)["ETag"]

    answer = status(api, batch, if_none_match=tag)

    assert answer.status_code == 304
    assert answer.content == b""
    assert "Content-Type" not in answer
    assert answer["ETag"] == tag
    assert answer["Cache-Control"] == "private, no-cache"


def test_a_304_takes_one_query_beside_the_token(api: APIClient, batch: Batch) -> None:
    factories.server()
    tag = status(api, batch)["ETag"]

    assert queries_of(api, batch, if_none_match=tag) == 2


@pytest.mark.parametrize("seen", ['"other"', 'W/"abc.1.0"', "", "nonsense"])
def test_another_tag_is_no_304(api: APIClient, batch: Batch, seen: str) -> None:
    assert status(api, batch, if_none_match=seen).status_code == 200


def test_a_tag_among_others_is_found(api: APIClient, batch: Batch) -> None:
    tag = status(api, batch)["ETag"]

    assert status(api, batch, if_none_match=f'"a", {tag}').status_code == 304


def test_a_change_makes_a_new_tag(api: APIClient, batch: Batch) -> None:
    tag = status(api, batch)["ETag"]
    touch(batch, batch.runs.first())

    answer = status(api, batch, if_none_match=tag)

    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_a_server_that_goes_down_makes_a_new_tag_while_plans_wait(
    api: APIClient, batch: Batch
) -> None:
    factories.server()
    tag = status(api, batch)["ETag"]
    Server.objects.update(health=ServerHealth.DOWN)

    assert status(api, batch, if_none_match=tag).status_code == 200


def test_a_server_that_goes_down_leaves_the_tag_of_a_finished_batch(api: APIClient) -> None:
    factories.server()
    batch = factories.batch([DONE])
    tag = status(api, batch)["ETag"]
    Server.objects.update(health=ServerHealth.DOWN)

    assert status(api, batch, if_none_match=tag).status_code == 304


def test_addresses_that_grow_old_make_a_new_tag(
    api: APIClient, batch: Batch, settings: Any
) -> None:
    tag = status(api, batch)["ETag"]
    settings.MADSEA_FILE_LINK_S = 86_400

    assert status(api, batch, if_none_match=tag).status_code == 200


def test_since_leaves_out_what_has_not_changed(api: APIClient) -> None:
    batch = factories.batch([DONE, QUEUED, QUEUED])
    seen = status(api, batch).json()["revision"]
    touch(batch, batch.runs.get(plan__code="0020"))

    document = status(api, batch, f"&since={seen}").json()

    assert [plan["plan"] for plan in document["plans"]] == ["0020"]
    assert [line["plan"] for line in document["logs"]] == ["0020"]
    assert document["results"] == []
    assert document["counts"]["total"] == 3
    assert document["progress"] == 33
    assert document["revision"] == seen + 1
    assert "reset" not in document


def test_since_brings_a_result_when_it_is_published(api: APIClient) -> None:
    batch = factories.batch([WAITING], mode=Mode.MANUEL)
    seen = status(api, batch).json()["revision"]
    body = {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": "0010"}
    body_with_file = body | {"file": factories.sent(factories.png())}
    api.post("/api/generate_ai_concept/upload", body_with_file, format="multipart")

    document = status(api, batch, f"&since={seen}").json()

    assert len(document["results"]) == 1
    assert document["plans"][0]["status"] == "done"


def test_since_the_present_revision_is_empty(api: APIClient, batch: Batch) -> None:
    document = status(api, batch, f"&since={batch.revision}").json()

    assert (document["plans"], document["logs"], document["results"]) == ([], [], [])


@pytest.mark.parametrize("since", [2, 99, 10**17])
def test_since_a_revision_to_come_is_the_whole_document_and_a_reset(
    api: APIClient, batch: Batch, since: int
) -> None:
    document = status(api, batch, f"&since={since}").json()

    assert len(document["plans"]) == 3
    assert document["reset"] is True


def test_since_is_whole_again_when_the_tag_tells_of_other_servers(
    api: APIClient, batch: Batch
) -> None:
    factories.server()
    first = status(api, batch)
    Server.objects.update(health=ServerHealth.DOWN)

    again = status(api, batch, f"&since={batch.revision}", if_none_match=first["ETag"]).json()

    assert again["reset"] is True
    assert [plan["waits"]["code"] for plan in again["plans"]] == ["servers_down"] * 3


def touch(batch: Batch, run: PlanRun | None) -> None:
    """Change one run, as a transition would."""
    assert run is not None
    with change(batch.pk) as now:
        now.edit(PlanRun.objects.filter(pk=run.pk), progress_pct=1)
        now.log("posted", run.pk, server="gpu-1")
