"""The recorder of locks sees what is wrong, and nothing else. All other tests rely on it."""

import pytest
from django.db import transaction

from generation.models import Attempt, Batch, Plan, PlanRun, Version
from tests import factories

pytestmark = pytest.mark.django_db


def lock(model: type, pk: int) -> None:
    list(model.objects.select_for_update(no_key=True).filter(pk=pk))  # type: ignore[attr-defined]


def kinds(found: list[str]) -> list[str]:
    """Return what was locked too late, and forget it: it was meant."""
    seen = [line.partition(":")[0] for line in found]
    found.clear()
    return seen


def test_a_lock_that_comes_too_late_is_found(batch: Batch, locks_in_order: list[str]) -> None:
    run = batch.runs.earliest("pk")

    with transaction.atomic():
        lock(PlanRun, run.pk)
        lock(Batch, batch.pk)

    assert kinds(locks_in_order) == ["generation_batch after generation_planrun"]


def test_an_update_is_a_lock_too(batch: Batch, locks_in_order: list[str]) -> None:
    run = batch.runs.earliest("pk")
    version = factories.reserved(run.plan)

    with transaction.atomic():
        Version.objects.filter(pk=version.pk).update(revision=1)
        PlanRun.objects.filter(pk=run.pk).update(revision=1)

    assert kinds(locks_in_order) == ["generation_planrun after generation_version"]


def test_a_deletion_is_a_lock_too(batch: Batch, locks_in_order: list[str]) -> None:
    version = factories.reserved(batch.runs.earliest("pk").plan)

    with transaction.atomic():
        Version.objects.filter(pk=version.pk).delete()
        lock(Plan, version.plan_id)

    assert kinds(locks_in_order) == ["generation_plan after generation_version"]


def test_batches_are_locked_by_their_ids(batch: Batch, locks_in_order: list[str]) -> None:
    later = factories.batch()

    with transaction.atomic():
        lock(Batch, later.pk)
        lock(Batch, batch.pk)

    assert kinds(locks_in_order) == ["generation_batch not by id"]


def test_an_update_of_nothing_locks_nothing(batch: Batch, locks_in_order: list[str]) -> None:
    with transaction.atomic():
        Version.objects.filter(pk=0).update(revision=1)
        Attempt.objects.filter(pk=0).update(outcome="done")

    assert locks_in_order == []


def test_what_is_locked_already_may_be_written_at_the_end(
    batch: Batch, locks_in_order: list[str]
) -> None:
    run = batch.runs.earliest("pk")

    with transaction.atomic():
        lock(Batch, batch.pk)
        PlanRun.objects.filter(pk=run.pk).update(revision=1)
        Batch.objects.filter(pk=batch.pk).update(revision=1)

    assert locks_in_order == []


def test_each_transaction_begins_anew(batch: Batch, locks_in_order: list[str]) -> None:
    run = batch.runs.earliest("pk")

    with transaction.atomic():
        lock(PlanRun, run.pk)
    with transaction.atomic():
        lock(Batch, batch.pk)

    assert locks_in_order == []
