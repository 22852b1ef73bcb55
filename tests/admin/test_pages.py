"""The pages about one row."""

import re

import pytest
from django.test import Client

from generation.models import Batch, PlanRun
from generation.services import requested_workflows
from generation.states import RunState
from tests import factories
from tests.admin import pages


def _run_page(office: Client, state: RunState) -> str:
    run = factories.batch((state,)).runs.get()
    factories.log(run.batch, run, "posted")
    factories.log(run.batch, run, "cancel_requested", data={})
    return pages.text(office, pages.url("planrun", run.pk))


def test_a_failed_run_says_what_failed_and_what_to_do_before_anything_else(office: Client) -> None:
    shown = _run_page(office, RunState.ERROR)

    message, remedy = shown.index("out of memory"), shown.index("a server with more memory")
    assert message < remedy < shown.index("Attempts")
    assert "node_error" in shown


def test_a_running_run_shows_its_attempt_and_progress(office: Client) -> None:
    shown = _run_page(office, RunState.RUNNING)

    attempt = Batch.objects.get().runs.get().current_attempt
    assert attempt is not None
    assert attempt.id_on_server in shown
    assert "gpu-1" in shown
    assert "50 %" in shown


def test_the_log_stands_newest_first(office: Client) -> None:
    shown = _run_page(office, RunState.RUNNING)

    assert shown.index("Cancel requested.") < shown.index("gpu-1 accepted the prompt.")


def test_a_done_run_shows_its_image_by_a_signed_address(office: Client) -> None:
    shown = _run_page(office, RunState.DONE)

    assert re.search(r'src="/files/[^"]+/E202_SQ0010-0010_AI-concept_v0001.png"', shown)


def test_a_queued_run_says_why_it_waits(office: Client) -> None:
    shown = _run_page(office, RunState.QUEUED)

    assert "No ComfyUI server takes plans" in shown


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.WAITING, RunState.RUNNING])
def test_an_unfinished_page_refreshes_itself(state: RunState, office: Client) -> None:
    assert "data-unfinished" in _run_page(office, state)


@pytest.mark.parametrize("state", [RunState.DONE, RunState.ERROR, RunState.CANCELLED])
def test_a_finished_page_stays_as_it_is(state: RunState, office: Client) -> None:
    assert "data-unfinished" not in _run_page(office, state)


def test_a_batch_never_shows_all_of_its_plans(office: Client) -> None:
    states = [RunState.QUEUED] * 119 + [RunState.ERROR]
    batch = factories.batch(states, of=factories.many_plans(120))

    shown = pages.text(office, pages.url("batch", batch.pk))

    assert shown.count("E202_SQ0000-") == 50
    assert "All 120 plans" in shown
    assert "E202_SQ0000-0119" in shown, "the failed plan comes first"


def test_a_batch_counts_its_plans_by_state(office: Client) -> None:
    batch = factories.batch((RunState.DONE, RunState.DONE, RunState.ERROR, RunState.RUNNING))

    shown = pages.text(office, pages.url("batch", batch.pk))

    assert "2 done" in shown
    assert "1 error" in shown
    assert "87 %" in shown


def test_a_workflow_shows_its_parameters_and_its_graph(office: Client) -> None:
    workflow = requested_workflows.load("Silhouette.json")

    shown = pages.text(office, pages.url("workflow", workflow.pk))

    assert workflow.sha256 in shown
    assert "Questions and warnings" in shown
    assert "class_type" in shown


@pytest.mark.parametrize("model", ["project", "episode", "sequence", "plan"])
def test_the_tree_leads_down_to_the_plans(model: str, office: Client) -> None:
    plan = factories.batch((RunState.DONE,)).runs.get().plan
    sequence = plan.sequence
    rows = {
        "plan": (plan, "AI-concept_v0001.png"),
        "sequence": (sequence, "E202_SQ0010-0010"),
        "episode": (sequence.episode, ">SQ0010<"),
        "project": (sequence.episode.project, ">E202<"),
    }
    row, child = rows[model]

    assert child in pages.text(office, pages.url(model, row.pk))


def test_the_other_pages_open(office: Client) -> None:
    run = factories.batch((RunState.DONE,)).runs.get()
    entry = factories.log(run.batch, run)
    assert run.result is not None

    assert run.result.sha256 in pages.text(office, pages.url("version", run.result.pk))
    assert "accepted the prompt" in pages.text(office, pages.url("logentry", entry.pk))


def test_what_is_gone_leads_back_to_the_list(office: Client) -> None:
    response = office.get(pages.url("planrun", 404))

    assert response["Location"] == pages.url("planrun")


@pytest.mark.parametrize("model", ["planrun", "batch", "plan", "version", "logentry", "workflow"])
def test_what_the_machine_writes_can_be_neither_added_nor_deleted_nor_sent(
    model: str, office: Client
) -> None:
    run = factories.batch((RunState.DONE,)).runs.get()
    place = pages.url(model)

    assert office.get(f"{place}add/").status_code == 403
    assert office.post(f"{place}{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert office.post(pages.url(model, run.pk), {"state": "done"}).status_code == 405


def test_names_from_outside_are_shown_as_text(office: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    type(run).objects.update(error_message="<script>alert(1)</script>")

    assert "<script>alert(1)" not in pages.text(office, pages.url("planrun", run.pk))


REASON = f"KSampler: {'mat1 and mat2 shapes cannot be multiplied, ' * 20}in the end."


def test_why_an_attempt_failed_stands_whole_on_the_pages_of_its_run_and_server(
    office: Client,
) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    attempt = factories.attempt(run, outcome="error", outcome_detail=REASON)

    assert REASON in pages.text(office, pages.url("planrun", run.pk))
    assert REASON in pages.text(office, pages.url("server", attempt.server_id))


def test_a_long_reason_in_a_list_unfolds_without_a_mouse(office: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    type(run).objects.update(error_message=REASON)

    shown = pages.text(office, pages.url("planrun"))

    assert '<details class="madsea-why"><summary>KSampler' in shown
    assert REASON in shown


def test_a_batch_shows_what_people_call_it_and_why_it_was_asked_for(office: Client) -> None:
    batch = factories.batch(name="Retakes <b>", reason="More wind.", variations=2)

    shown = pages.text(office, pages.url("batch", batch.pk))

    assert "Retakes &lt;b&gt;" in shown
    assert "More wind." in shown
    assert "Retakes &lt;b&gt;" in pages.text(office, pages.url("batch") + "?q=retakes")


def test_a_run_says_which_variation_it_is(office: Client) -> None:
    run = factories.batch([RunState.QUEUED], variations=2).runs.get()
    PlanRun.objects.update(variation=2)

    shown = pages.text(office, pages.url("planrun", run.pk))

    assert "E202_SQ0010-0010 · 2" in shown
    assert "2 of 2" in shown
