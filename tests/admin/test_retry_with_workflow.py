"""Supervisors retry with another workflow, from the page of a plan's run or of a batch."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from generation.models import Batch, PlanRun
from generation.states import Mode, RunState
from tests import factories
from tests.admin import pages
from tests.driver import flying

NAME = "Corrected.json"


@pytest.fixture
def failed(db: None, tmp_path: Path, settings: Any) -> PlanRun:
    """A run that failed, and the corrected file."""
    settings.MADSEA_WORKFLOWS = tmp_path
    (tmp_path / NAME).write_text(json.dumps(flying.SAMPLED))
    batch = factories.batch([RunState.ERROR], workflow=flying.workflow(flying.SAMPLED))
    return batch.runs.get()


def retry_with(client: Client, run: PlanRun, name: str) -> Any:
    address = pages.url("planrun", run.pk, "retry_with")
    return client.post(address, {"workflow_json": name})


def test_the_page_of_a_failed_run_offers_the_workflows(office: Client, failed: PlanRun) -> None:
    assert f"<option>{NAME}</option>" in pages.text(office, pages.url("planrun", failed.pk))


def test_a_run_is_retried_with_the_chosen_one(office: Client, failed: PlanRun) -> None:
    assert pages.said(retry_with(office, failed, NAME)) == [
        f"1 plan run queued again, with {NAME}."
    ]

    failed.refresh_from_db()
    assert failed.state == RunState.QUEUED
    assert "instead of its batch" in pages.text(office, pages.url("planrun", failed.pk))


def test_a_workflow_that_there_is_not_is_refused(office: Client, failed: PlanRun) -> None:
    (said,) = pages.said(retry_with(office, failed, "Nothing.json"))

    assert said.startswith("1 plan run not changed.")
    assert "There is no workflow 'Nothing.json'" in said


def test_who_may_only_look_is_offered_nothing(visitor: Client, failed: PlanRun) -> None:
    assert retry_with(visitor, failed, NAME).status_code == 403
    assert "Retry with it" not in pages.text(visitor, pages.url("planrun", failed.pk))


@pytest.mark.parametrize(
    ("state", "mode"), [(RunState.DONE, Mode.AUTO), (RunState.CANCELLED, Mode.MANUEL)]
)
def test_what_takes_none_is_offered_none(
    office: Client, failed: PlanRun, state: RunState, mode: Mode
) -> None:
    run = factories.batch([state], of=[failed.plan], mode=mode).runs.get()

    assert "Retry with it" not in pages.text(office, pages.url("planrun", run.pk))


# A whole batch ------------------------------------------------------------------------------------


@pytest.fixture
def broken(failed: PlanRun) -> Batch:
    """A batch of which two plans failed and one is done."""
    states = [RunState.ERROR, RunState.DONE, RunState.ERROR]
    return factories.batch(states, workflow=flying.workflow(flying.SAMPLED))


def retry_all_with(client: Client, batch: Batch, name: str) -> Any:
    return client.post(pages.url("batch", batch.pk, "retry_with"), {"workflow_json": name})


def workflows_of(batch: Batch) -> list[str | None]:
    runs = batch.runs.order_by("position")
    return [run.own_workflow.name if run.own_workflow else None for run in runs]


def test_a_batch_is_retried_with_the_chosen_one_after_a_question(
    office: Client, broken: Batch
) -> None:
    assert f"<option>{NAME}</option>" in pages.text(office, pages.url("batch", broken.pk))
    question = pages.asked(retry_all_with(office, broken, NAME))

    assert f"Retry with {NAME}: 2 plans of 1 batch?" in question.text
    assert workflows_of(broken) == [None, None, None]
    assert pages.agree(office, question) == [f"1 batch (2 plans) queued again, with {NAME}."]
    assert workflows_of(broken) == [NAME, None, NAME]
    page = pages.text(office, pages.url("batch", broken.pk))
    assert f"(2 plans with {NAME} instead)" in page


def test_the_answer_is_for_the_workflow_that_was_asked_about(office: Client, broken: Batch) -> None:
    question = pages.asked(retry_all_with(office, broken, NAME))
    question.form["workflow_json"] = "Another.json"

    assert pages.agree(office, question) == [
        "Nothing was done: that page was too old. Choose again."
    ]
    assert workflows_of(broken) == [None, None, None]


def test_what_the_chosen_one_cannot_take_is_said_in_full(office: Client, broken: Batch) -> None:
    Batch.objects.filter(pk=broken.pk).update(
        params={"lora_strength": 0.5, "guidance": 3.0},
        sources=dict.fromkeys(["lora_strength", "guidance"], "request"),
    )

    (said,) = pages.agree(office, pages.asked(retry_all_with(office, broken, NAME)))

    assert said.startswith("1 batch not changed.")
    assert "lora_strength" in said
    assert "guidance" in said


def test_a_single_plan_of_a_batch_is_retried_without_a_question(
    office: Client, failed: PlanRun
) -> None:
    said = pages.said(retry_all_with(office, failed.batch, NAME))

    assert said == [f"1 batch (1 plan) queued again, with {NAME}."]


def test_who_may_only_look_at_a_batch_is_offered_nothing(visitor: Client, broken: Batch) -> None:
    assert retry_all_with(visitor, broken, NAME).status_code == 403
    assert "Retry with it" not in pages.text(visitor, pages.url("batch", broken.pk))


@pytest.mark.parametrize(
    ("state", "mode"), [(RunState.DONE, Mode.AUTO), (RunState.CANCELLED, Mode.MANUEL)]
)
def test_a_batch_that_takes_none_is_offered_none(
    office: Client, failed: PlanRun, state: RunState, mode: Mode
) -> None:
    batch = factories.batch([state], of=[failed.plan], mode=mode)

    assert "Retry with it" not in pages.text(office, pages.url("batch", batch.pk))
