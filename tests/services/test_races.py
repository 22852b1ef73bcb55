"""Two at once: exactly one wins, and the counters still add up. Real connections, real commits."""

from collections.abc import Callable
from typing import Any

import pytest

from generation.errors import Fenced, PlanFailure
from generation.models import Attempt, Batch, Plan, PlanRun, Project, Version
from generation.services import (
    batches,
    outside_images,
    plan_runs,
    production_tree,
    publication,
    server_leases,
    transitions,
)
from generation.services.publication import CancelledMeanwhile, Image
from generation.services.server_leases import Lease
from generation.states import AttemptOutcome, RunState, VersionState
from tests import factories
from tests.services.claiming import claim
from tests.services.counting import counted, counters
from tests.services.racing import errors, race

pytestmark = pytest.mark.django_db(transaction=True)

FAILURE = PlanFailure("graph_refused", "KSampler: it broke.", "Retry.")


def cancel(batch: Batch, *unanswered: int) -> Callable[[], None]:
    return lambda: transitions.cancel(batch, run_ids=None, unanswered=unanswered, actor=None)


def state_of(attempt: Attempt) -> RunState:
    return RunState(PlanRun.objects.get(pk=attempt.run_id).state)


def second_lease() -> Lease:
    taken = server_leases.take(factories.server("gpu-2").pk)
    assert taken is not None
    return taken


def test_one_of_two_servers_claims_a_run(queued: PlanRun, lease: Lease) -> None:
    other = second_lease()

    results = race(
        lambda: claim(queued, lease),
        lambda: claim(queued, other),
    )

    assert sorted(type(result).__name__ for result in results) == ["Attempt", "NoneType"]
    assert Attempt.objects.count() == 1
    assert counters(queued.batch) == counted(queued.batch)


def test_a_claim_and_a_cancel_leave_a_request_or_nothing_to_do(
    queued: PlanRun, lease: Lease
) -> None:
    attempt, _ = race(
        lambda: claim(queued, lease),
        cancel(queued.batch),
    )

    queued.refresh_from_db()
    expected = (RunState.RUNNING, True) if attempt else (RunState.CANCELLED, False)
    assert (queued.state, queued.cancel_requested_at is not None) == expected
    assert counters(queued.batch) == counted(queued.batch)


def test_a_claim_and_a_takeover_leave_no_attempt_behind_the_new_lease(
    queued: PlanRun, lease: Lease
) -> None:
    server_leases.Server.objects.update(lease_expires_at="2020-01-01T00:00:00Z")

    claimed, taken = race(
        lambda: claim(queued, lease),
        lambda: server_leases.take(lease.server.pk),
    )

    assert taken is not None
    assert isinstance(claimed, Fenced) == (taken.adopted == ())
    assert not Attempt.objects.exclude(lease_token=taken.token).exists()


@pytest.mark.parametrize(
    "write",
    [
        transitions.acknowledge,
        lambda attempt: transitions.advance(attempt, 60),
        lambda attempt: transitions.note(attempt, "adopted"),
        lambda attempt: transitions.rewrite_graph(attempt, {"2": {}}),
    ],
    ids=["acknowledge", "advance", "note", "rewrite_graph"],
)
def test_a_write_of_a_driver_and_an_abandonment_are_one_after_the_other(
    write: Any, running: Attempt
) -> None:
    written, abandoned = race(
        lambda: write(running), lambda: transitions.abandon(running, "no answer")
    )

    assert abandoned
    assert not isinstance(written, Exception) or isinstance(written, Fenced)
    assert state_of(running) == RunState.QUEUED
    assert counters(running.run.batch) == counted(running.run.batch)


@pytest.mark.parametrize(
    ("write", "state"),
    [
        (lambda attempt: transitions.fail(attempt, FAILURE), RunState.ERROR),
        (transitions.stop, RunState.CANCELLED),
        (lambda attempt: transitions.lose(attempt, "gone"), RunState.QUEUED),
    ],
    ids=["fail", "stop", "lose"],
)
def test_an_attempt_ends_once_whoever_ends_it(
    write: Any, state: RunState, running: Attempt
) -> None:
    written, abandoned = race(
        lambda: write(running), lambda: transitions.abandon(running, "no answer")
    )

    assert isinstance(written, Fenced) == abandoned
    assert state_of(running) == (RunState.QUEUED if abandoned else state)
    assert counters(running.run.batch) == counted(running.run.batch)


def test_two_finishers_publish_a_version_once(running: Attempt, lease: Lease, image: Image) -> None:
    (version,) = publication.reserve_render(running, lease.token, [image])

    race(
        lambda: publication.finish(Version.objects.get(pk=version.pk)),
        lambda: publication.finish(Version.objects.get(pk=version.pk)),
    )

    assert state_of(running) == RunState.DONE
    assert running.run.logs.filter(event="published").count() == 1
    assert counters(running.run.batch) == counted(running.run.batch)


def test_a_reservation_and_a_cancel_do_not_wait_for_each_other(
    running: Attempt, lease: Lease, image: Image
) -> None:
    reserved, _ = race(
        lambda: publication.reserve_render(running, lease.token, [image]), cancel(running.run.batch)
    )

    run = PlanRun.objects.get(pk=running.run_id)
    assert (run.state, run.cancel_requested_at is None) == (RunState.RUNNING, False)
    assert isinstance(reserved, list | CancelledMeanwhile)


def test_what_is_reserved_before_an_unanswered_cancel_is_kept_else_nothing_is(
    running: Attempt, lease: Lease, image: Image
) -> None:
    reserved, _ = race(
        lambda: publication.reserve_render(running, lease.token, [image]),
        cancel(running.run.batch, lease.server.pk),
    )

    running.refresh_from_db()
    is_kept = isinstance(reserved, list)
    assert (running.outcome == AttemptOutcome.OPEN) == is_kept
    assert state_of(running) == (RunState.RUNNING if is_kept else RunState.CANCELLED)


def test_what_is_reserved_before_an_abandonment_is_kept_else_nothing_is(
    running: Attempt, lease: Lease, image: Image
) -> None:
    reserved, abandoned = race(
        lambda: publication.reserve_render(running, lease.token, [image]),
        lambda: transitions.abandon(running, "no answer"),
    )

    assert isinstance(reserved, list) != abandoned


def test_a_batch_cancelled_twice_at_once_is_cancelled_once(queued: PlanRun) -> None:
    race(cancel(queued.batch), cancel(queued.batch))

    assert counters(queued.batch) == {RunState.CANCELLED: 3}
    assert queued.batch.revision == 2


def test_a_plan_retried_twice_at_once_is_queued_once(db: None) -> None:
    run = factories.batch([RunState.ERROR]).runs.get()

    results = race(*[lambda: plan_runs.retry(run, actor=None)] * 2)

    assert errors(results) == ["run_queued"]
    assert run.logs.filter(event="retried").count() == 1
    assert counters(run.batch) == counted(run.batch)


def test_a_retry_and_a_cancel_of_the_same_run_are_one_after_the_other(db: None) -> None:
    made = factories.batch([RunState.ERROR, RunState.QUEUED])

    race(lambda: batches.retry(made, actor=None), cancel(made))

    assert counters(made) == counted(made)


def test_a_panel_is_released_once(queued: PlanRun) -> None:
    PlanRun.objects.filter(pk=queued.pk).update(wait_reason="panel")

    released = race(*[lambda: transitions.release_panel(queued.batch_id, [queued.plan_id])] * 2)

    assert sorted(released) == [0, 1]


def test_an_upload_and_a_claim_have_one_winner(queued: PlanRun, lease: Lease, image: Image) -> None:
    uploaded, claimed = race(
        lambda: publication.reserve_upload(queued, image, actor=None),
        lambda: claim(queued, lease),
    )

    assert isinstance(uploaded, Version) == (claimed is None)
    assert counters(queued.batch) == counted(queued.batch)


def test_twenty_uploads_of_a_plan_take_twenty_numbers_without_a_gap(
    queued: PlanRun, staged: Callable[[str], Image]
) -> None:
    content = factories.png()

    published = race(
        *[lambda: plan_runs.upload(queued, content, filename="a.png", actor=None)] * 20
    )

    assert sorted(version.number for version in published) == list(range(1, 21))
    assert not Version.objects.exclude(state=VersionState.PUBLISHED).exists()
    assert counters(queued.batch) == counted(queued.batch)


def test_panels_of_one_plan_imported_at_once_take_following_numbers(plans: list[Plan]) -> None:
    content = factories.png()

    race(*[lambda: outside_images.import_panel(plans[0], content, filename="", actor=None)] * 4)

    numbers = plans[0].versions.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3, 4]


def test_one_of_twenty_takes_a_lease(server: Any) -> None:
    taken = [lease for lease in race(*[lambda: server_leases.take(server.pk)] * 20) if lease]

    assert len(taken) == 1
    server.refresh_from_db()
    assert server.lease_token == taken[0].token


def test_the_same_new_plans_asked_for_in_two_orders_are_created_once(db: None) -> None:
    codes = [f"{number:04d}" for number in range(300)]
    there = {f"SQ{number:04d}": codes for number in range(5)}
    back = dict.fromkeys(reversed(there), codes[::-1])

    found = race(
        lambda: production_tree.ensure_plans("madsea", "S02", "E202", there),
        lambda: production_tree.ensure_plans("madsea", "S02", "E202", back),
    )

    assert found[0] == found[1]
    assert (Project.objects.count(), Plan.objects.count()) == (1, 1500)


def test_a_project_asked_for_in_two_spellings_at_once_has_one(db: None) -> None:
    results = race(
        lambda: production_tree.ensure_project("Madsea"),
        lambda: production_tree.ensure_project("MADSEA"),
    )

    assert errors(results) == ["project_spelling"]
    assert Project.objects.count() == 1
