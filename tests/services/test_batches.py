"""The use cases of a batch: create, cancel, retry."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.errors import Conflict, InvalidRequest
from generation.events import sentence
from generation.models import Batch, Episode, Plan, PlanRun, Project, Sequence
from generation.services import batches, plan_runs, request_validation
from generation.states import BatchState, RunState, WaitReason
from tests import factories
from tests.services.counting import counted, counters
from tests.services.test_requests import EXAMPLE

pytestmark = pytest.mark.django_db


def created(requester: User | None = None, **change: Any) -> Batch:
    return batches.create(request_validation.read(EXAMPLE | change), requester=requester)


def of(*codes: str, sequence_id: str = "SQ0010") -> list[dict[str, Any]]:
    return [{"sequence_id": sequence_id, "plans": list(codes)}]


# create -----------------------------------------------------------------------------------------


def test_a_request_becomes_a_batch_with_a_run_for_each_plan(artist: User) -> None:
    batch = created(artist)

    assert (batch.status, batch.requested_by, batch.revision) == (BatchState.STARTED, artist, 1)
    assert counters(batch) == counted(batch) == {RunState.QUEUED: 3}
    assert [run.plan.code for run in batch.runs.all()] == ["0010", "0020", "0030"]
    assert {entry.event for entry in batch.logs.all()} == {"batch_created", "project_created"}


def test_what_is_missing_of_the_production_tree_is_made() -> None:
    batch = created()

    assert batch.episode.code == "E202"
    assert batch.episode.project.code == "madsea-2025-ep202"
    assert (Sequence.objects.count(), Plan.objects.count()) == (1, 3)


def test_what_is_there_of_the_production_tree_is_used() -> None:
    created()
    created(sequences=of("0020", "0040"))

    assert (Project.objects.count(), Episode.objects.count(), Sequence.objects.count()) == (1, 1, 1)
    assert Plan.objects.count() == 4


def test_the_log_says_of_each_value_where_it_came_from() -> None:
    batch = created(params={"steps": 12})

    entry = batch.logs.get(event="batch_created")
    said = sentence(entry.event, entry.data)
    assert said.startswith(
        "3 plans requested in style ombres_chinoises, mode auto:"
        " cfg 7.5 (style), denoise 0.4 (style), lora_strength 0.9 (style), negative_prompt '"
    )
    assert said.endswith("(style), steps 12 (request).")


def test_a_plan_keeps_what_it_gets_beside_its_batch() -> None:
    plans = [{"plan": "0010", "params": {"steps": 12, "seed": "7"}}, "0020"]

    batch = created(sequences=[{"sequence_id": "SQ0010", "plans": plans}])

    own, other = batch.runs.all()
    assert (own.params, own.seed) == ({"steps": 12}, "7")
    assert own.sources == {"steps": "plan", "seed": "plan"}
    assert (other.params, other.sources) == ({}, {})
    assert batch.sources["seed"] == "drawn"


def test_a_seed_of_a_sequence_is_that_of_all_its_plans() -> None:
    first = {"sequence_id": "SQ0010", "plans": ["0010", "0020"], "params": {"seed": 7}}
    batch = created(
        sequences=[first, {"sequence_id": "SQ0020", "plans": ["0010"]}], params={"seed": 8}
    )

    assert [run.seed for run in batch.runs.all()] == ["7", "7", "8"]


def test_a_retry_keeps_what_the_plan_has_of_its_own() -> None:
    plan = {"plan": "0010", "params": {"steps": 12, "cfg": 3}}
    batch = created(sequences=[{"sequence_id": "SQ0010", "plans": [plan]}])
    batches.cancel(batch, actor=None)

    batches.retry(batch, actor=None, params={"cfg": 5})

    run = batch.runs.get()
    assert run.params == {"steps": 12, "cfg": 5}
    assert run.sources == {"steps": "plan", "cfg": "retry"}


def test_a_project_in_another_spelling_is_refused_and_nothing_is_made() -> None:
    created()

    with pytest.raises(InvalidRequest) as caught:
        created(project_id="MADSEA-2025-ep202")

    assert (caught.value.attr, caught.value.code) == ("project_id", "project_spelling")
    assert Batch.objects.count() == 1


def test_plans_without_the_panel_that_the_workflow_needs_wait_for_it() -> None:
    factories.version(factories.plans()[0], task="extracted-raw")

    batch = created()

    assert batch.needs_panel
    assert [run.wait_reason for run in batch.runs.all()] == [
        WaitReason.TURN,
        WaitReason.PANEL,
        WaitReason.PANEL,
    ]


def test_a_panel_that_is_not_published_yet_is_none() -> None:
    factories.reserved(factories.plans()[0], task="extracted-raw")

    assert created().runs.earliest("position").wait_reason == WaitReason.PANEL


def test_each_plan_draws_a_seed_of_its_own_that_javascript_can_read() -> None:
    seeds = [int(run.seed) for run in created().runs.all()]

    assert len(set(seeds)) == 3
    assert max(seeds) < 2**53


def test_a_seed_that_was_given_is_every_plans_seed() -> None:
    batch = created(params={"seed": 2**64 - 1})

    assert {run.seed for run in batch.runs.all()} == {"18446744073709551615"}


def test_mode_manuel_waits_for_uploads() -> None:
    batch = created(mode="manuel", params={})

    assert counters(batch) == {RunState.WAITING: 3}
    assert {(run.seed, run.wait_reason) for run in batch.runs.all()} == {("", "")}


def test_ten_thousand_plans_take_few_queries() -> None:
    codes = [f"{number:04d}" for number in range(10_000)]
    request = request_validation.read(EXAMPLE | {"sequences": of(*codes)})

    with CaptureQueriesContext(connection) as queries:
        batch = batches.create(request, requester=None)

    assert counters(batch) == {RunState.QUEUED: 10_000}
    # SQLite takes 999 values in one statement, so its inserts are cut into small pieces.
    # Of PostgreSQL's, four are the locks of approved plans, the act, and the episode's events.
    assert len(queries) <= {"postgresql": 31, "sqlite": 500}[connection.vendor]


# cancel -----------------------------------------------------------------------------------------


def test_a_batch_that_waits_is_cancelled_at_once(supervisor: User) -> None:
    batch = created()

    done = batches.cancel(batch, actor=supervisor)

    assert (done.n_ended, done.n_asked, done.is_request) == (3, 0, True)
    assert batch.status == BatchState.CANCELLED
    assert counters(batch) == {RunState.CANCELLED: 3}
    assert batch.finished_at is not None
    assert batch.logs.latest("pk").actor == supervisor


def test_a_batch_with_a_failure_is_cancelled_when_it_is_cancelled() -> None:
    batch = factories.batch([RunState.ERROR, RunState.QUEUED])

    batches.cancel(batch, actor=None)

    assert batch.status == BatchState.CANCELLED


def test_a_finished_batch_stays_what_it_is() -> None:
    batch = factories.batch([RunState.DONE])

    done = batches.cancel(batch, actor=None)

    assert (batch.status, done.is_nothing) == (BatchState.DONE, True)


def test_a_second_cancel_says_that_nothing_was_left() -> None:
    batch = created()
    batches.cancel(batch, actor=None)

    assert batches.cancel(batch, actor=None).is_nothing


def test_the_cancel_of_two_thousand_plans_takes_few_queries() -> None:
    batch = created(sequences=of(*[f"{number:04d}" for number in range(2000)]))

    with CaptureQueriesContext(connection) as queries:
        batches.cancel(batch, actor=None)

    assert len(queries) <= 20


# retry ------------------------------------------------------------------------------------------


def test_retry_takes_what_failed_and_leaves_the_rest() -> None:
    batch = factories.batch([RunState.ERROR, RunState.DONE, RunState.CANCELLED, RunState.QUEUED])

    retried = batches.retry(batch, actor=None)

    assert [run.position for run in retried] == [0]
    assert counters(batch) == counted(batch)
    assert counters(batch)[RunState.QUEUED] == 2


def test_retry_of_a_cancelled_batch_takes_what_was_cancelled_too() -> None:
    batch = factories.batch([RunState.ERROR, RunState.DONE, RunState.QUEUED])
    batches.cancel(batch, actor=None)

    retried = batches.retry(batch, actor=None)

    assert [run.position for run in retried] == [0, 2]
    assert batch.logs.filter(event="retried").count() == 2


def test_retry_with_nothing_to_retry_is_a_conflict() -> None:
    batch = factories.batch([RunState.DONE, RunState.QUEUED])

    with pytest.raises(Conflict) as caught:
        batches.retry(batch, actor=None)

    assert caught.value.code == "nothing_to_retry"


def failed_run(**change: Any) -> PlanRun:
    batch = created(sequences=of("0010"), **change)
    batch.runs.update(state=RunState.ERROR, error_code="node_error")
    Batch.objects.update(n_queued=0, n_error=1)
    return batch.runs.select_related("batch").get()


def test_a_retrys_params_lie_over_those_of_the_retry_before() -> None:
    run = failed_run()
    plan_runs.retry(run, actor=None, params={"steps": 12, "cfg": 3})
    plan_runs.cancel(run, actor=None)

    plan_runs.retry(run, actor=None, params={"steps": 14})

    run.refresh_from_db()
    assert run.params == {"steps": 14, "cfg": 3}
    assert run.sources == {"steps": "retry", "cfg": "retry"}
    assert run.logs.latest("pk").data == {"params": {"steps": 14}, "values": "steps 14"}


def test_the_seed_stays_unless_one_is_given() -> None:
    run = failed_run()
    seed = run.seed
    plan_runs.retry(run, actor=None)
    kept = PlanRun.objects.get().seed
    plan_runs.cancel(run, actor=None)

    plan_runs.retry(run, actor=None, params={"seed": 7})

    given = PlanRun.objects.get()
    assert (kept, given.seed, given.params) == (seed, "7", {})


def test_a_retry_that_would_be_too_large_is_refused() -> None:
    run = failed_run()

    with pytest.raises(InvalidRequest) as caught:
        plan_runs.retry(run, actor=None, params={"width": 16384, "height": 16384})

    assert [problem.attr for problem in caught.value.problems] == ["params.width", "params.height"]


def test_a_param_that_does_not_fit_the_frozen_workflow_is_refused() -> None:
    run = failed_run()

    with pytest.raises(InvalidRequest) as caught:
        plan_runs.retry(run, actor=None, params={"steps": 0, "stepz": 1})

    assert [problem.attr for problem in caught.value.problems] == ["params.steps", "params.stepz"]
    assert PlanRun.objects.get().state == RunState.ERROR


def test_a_batch_that_renders_nothing_takes_no_params() -> None:
    batch = factories.batch([RunState.CANCELLED], mode="manuel", workflow=None)

    with pytest.raises(InvalidRequest) as caught:
        batches.retry(batch, actor=None, params={"steps": 3})

    assert caught.value.code == "no_workflow"
