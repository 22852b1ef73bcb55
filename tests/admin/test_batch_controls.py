"""Batches are paused, resumed and put in order from the admin; pages say what servers lack."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Batch, LogEntry, PlanRun
from generation.states import RunState
from tests import factories
from tests.admin import pages

QUEUED, DONE = RunState.QUEUED, RunState.DONE


def set_priority(client: Client, batch: Batch, value: str) -> list[str]:
    return pages.said(client.post(pages.url("batch", batch.pk, "priority"), {"priority": value}))


def rename(client: Client, batch: Batch, name: str) -> list[str]:
    return pages.said(client.post(pages.url("batch", batch.pk, "name"), {"name": name}))


def test_a_batch_is_renamed_and_found_by_its_name(
    desk: Client, batch: Batch, supervisor: User
) -> None:
    assert rename(desk, batch, " Retakes of the forest ") == [
        "It is called “Retakes of the forest” now."
    ]

    batch.refresh_from_db()
    assert batch.name == "Retakes of the forest"
    assert "Called “Retakes of the forest”" in pages.text(desk, pages.url("batch", batch.pk))
    found = pages.text(desk, f"{pages.url('batch')}?q=forest")
    assert batch.public_id in found


@pytest.mark.parametrize(
    ("name", "words"), [(" ", "a batch keeps a name"), ("x" * 201, "at most 200 characters")]
)
def test_a_name_that_is_none_is_refused(name: str, words: str, desk: Client, batch: Batch) -> None:
    (refused,) = rename(desk, batch, name)

    assert words in refused


def test_whoever_may_change_nothing_renames_nothing(visitor: Client, batch: Batch) -> None:
    answer = visitor.post(pages.url("batch", batch.pk, "name"), {"name": "Mine"})

    assert answer.status_code == 403
    assert 'name="name"' not in pages.text(visitor, pages.url("batch", batch.pk))


def test_a_batch_shows_its_pictures(office: Client) -> None:
    batch = factories.batch([RunState.RUNNING])
    version = factories.version(batch.runs.get().plan, task="AI-concept", batch=batch)

    shown = pages.text(office, pages.url("batch", batch.pk))

    (strip,) = re.findall(r'<div id="page-strip".*?</div>', shown, re.DOTALL)
    assert str(version) in strip


def test_pause_and_resume_on_one(office: Client, batch: Batch, supervisor: User) -> None:
    paused = pages.press(office, "batch", batch, "pause")
    shown = pages.text(office, pages.url("batch", batch.pk))
    resumed = pages.press(office, "batch", batch, "resume")

    assert paused == ["1 batch paused: what runs is finished, nothing more is taken."]
    assert ">paused</span>" in shown
    assert resumed == ["1 batch resumed."]
    assert {entry.actor for entry in LogEntry.objects.all()} == {supervisor}


def test_pause_on_many_says_what_it_refused(office: Client) -> None:
    rows = [factories.batch([QUEUED]), factories.batch([DONE])]

    done, refused = pages.select(office, "batch", "pause", rows)

    assert done.startswith("1 batch paused")
    assert "The batch is finished: there is nothing to pause." in refused


@pytest.mark.parametrize(("act", "expected"), [("raise", 100), ("lower", 85)])
def test_the_priority_of_many_is_moved_within_its_bounds(
    office: Client, act: str, expected: int
) -> None:
    batch = factories.batch([QUEUED], priority=95)

    pages.select(office, "batch", act, [batch])

    batch.refresh_from_db()
    assert batch.priority == expected


def test_a_priority_that_goes_no_further_is_refused(office: Client) -> None:
    (refused,) = pages.select(office, "batch", "raise", [factories.batch([QUEUED], priority=100)])

    assert "100 already" in refused


def test_the_field_sets_the_priority(desk: Client, batch: Batch) -> None:
    assert set_priority(desk, batch, "-7") == ["Priority: -7."]

    batch.refresh_from_db()
    assert batch.priority == -7
    assert 'name="priority"' in pages.text(desk, pages.url("batch", batch.pk))


@pytest.mark.parametrize("value", ["101", "", "first", "1.5"])
def test_the_field_takes_no_other_priority(office: Client, batch: Batch, value: str) -> None:
    (said,) = set_priority(office, batch, value)

    batch.refresh_from_db()
    assert batch.priority == 0
    assert "must be" in said


def test_who_may_only_look_changes_no_priority(visitor: Client, batch: Batch) -> None:
    address = pages.url("batch", batch.pk, "priority")

    assert visitor.post(address, {"priority": "5"}).status_code == 403
    assert 'name="priority"' not in pages.text(visitor, pages.url("batch", batch.pk))


def test_no_priority_is_set_by_looking(office: Client, batch: Batch) -> None:
    assert office.get(pages.url("batch", batch.pk, "priority")).status_code == 405
    assert office.post("/admin/generation/batch/999999/priority/").status_code == 404


def test_the_page_of_a_plan_says_what_each_server_lacks(office: Client) -> None:
    run = factories.unmet(missing="Real.safetensors").runs.get()

    assert "gpu-1 lacks Real.safetensors" in pages.text(office, pages.url("planrun", run.pk))
    assert "No server that answers can take" in pages.text(office, pages.url("planrun"))


def test_pages_judge_a_plan_that_was_retried_with_another_model_by_that(office: Client) -> None:
    own = factories.unmet(missing="Own.pt").needs
    run = factories.batch([RunState.QUEUED], workflow=factories.workflow("Other.json")).runs.get()
    factories.regroup(PlanRun.objects.filter(pk=run.pk), own)

    shown = pages.text(office, pages.url("server", factories.server().pk))

    assert "gpu-1 lacks Own.pt" in pages.text(office, pages.url("planrun", run.pk))
    assert "Other.json" in shown


def test_the_page_of_a_server_says_what_it_cannot_run(office: Client) -> None:
    batch = factories.unmet(missing="Real.safetensors")
    server = batch.needs.capabilities.get().server

    shown = pages.text(office, pages.url("server", server.pk))

    assert "Real.safetensors for Loader.name" in shown
    assert "It lacks nothing" in pages.text(
        office, pages.url("server", factories.server("gpu-2").pk)
    )


def test_the_page_of_a_server_says_what_it_has_loaded_and_how_long_plans_take(
    office: Client,
) -> None:
    run = factories.batch([RunState.QUEUED]).runs.get()
    graph = {"1": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux.safetensors"}}}
    factories.attempt(
        run, outcome="done", render_s=20.0, graph=graph, acknowledged_at=factories.NOW
    )

    shown = pages.text(office, pages.url("server", factories.server().pk))

    assert "flux.safetensors" in shown
    assert "20.0 s" in shown
