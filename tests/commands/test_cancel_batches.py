import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from generation.models import Batch, Episode, LogEntry
from generation.states import BatchState, RunState
from tests import factories
from tests.commands.running import run

pytestmark = pytest.mark.django_db


def test_an_unfinished_batch_is_cancelled_on_behalf_of_a_user(
    batch: Batch, supervisor: User
) -> None:
    said = run("cancel_batches", batch=batch.public_id, user="supervisor")

    batch.refresh_from_db()
    assert said == "Cancel of 1 batch requested.\n"
    assert batch.status == BatchState.CANCELLED
    assert LogEntry.objects.get(event="batch_cancel_requested").actor == supervisor


def test_a_finished_batch_is_left_alone(batch: Batch) -> None:
    factories.batch([RunState.DONE])

    assert run("cancel_batches", all=True) == "Cancel of 1 batch requested.\n"


def test_a_batch_is_named_once_however_many_of_its_plans_wait(batch: Batch) -> None:
    said = run("cancel_batches", sequence="SQ0010", dry_run=True)

    assert said.splitlines() == [
        f"{batch} madsea-2025-ep202 E202 ombres_chinoises: started, 0 of 3 plans done",
        "1 batch would be cancelled.",
    ]
    batch.refresh_from_db()
    assert batch.status == BatchState.STARTED


def test_without_a_filter_nothing_is_cancelled(batch: Batch) -> None:
    with pytest.raises(CommandError, match="Say which"):
        run("cancel_batches")


@pytest.mark.parametrize(
    "option", ["--project=other", "--episode=E203", "--style=labo", "--until=2000-01-01"]
)
def test_a_filter_leaves_the_rest_alone(batch: Batch, option: str) -> None:
    other = factories.episode("other")
    Episode.objects.create(project=other.project, season="S02", code="E203")

    said = run("cancel_batches", option)

    assert said == "Nothing to do: no batch that fits is unfinished.\n"
    batch.refresh_from_db()
    assert batch.cancel_requested_at is None
