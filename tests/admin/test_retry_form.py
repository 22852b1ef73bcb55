"""Supervisors retry a plan with another workflow from its run's page."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from generation.models import PlanRun
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
    assert pages.said(retry_with(office, failed, NAME)) == [f"Queued again, with {NAME}."]

    failed.refresh_from_db()
    assert failed.state == RunState.QUEUED
    assert "instead of its batch" in pages.text(office, pages.url("planrun", failed.pk))


def test_a_workflow_that_there_is_not_is_refused(office: Client, failed: PlanRun) -> None:
    (said,) = pages.said(retry_with(office, failed, "Nothing.json"))

    assert said.startswith("There is no workflow 'Nothing.json'")


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
