"""The stream of an episode's changes: nothing visible goes without word, nothing late is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from generation.models import Batch, Episode, EpisodeChange, Plan, PlanRun, Sequencer, Version
from generation.selectors import episode_changes as read
from generation.selectors.episode_changes import Change, Changes
from generation.services import (
    batch_controls,
    batches,
    episode_changes,
    outside_images,
    plan_attributes,
    plan_runs,
    transitions,
)
from generation.services.server_leases import Lease
from generation.services.transitions import unit_of_work
from generation.states import ReviewState, RunState
from tests import factories
from tests.services.claiming import claim
from tests.services.racing import WAIT_S, race

pytestmark = pytest.mark.django_db


def heard(after: int = 0) -> list[Change]:
    """Return what a reader is told after a number, once it is numbered."""
    episode_changes.number()
    return list(missed(after).rows)


def missed(after: int | None, episode_id: int | None = None) -> Changes:
    return read.window([after]).after(after, episode_id=episode_id)


def newest() -> Change:
    return heard()[-1]


def touch(batch: Batch) -> None:
    """Raise a batch's revision."""
    with unit_of_work.change(batch.pk) as now:
        now.log("resumed")


# Who leaves word ---------------------------------------------------------------------------------


def pause(batch: Batch) -> None:
    batch_controls.pause(batch, actor=None)


def cancel(batch: Batch) -> None:
    batches.cancel(batch, actor=None)


@pytest.mark.parametrize("act", [touch, pause, cancel])
def test_a_change_of_a_batch_leaves_one_row_that_names_it(
    batch: Batch, act: Callable[[Batch], None]
) -> None:
    act(batch)

    assert [(row.episode_id, row.batch_id) for row in heard()] == [(batch.episode_id, batch.pk)]


def test_each_step_of_a_driver_leaves_one_row(queued: PlanRun, lease: Lease) -> None:
    attempt = claim(queued, lease)
    assert attempt is not None
    transitions.acknowledge(attempt)
    transitions.advance(attempt, 50)
    transitions.advance(attempt, 40)

    assert [row.batch_id for row in heard()] == [queued.batch_id] * 3


def test_a_change_of_ten_thousand_plans_is_one_row() -> None:
    of = factories.many_plans(10_000)
    batch = factories.batch([RunState.QUEUED], of=of[:1])
    rows = [
        PlanRun(batch=batch, plan=plan, position=place, state=RunState.QUEUED)
        for place, plan in enumerate(of[1:], start=1)
    ]
    PlanRun.objects.bulk_create(rows)
    Batch.objects.update(n_queued=len(of), n_total=len(of))

    batches.cancel(batch, actor=None)

    assert len(heard()) == 1


def test_a_change_that_changes_nothing_leaves_no_row(batch: Batch) -> None:
    batch_controls.steer(batch, actor=None, priority=batch.priority)

    assert heard() == []


def test_a_change_that_is_taken_back_leaves_no_row(batch: Batch) -> None:
    with pytest.raises(ValueError, match="meant"), transaction.atomic():
        touch(batch)
        raise ValueError("meant")

    assert heard() == []


def test_a_panel_that_comes_is_told_with_its_plan(plans: list[Plan]) -> None:
    panel = outside_images.import_panel(plans[0], factories.png(), filename="panel.png", actor=None)

    assert (newest().plan_ids, newest().version_ids) == ((plans[0].pk,), (panel.pk,))


def test_an_uploaded_image_is_told_with_its_batch_in_one_row() -> None:
    run = factories.batch([RunState.WAITING], mode="manuel").runs.get()

    version = plan_runs.upload(run, factories.png(), filename="hand.png", actor=None)

    assert (newest().batch_id, newest().version_ids) == (run.batch_id, (version.pk,))


def test_texts_of_a_plan_that_change_are_told(plans: list[Plan]) -> None:
    plan_attributes.write(plans[1], {"notes": "darker"}, by=None, source="api")

    assert [row.plan_ids for row in heard()] == [(plans[1].pk,)]


def test_texts_of_more_plans_than_a_row_names_are_told_as_many() -> None:
    of = factories.many_plans(episode_changes.NAMED_MAX + 1)

    plan_attributes.write_all(
        {plan.pk: {"notes": "x"} for plan in of}, by=None, source="storyboard"
    )

    assert [(row.is_everything, row.plan_ids) for row in heard()] == [(True, ())]


def retake(version: Version) -> None:
    with transitions.review([version.pk]) as under_review:
        under_review.move(under_review.versions[version.pk], ReviewState.RETAKE)


def comment(version: Version) -> None:
    with transitions.review([version.pk]) as under_review:
        under_review.touch(under_review.versions[version.pk])


@pytest.mark.parametrize("decide", [retake, comment])
def test_a_decision_is_told_of_versions_with_and_without_a_batch(
    plans: list[Plan], decide: Callable[[Version], None]
) -> None:
    alone = factories.version(plans[0], origin=Version.Origin.IMPORT)
    run = factories.batch([RunState.DONE], of=plans[1:2]).runs.get()
    of_batch = run.result
    assert of_batch is not None

    decide(alone)
    decide(of_batch)

    assert [(row.batch_id, row.plan_ids, row.version_ids) for row in heard()] == [
        (None, (plans[0].pk,), (alone.pk,)),
        (run.batch_id, (plans[1].pk,), (of_batch.pk,)),
    ]


# Numbers -----------------------------------------------------------------------------------------


def test_numbers_follow_one_another_in_the_order_of_the_changes(batch: Batch) -> None:
    for _ in range(3):
        touch(batch)

    assert [row.number for row in heard()] == [1, 2, 3]


def test_more_than_are_numbered_at_once_are_all_numbered(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episode_changes, "NUMBERED_AT_ONCE", 2)
    for _ in range(5):
        touch(batch)

    assert [row.number for row in heard()] == [1, 2, 3, 4, 5]


def test_numbering_twice_changes_nothing(batch: Batch) -> None:
    touch(batch)
    first = heard()

    assert episode_changes.number() == 0
    assert heard() == first


@pytest.mark.django_db(transaction=True)
def test_sequencers_at_once_give_each_change_one_number(batch: Batch) -> None:
    for _ in range(20):
        touch(batch)

    race(*[episode_changes.number] * 4)

    assert [row.number for row in heard()] == list(range(1, 21))


def begun(act: Callable[[], Any], go_on: threading.Event, pool: ThreadPoolExecutor) -> Any:
    """Do something in a transaction of another connection, which commits once it may."""
    has_begun = threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                act()
                has_begun.set()
                assert go_on.wait(WAIT_S)
        finally:
            connection.close()

    future = pool.submit(run)
    assert has_begun.wait(WAIT_S)
    return future


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_not_lost() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one transaction that writes at a time")
    late, other = factories.batch(), factories.batch([RunState.QUEUED])
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = begun(lambda: touch(late), go_on, pool)
        touch(other)
        before = heard()
        go_on.set()
        waiting.result(WAIT_S)
    after = heard(before[-1].number)

    first, second = EpisodeChange.objects.order_by("pk")
    assert (first.batch_id, second.batch_id) == (late.pk, other.pk), "ids lie the other way round"
    assert [row.batch_id for row in before + after] == [other.pk, late.pk]


@pytest.mark.django_db(transaction=True)
def test_a_sequencer_that_hangs_is_not_waited_for(batch: Batch) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one transaction that writes at a time")
    episode_changes.number()
    touch(batch)
    heard()
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        rows = Sequencer.objects.select_for_update()
        hanging = begun(lambda: list(rows), go_on, pool)
        touch(batch)
        meanwhile = episode_changes.number()
        go_on.set()
        hanging.result(WAIT_S)

    assert meanwhile == 0
    assert [row.number for row in heard()] == [1, 2]


def test_a_flushed_database_numbers_from_one(batch: Batch) -> None:
    Sequencer.objects.all().delete()
    touch(batch)

    assert [row.number for row in heard()] == [1]


# What is thrown away -----------------------------------------------------------------------------


@pytest.fixture
def five_of_which_two_are_kept(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> Episode:
    monkeypatch.setattr(episode_changes, "KEPT", 2)
    for _ in range(5):
        touch(batch)
    episode_changes.number()
    return batch.episode


def test_the_oldest_are_thrown_away(five_of_which_two_are_kept: Episode) -> None:
    assert episode_changes.prune() == 3
    assert [row.number for row in missed(3).rows] == [4, 5]


def test_they_are_thrown_away_some_at_a_time(
    five_of_which_two_are_kept: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(episode_changes, "PRUNED_AT_ONCE", 2)

    assert [episode_changes.prune() for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(("seen", "is_whole"), [(None, False), (2, False), (3, True), (6, False)])
def test_whoever_has_missed_what_is_gone_is_told_so(
    five_of_which_two_are_kept: Episode, seen: int | None, is_whole: bool
) -> None:
    episode_changes.prune()

    assert missed(seen).is_whole is is_whole


def test_whoever_has_missed_more_than_is_read_at_once_is_told_so(
    five_of_which_two_are_kept: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "READ_MAX", 4)

    assert [missed(seen).is_whole for seen in (0, 1)] == [False, True]


def test_another_episode_s_changes_are_not_among_those_of_one(batch: Batch) -> None:
    elsewhere = factories.episode(code="E203")
    episode_changes.record(elsewhere.pk, plan_ids=[1])
    touch(batch)
    episode_changes.number()

    assert [row.batch_id for row in missed(0, batch.episode_id).rows] == [batch.pk]


# What is told ------------------------------------------------------------------------------------


def test_changes_are_told_together_and_batches_as_they_are_now(batch: Batch) -> None:
    touch(batch)
    touch(batch)
    episode_changes.record(batch.episode_id, plan_ids=[7, 3], version_ids=[9])
    rows = heard()

    told = read.lines([batch.pk]).document(rows)

    assert told["plans"] == [3, 7]
    assert told["versions"] == [9]
    assert [(each["batch_id"], each["revision"]) for each in told["batches"]] == [
        (batch.public_id, 3)
    ]


def test_ten_batches_are_read_in_one_query(django_assert_num_queries: Any) -> None:
    ids = [factories.batch([RunState.QUEUED]).pk for _ in range(10)]

    with django_assert_num_queries(1):
        told = read.lines(ids)

    assert len(told.by_id) == 10
