from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from generation.models import Batch, Episode, LogEntry, PlanRun, Project, Sequence
from generation.states import RunState
from tests import factories
from tests.commands.running import run

ERROR, CANCELLED, DONE, QUEUED = (
    RunState.ERROR,
    RunState.CANCELLED,
    RunState.DONE,
    RunState.QUEUED,
)
pytestmark = pytest.mark.django_db


@pytest.fixture
def failed() -> Batch:
    return factories.batch([ERROR, CANCELLED, DONE])


def states(batch: Batch) -> list[str]:
    return list(batch.runs.order_by("position").values_list("state", flat=True))


def test_failed_plans_of_a_batch_queue_again(failed: Batch, supervisor: User) -> None:
    said = run("retry_plans", batch=failed.public_id, user="supervisor")

    assert said == "1 plan of 1 batch queued again.\n"
    assert states(failed) == [QUEUED, CANCELLED, DONE]
    assert LogEntry.objects.get(event="retried").actor == supervisor


def test_cancelled_plans_queue_again_when_asked_for(failed: Batch) -> None:
    run("retry_plans", "--all", "--status", "cancelled", "--status", "error")

    assert states(failed) == [QUEUED, QUEUED, DONE]


def test_plans_of_several_batches_queue_again_at_once(failed: Batch) -> None:
    other = factories.batch([ERROR, ERROR])

    assert run("retry_plans", all=True) == "3 plans of 2 batches queued again.\n"
    assert states(other) == [QUEUED, QUEUED]


def test_a_dry_run_says_which_plans_and_why_they_failed(failed: Batch) -> None:
    said = run("retry_plans", all=True, dry_run=True)

    assert said.splitlines() == [
        f"{failed} madsea-2025-ep202 E202 SQ0010-0010 error: node_error: KSampler: out of memory.",
        "1 plan would be queued again.",
    ]
    assert states(failed) == [ERROR, CANCELLED, DONE]


def test_plans_are_made_with_the_workflow_that_is_named(failed: Batch) -> None:
    run("retry_plans", "--workflow", "Silhouette.json", batch=failed.public_id)

    retried = failed.runs.order_by("position")[0]
    assert retried.workflow is not None
    assert retried.workflow.name == "Silhouette.json"


def test_a_workflow_that_there_is_not_retries_nothing(failed: Batch) -> None:
    with pytest.raises(CommandError, match="workflow_json: There is no workflow"):
        run("retry_plans", "--all", "--workflow", "Nothing.json")

    assert states(failed) == [ERROR, CANCELLED, DONE]


def test_without_a_filter_nothing_is_retried(failed: Batch) -> None:
    with pytest.raises(CommandError, match="Say which"):
        run("retry_plans")

    assert states(failed) == [ERROR, CANCELLED, DONE]


def test_an_unknown_batch_is_an_expected_failure() -> None:
    with pytest.raises(CommandError, match="no batch 'nothing'"):
        run("retry_plans", batch="nothing")


@pytest.mark.parametrize(
    ("filters", "n_plans"),
    [
        ({"project": "madsea-2025-ep202"}, 1),
        ({"project": "other"}, 0),
        ({"episode": "E202"}, 1),
        ({"episode": "E203"}, 0),
        ({"sequence": "SQ0010"}, 1),
        ({"sequence": "SQ0020"}, 0),
        ({"since": "2025-03-13", "until": "2025-03-14"}, 1),
        ({"style": "ombres_chinoises"}, 1),
        ({"style": "labo"}, 0),
        ({"since": "2025-03-14"}, 1),
        ({"since": "2025-03-15"}, 0),
        ({"until": "2025-03-14"}, 1),
        ({"until": "2025-03-13"}, 0),
        ({"episode": "E202", "style": "labo"}, 0),
    ],
)
def test_a_filter_takes_what_fits(failed: Batch, filters: dict[str, str], n_plans: int) -> None:
    ended = datetime(2025, 3, 14, 23, 59, tzinfo=UTC)
    PlanRun.objects.filter(state=ERROR).update(finished_at=ended)
    other = factories.episode("other")
    Episode.objects.create(project=other.project, season="S02", code="E203")
    Sequence.objects.create(episode=other, code="SQ0020")
    options = [f"--{name}={value}" for name, value in filters.items()]

    said = run("retry_plans", "--dry-run", *options).splitlines()

    assert len(said) == n_plans + 1
    assert said[-1].startswith("1 plan would" if n_plans else "Nothing to do: no plan that fits")


@pytest.mark.parametrize("command", ["retry_plans", "cancel_batches"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--batch=zzz"], "There is no batch 'zzz'."),
        (["--project=madsea-2025-ep20"], "'madsea-2025-ep20'. Is madsea-2025-ep202 meant?"),
        (["--project=MADSEA-2025-EP202"], "Is madsea-2025-ep202 meant?"),
        (["--episode=E999"], "There is no episode 'E999'."),
        (["--episode=E202", "--project=other"], "There is no episode 'E202'."),
        (["--sequence=SQ0099"], "There is no sequence 'SQ0099'."),
        (["--sequence=SQ0010", "--project=other"], "There is no sequence 'SQ0010'."),
        (["--style=ombre_chinoise"], "Is ombres_chinoises meant?"),
        (["--all", "--episode=E999"], "There is no episode 'E999'."),
        (["--since=2025-02-01", "--until=2025-01-01"], "is after"),
    ],
)
def test_a_filter_that_names_what_does_not_exist_is_an_error(
    failed: Batch, command: str, options: list[str], said: str
) -> None:
    Project.objects.create(code="other")

    with pytest.raises(CommandError) as refused:
        run(command, *options)

    assert said in str(refused.value)
    assert states(failed) == [ERROR, CANCELLED, DONE]


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid day value"):
        run("retry_plans", "--since", "yesterday")
