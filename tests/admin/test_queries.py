"""Pages make as many queries for much as for little."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation.models import Plan, PlanRun, Server
from generation.states import RunState
from tests import factories
from tests.admin import pages

STATES = (RunState.RUNNING, RunState.DONE, RunState.ERROR, RunState.QUEUED)


def _n_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        pages.text(client, address)
    return len(captured)


def _more(plans: list[Plan]) -> None:
    """Ask for the plans again, each in a batch of four states, with a log."""
    for _ in range(3):
        batch = factories.batch(STATES, of=plans)
        for run in batch.runs.all():
            factories.version(run.plan, task="extracted-raw")
            factories.log(batch, run)
            factories.attempt(run, outcome="error")


def _rows(plan: Plan) -> dict[str, int]:
    run = PlanRun.objects.filter(plan=plan).order_by("pk")[0]
    sequence = plan.sequence
    return {
        "planrun": run.pk,
        "plan": plan.pk,
        "sequence": sequence.pk,
        "episode": sequence.episode_id,
        "project": sequence.episode.project_id,
        "server": Server.objects.get().pk,
    }


@pytest.mark.parametrize("model", ["planrun", "plan", "sequence", "episode", "project", "server"])
def test_a_page_of_much_makes_as_many_queries_as_one_of_little(model: str, office: Client) -> None:
    plans = factories.many_plans(4)
    _more(plans)
    address = pages.url(model, _rows(plans[0])[model])
    few = _n_queries(office, address)

    _more(plans)

    assert _n_queries(office, address) <= few


def test_a_large_batch_s_page_makes_as_many_queries_as_a_small_one_s(office: Client) -> None:
    plans = factories.many_plans(44)
    small = factories.batch(STATES, of=plans[:4])
    large = factories.batch(STATES * 10, of=plans[4:])

    few = _n_queries(office, pages.url("batch", small.pk))

    assert _n_queries(office, pages.url("batch", large.pk)) == few


def test_the_home_page_makes_as_many_queries_for_much_as_for_little(office: Client) -> None:
    plans = factories.many_plans(4)
    _more(plans)
    few = _n_queries(office, "/admin/")

    _more(plans)

    assert _n_queries(office, "/admin/") == few


def _choose(model: str) -> Callable[[Client, list[PlanRun]], int]:
    def count(client: Client, runs: list[PlanRun]) -> int:
        rows = {"planrun": runs, "plan": [run.plan for run in runs]}[model]
        with CaptureQueriesContext(connection) as captured:
            pages.asked(pages.choose(client, model, "cancel", rows))
        return len(captured)

    return count


@pytest.mark.parametrize("model", ["planrun", "plan"])
def test_a_question_about_many_makes_as_many_queries_as_about_two(
    model: str, office: Client
) -> None:
    count = _choose(model)
    runs = list(factories.batch([RunState.QUEUED] * 30, of=factories.many_plans(30)).runs.all())

    assert count(office, runs) == count(office, runs[:2])
