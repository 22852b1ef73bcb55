"""Before something is stopped or done to many, a page asks: how many of what, and which."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from generation.models import Batch, Block, Server
from generation.states import RunState, ServerHealth
from tests import factories
from tests.admin import pages

DONE, ERROR, QUEUED, RUNNING = RunState.DONE, RunState.ERROR, RunState.QUEUED, RunState.RUNNING
CANCELLED, WAITING = RunState.CANCELLED, RunState.WAITING


def _states(batch: Batch) -> list[str]:
    return [run.state for run in batch.runs.order_by("position")]


def _asked(client: Client, row: Any, act: str, model: str = "batch") -> pages.Asked:
    return pages.asked(client.post(pages.url(model, row.pk, act)))


def test_a_cancel_names_how_many_plans_of_which_batch_and_does_nothing_yet(office: Client) -> None:
    batch = factories.batch([DONE, *[QUEUED] * 38, RUNNING], public_id="feedc0de")

    question = _asked(office, batch, "cancel")

    assert "Cancel: 39 plans of 1 batch?" in question.text
    assert "feedc0de (madsea-2025-ep202, E202, Ombres chinoises): 39 plans" in question.text
    assert _states(batch) == ["done", *["queued"] * 38, "running"]


def test_a_retry_of_a_cancelled_batch_asks_for_all_of_its_plans(office: Client) -> None:
    batch = factories.batch([CANCELLED] * 39, cancel_requested_at=timezone.now())

    question = _asked(office, batch, "retry")

    assert "Retry: 39 plans of 1 batch?" in question.text
    assert _states(batch) == ["cancelled"] * 39
    assert pages.agree(office, question) == ["1 batch (39 plans) queued again."]


def test_a_retry_of_one_plan_is_no_question(office: Client) -> None:
    batch = factories.batch([ERROR, DONE])

    assert pages.press(office, "batch", batch, "retry") == ["1 batch (1 plan) queued again."]


def test_a_cancel_of_many_batches_asks_once_for_all(office: Client) -> None:
    first, second = factories.batch([QUEUED] * 2), factories.batch([WAITING] * 3)
    over = factories.batch([DONE], public_id="finished")

    question = pages.asked(pages.choose(office, "batch", "cancel", [first, second, over]))

    assert "Cancel: 5 plans of 2 batches?" in question.text
    assert "1 batch of your choice is left alone" in question.text
    assert "finished" not in question.text
    pages.agree(office, question)
    assert _states(first) + _states(second) == ["cancelled"] * 5


@pytest.mark.parametrize(("model", "act"), [("planrun", "cancel"), ("plan", "cancel")])
def test_a_cancel_of_a_single_plan_asks_too(model: str, act: str, office: Client) -> None:
    run = factories.batch([RUNNING]).runs.get()
    row = {"planrun": run, "plan": run.plan}[model]

    question = _asked(office, row, act, model)

    assert "E202_SQ0010-0010" in question.text
    run.refresh_from_db()
    assert run.cancel_requested_at is None


def test_the_answer_is_for_what_was_shown_whatever_the_list_would_show_now(office: Client) -> None:
    shown = factories.batch([ERROR] * 3)
    chosen = list(shown.runs.all())

    question = pages.asked(
        pages.choose(office, "planrun", "retry", chosen, query="?state__exact=error")
    )
    later = factories.batch([ERROR], of=factories.plans({"SQ0020": ["0010"]}))

    assert pages.agree(office, question) == ["3 plan runs queued again."]
    assert (_states(shown), _states(later)) == (["queued"] * 3, ["error"])


def test_all_rows_of_a_filtered_list_are_those_that_were_shown(office: Client) -> None:
    shown = factories.batch([ERROR] * 3)
    form = {"action": "retry", "_selected_action": "1", "select_across": "1", "index": 0}
    response = office.post(f"{pages.url('planrun')}?state__exact=error", form)
    later = factories.batch([ERROR], of=factories.plans({"SQ0020": ["0010"]}))

    said = pages.agree(office, pages.asked(response))

    assert said == ["3 plan runs queued again."]
    assert (_states(shown), _states(later)) == (["queued"] * 3, ["error"])


def test_what_finished_meanwhile_is_left_alone_and_told(office: Client) -> None:
    batch = factories.batch([QUEUED] * 3)
    question = _asked(office, batch, "cancel")
    gone = batch.runs.order_by("position")[0]
    pages.press_and_agree(office, "planrun", gone, "cancel")

    done, left = pages.agree(office, question)[-2:]

    assert done.startswith("1 batch (2 plans) cancelled")
    assert left == "1 plan had changed meanwhile and was left alone."


def test_where_more_has_come_in_it_asks_anew(office: Client) -> None:
    batch = factories.batch([QUEUED, ERROR, ERROR])
    question = _asked(office, batch, "cancel")
    pages.press_and_agree(office, "batch", batch, "retry")

    anew = pages.asked(office.post(question.url, question.form))

    assert "Cancel: 3 plans of 1 batch?" in anew.text
    assert _states(batch) == ["queued"] * 3
    assert pages.agree(office, anew)[0].startswith("1 batch (3 plans) cancelled")


def test_a_plan_that_another_batch_asked_for_meanwhile_is_asked_about_anew(office: Client) -> None:
    plan = factories.plans()[0]
    factories.batch([QUEUED], of=[plan])
    question = _asked(office, plan, "cancel", "plan")
    newer = factories.batch([QUEUED], of=[plan])

    pages.asked(office.post(question.url, question.form))

    assert _states(newer) == ["queued"]


def test_the_same_answer_sent_twice_acts_once(office: Client) -> None:
    batch = factories.batch([ERROR, ERROR])
    question = _asked(office, batch, "retry")
    pages.agree(office, question)
    batch.runs.update(state=ERROR, error_code="node_error")
    Batch.objects.update(n_error=2, n_queued=0)

    said = pages.agree(office, question)

    assert said[-1] == "You answered this before: nothing more was done now."
    assert _states(batch) == ["error", "error"]


def test_an_answer_that_was_tampered_with_does_nothing(office: Client) -> None:
    batch = factories.batch([QUEUED] * 2)
    question = _asked(office, batch, "cancel")

    response = office.post(question.url, {**question.form, "shown": f"x{question.form['shown']}"})

    assert pages.said(response) == ["Nothing was done: that page was too old. Choose again."]
    assert _states(batch) == ["queued"] * 2


def test_the_answer_to_one_question_answers_no_other(office: Client) -> None:
    batch = factories.batch([ERROR, ERROR, QUEUED])
    question = _asked(office, batch, "retry")

    office.post("/admin/generation/batch/answer/cancel/", question.form)

    assert _states(batch) == ["error", "error", "queued"]


def test_a_look_at_where_answers_go_does_nothing(office: Client) -> None:
    batch = factories.batch([QUEUED] * 2)
    question = _asked(office, batch, "cancel")

    assert office.get(question.url, question.form).status_code == 405
    assert _states(batch) == ["queued"] * 2


def test_who_may_only_look_answers_nothing(office: Client, visitor: Client) -> None:
    batch = factories.batch([QUEUED] * 2)
    question = _asked(office, batch, "cancel")

    assert visitor.post(question.url, question.form).status_code == 403
    assert _states(batch) == ["queued"] * 2


def test_after_the_answer_the_list_is_shown_again_as_it_was(office: Client) -> None:
    batch = factories.batch([QUEUED] * 2)
    origin = "http://testserver/admin/generation/batch/?status=started"
    asked = office.post(pages.url("batch", batch.pk, "cancel"), headers={"referer": origin})
    question = pages.asked(asked)

    response = office.post(question.url, question.form)

    assert response["Location"] == origin


def test_after_the_answer_nobody_is_sent_to_another_site(office: Client) -> None:
    batch = factories.batch([QUEUED] * 2)
    question = _asked(office, batch, "cancel")

    response = office.post(question.url, {**question.form, "back": "https://elsewhere.example/"})

    assert response["Location"] == pages.url("batch")


def test_giving_a_server_up_says_how_many_plans_it_has(office: Client) -> None:
    factories.batch([RUNNING, RUNNING])
    Server.objects.update(health=ServerHealth.DOWN)

    question = _asked(office, Server.objects.get(), "give_up", "server")

    assert "Give up: 2 plans of 1 server?" in question.text
    assert set(_states(Batch.objects.get())) == {"running"}


@pytest.mark.parametrize("act", ["drain", "disable"])
def test_taking_the_last_server_out_says_that_everything_waits(act: str, office: Client) -> None:
    first, second = factories.server("gpu-1"), factories.server("gpu-2")

    one = _asked(office, first, act, "server")
    both = pages.asked(pages.choose(office, "server", act, [first, second]))

    assert "After that, 1 server takes work." in one.text
    assert "After that, no server takes work" in both.text


def test_lifting_blocks_says_how_many(office: Client) -> None:
    server = factories.server()
    Block.objects.create(server=server, workflow=factories.workflow(), detail="3 plans in a row")

    question = _asked(office, server, "lift", "server")

    assert "Lift blocks: 1 block of 1 server?" in question.text
    assert pages.agree(office, question)[0].startswith("1 server (1 block)")
    assert not Block.objects.exists()


def test_a_question_asks_the_database_no_more_for_more_batches(
    office: Client, django_assert_max_num_queries: Any
) -> None:
    plans = factories.many_plans(40)
    batches = [factories.batch([QUEUED], of=[plan]) for plan in plans]

    # Ten of them are the forecast that the list tells.
    with django_assert_max_num_queries(24):
        pages.choose(office, "batch", "cancel", batches)
