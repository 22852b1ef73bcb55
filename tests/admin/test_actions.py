"""What supervisors do: retry and cancel, on one and on many, with an answer that tells."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Batch, LogEntry, PlanRun
from generation.states import BatchState, RunState
from tests import factories
from tests.admin import pages
from tests.admin.conftest import signed_in

MIXED = (RunState.ERROR, RunState.CANCELLED, RunState.DONE, RunState.RUNNING)


def _states(batch: Batch) -> list[str]:
    return [run.state for run in batch.runs.order_by("position")]


def test_retry_on_one_run_queues_it_again(office: Client, supervisor: User) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()

    said = pages.press(office, "planrun", run, "retry")

    assert said == ["1 plan run queued again."]
    assert _states(run.batch) == ["queued"]
    assert LogEntry.objects.get(event="retried").actor == supervisor


def test_retry_on_many_says_what_it_did_and_what_it_refused(office: Client) -> None:
    batch = factories.batch(MIXED)

    done, refused = pages.select_and_agree(office, "planrun", "retry", list(batch.runs.all()))

    assert done == "2 plan runs queued again."
    assert refused.startswith("2 plan runs not changed.")
    assert "E202_SQ0010-0030: The plan is done" in refused
    assert "E202_SQ0010-0040: The plan is running" in refused
    assert _states(batch) == ["queued", "queued", "done", "running"]


def test_refusals_are_grouped_by_their_reason(office: Client) -> None:
    batch = factories.batch((RunState.DONE,) * 7)

    (refused,) = pages.select(office, "planrun", "retry", list(batch.runs.all()))

    assert refused.count("The plan is done") == 1
    assert "and 2 more" in refused


def test_cancel_on_many_runs(office: Client) -> None:
    batch = factories.batch((RunState.QUEUED, RunState.DONE, RunState.CANCELLED))

    done, refused = pages.select_and_agree(office, "planrun", "cancel", list(batch.runs.all()))

    assert done.startswith("1 plan run cancelled")
    assert "E202_SQ0010-0020: The plan is done already." in refused
    assert "E202_SQ0010-0030: It is cancelled already" in refused
    assert _states(batch) == ["cancelled", "done", "cancelled"]


def test_retry_of_a_batch_takes_its_failed_plans(office: Client) -> None:
    batch = factories.batch(MIXED)

    said = pages.press(office, "batch", batch, "retry")

    assert said == ["1 batch (1 plan) queued again."]
    assert _states(batch) == ["queued", "cancelled", "done", "running"]


def test_cancel_on_many_batches_refuses_the_finished(office: Client) -> None:
    going = factories.batch((RunState.QUEUED,) * 2)
    over = factories.batch((RunState.DONE,), public_id="finished")

    done, refused = pages.select_and_agree(office, "batch", "cancel", [going, over])

    assert done.startswith("1 batch (2 plans) cancelled")
    assert refused == "1 batch not changed. finished: Nothing is left in it to cancel."
    going.refresh_from_db()
    assert going.status == BatchState.CANCELLED


def test_acts_on_plans_take_the_latest_run(office: Client) -> None:
    plan = factories.plans()[0]
    old = factories.batch((RunState.ERROR,), of=[plan])
    new = factories.batch((RunState.ERROR,), of=[plan])

    said = pages.press(office, "plan", plan, "retry")

    assert said == ["1 plan queued again."]
    assert (_states(old), _states(new)) == (["error"], ["queued"])


def test_a_plan_that_nobody_asked_for_is_refused(office: Client) -> None:
    plans = factories.plans()

    said = pages.select(office, "plan", "cancel", plans[:1])

    assert said == ["1 plan not changed. E202_SQ0010-0010: No batch has ever asked for it."]


def test_more_than_500_rows_at_once_are_refused_whole(office: Client) -> None:
    batch = factories.batch([RunState.ERROR] * 501, of=factories.many_plans(501))

    form = {"action": "retry", "_selected_action": "1", "select_across": "1", "index": 0}
    (said,) = pages.said(office.post(pages.url("planrun"), form))

    assert said.startswith("Nothing was done: at most 500 at once.")
    batch.refresh_from_db()
    assert batch.n_error == 501


@pytest.mark.parametrize(
    ("model", "act"),
    [("planrun", "retry"), ("planrun", "cancel"), ("batch", "cancel"), ("plan", "retry")],
)
def test_nothing_changes_by_a_get(model: str, act: str, office: Client) -> None:
    factories.batch((RunState.ERROR, RunState.QUEUED))

    response = office.get(pages.url(model, 1, act))

    assert response.status_code == 405
    assert PlanRun.objects.filter(state=RunState.QUEUED).count() == 1


def test_an_act_without_the_form_s_token_is_refused(supervisor: User) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(supervisor)

    response = careful.post(pages.url("planrun", run.pk, "retry"))

    assert response.status_code == 403
    assert _states(run.batch) == ["error"]


def test_staff_with_the_change_permission_may_act(desk: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()

    assert pages.press(desk, "planrun", run, "retry") == ["1 plan run queued again."]


def test_staff_who_may_only_look_is_offered_nothing_and_refused(visitor: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()

    assert "data-act" not in pages.text(visitor, pages.url("planrun"))
    assert "data-act" not in pages.text(visitor, pages.url("planrun", run.pk))
    assert visitor.post(pages.url("planrun", run.pk, "retry")).status_code == 403
    form = {"action": "retry", "_selected_action": [run.pk], "index": 0}
    visitor.post(pages.url("planrun"), form)
    assert _states(run.batch) == ["error"]


def test_whoever_is_no_staff_is_sent_to_the_sign_in(artist: User) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()

    response = signed_in(artist).post(pages.url("planrun", run.pk, "retry"))

    assert response["Location"].startswith("/admin/login/")
    assert _states(run.batch) == ["error"]


def test_after_an_act_the_list_is_shown_again_as_it_was(office: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    origin = "http://testserver/admin/generation/planrun/?state__exact=error"

    response = office.post(pages.url("planrun", run.pk, "retry"), headers={"referer": origin})

    assert response["Location"] == origin


def test_after_an_act_nobody_is_sent_to_another_site(office: Client) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    origin = "http://elsewhere.example/admin/"

    response = office.post(pages.url("planrun", run.pk, "retry"), headers={"referer": origin})

    assert response["Location"] == pages.url("planrun", run.pk)
