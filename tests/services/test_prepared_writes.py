"""Prepared writes write what Django's own would, and are put together once."""

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Attempt, LogEntry, PlanRun
from generation.services import prepared_writes, publication, transitions, volumes
from generation.services.prepared_writes import Rows
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import VersionState
from tests import factories

pytestmark = pytest.mark.django_db


def held(attempt_id: int, lease_token: UUID) -> QuerySet[Attempt]:
    return Attempt.objects.held(attempt_id, lease_token)


def write_often(attempt: Attempt, lease: Lease, *, n_times: int) -> None:
    rows = Rows(held)
    for seed in range(n_times):
        rows.update(attempt.pk, lease.token, seed=str(seed))


def kept_statements() -> list[str]:
    """Return what PostgreSQL keeps for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def test_values_of_every_kind_are_written(running: Attempt, lease: Lease) -> None:
    graph = {"1": {"inputs": {"text": "l'été à 100 %s"}}}

    written = Rows(held).update(
        running.pk, lease.token, graph=graph, seed="7", render_s=0.5, acknowledged_at=Now()
    )

    running.refresh_from_db()
    assert written == 1
    assert (running.graph, running.seed, running.render_s) == (graph, "7", 0.5)
    assert running.acknowledged_at is not None


def test_none_is_written_where_a_value_was(running: Attempt, lease: Lease) -> None:
    rows = Rows(held)
    rows.update(running.pk, lease.token, render_s=0.5)

    rows.update(running.pk, lease.token, render_s=None)

    running.refresh_from_db()
    assert running.render_s is None


def test_a_reference_is_written_by_its_id(running: Attempt) -> None:
    entry = factories.log(running.run.batch)

    Rows(lambda pk: LogEntry.objects.filter(pk=pk)).update(entry.pk, run_id=running.run_id)

    entry.refresh_from_db()
    assert entry.run == running.run


def test_rows_that_are_not_found_are_not_written(running: Attempt) -> None:
    assert Rows(held).update(running.pk, uuid4(), seed="7") == 0

    running.refresh_from_db()
    assert running.seed != "7"


def test_rows_are_put_together_once_for_each_set_of_columns(running: Attempt, lease: Lease) -> None:
    asked: list[int] = []

    def counted(attempt_id: int, lease_token: UUID) -> QuerySet[Attempt]:
        asked.append(attempt_id)
        return held(attempt_id, lease_token)

    rows = Rows(counted)
    rows.update(running.pk, lease.token, seed="1")
    rows.update(running.pk, lease.token, seed="2")
    rows.update(running.pk, lease.token, seed="3", render_s=1.0)

    running.refresh_from_db()
    assert (running.seed, len(asked)) == ("3", 2)


def test_an_inserted_row_is_as_if_it_had_been_saved(running: Attempt) -> None:
    before = timezone.now()
    fields = {"batch": running.run.batch, "run": running.run, "level": "info", "event": "posted"}
    entry = LogEntry(**fields, revision=3, data={"server": "été"})

    prepared_writes.insert(entry)

    known = LogEntry.objects.get(pk=entry.pk)
    assert (known.run, known.event, known.data) == (running.run, "posted", {"server": "été"})
    assert before <= known.at <= timezone.now()
    entry.event = "refetched"
    entry.save()
    assert LogEntry.objects.get(pk=entry.pk).event == "refetched"


def test_what_the_database_has_set_is_known_of_a_finished_version(
    running: Attempt, lease: Lease, image: Image
) -> None:
    reserved = publication.reserve_render(running, lease.token, [image])

    version = publication.finish(reserved[0])

    assert (version.state, version.staging_path) == (VersionState.PUBLISHED, "")
    assert version.published_at is not None
    assert version.revision == PlanRun.objects.get(pk=running.run_id).batch.revision


def test_a_rendered_plan_is_done_in_few_statements(
    running: Attempt, lease: Lease, image: Image
) -> None:
    volumes.expected_marks()

    with CaptureQueriesContext(connection) as seen:
        transitions.acknowledge(running)
        reserved = publication.reserve_render(running, lease.token, [image])
        publication.finish(reserved[0])

    # Batch, attempt, run, batch, log, change; attempt, run, plan, numbers, version; pictures,
    # marks, retakes, batch, attempt, run, version, twins, batch, log, change; and begin and end of
    # each of three transactions.
    statements = [each["sql"] for each in seen.captured_queries]
    assert len(statements) <= 22 + 6, "\n".join(statements)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
def test_what_is_written_often_is_planned_once(running: Attempt, lease: Lease) -> None:
    write_often(running, lease, n_times=7)

    assert any('UPDATE "generation_attempt" SET "seed" = $1' in each for each in kept_statements())
