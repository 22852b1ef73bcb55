"""Two plans with one picture and two seeds: the batch's log says so, once."""

from collections.abc import Callable

import pytest

from generation.events import sentence
from generation.models import Attempt, Batch, LogEntry, PlanRun
from generation.services import publication
from generation.services.publication import Image
from generation.services.server_leases import Lease
from generation.states import RunState
from tests import factories

pytestmark = pytest.mark.django_db

PUBLISH = Callable[[int, str, str], None]


@pytest.fixture
def batch(db: None) -> Batch:
    """Three plans that are rendered."""
    return factories.batch([RunState.RUNNING] * 3)


@pytest.fixture
def publish(batch: Batch, lease: Lease, staged: Callable[[str], Image]) -> PUBLISH:
    """Publishes an image of one colour for a plan that was rendered with a seed."""

    def act(position: int, color: str, seed: str) -> None:
        run = PlanRun.objects.get(batch=batch, position=position)
        Attempt.objects.filter(run=run).update(lease_token=lease.token, seed=seed)
        attempt = Attempt.objects.select_related("run__batch").get(run=run)
        (version,) = publication.reserve_render(attempt, lease.token, [staged(color)])
        publication.finish(version)

    return act


def warnings(batch: Batch) -> list[LogEntry]:
    return list(LogEntry.objects.filter(batch=batch, event="identical_pictures"))


def test_two_plans_with_one_picture_and_two_seeds_are_a_warning(
    batch: Batch, publish: PUBLISH
) -> None:
    publish(0, "red", "11")
    publish(1, "red", "22")

    (entry,) = warnings(batch)
    assert (entry.level, entry.run_id) == ("warning", None)
    said = sentence(entry.event, entry.data)
    assert said.startswith("SQ0010-0010 and SQ0010-0020 have the same picture to the pixel")
    assert "(11 and 22)" in said


def test_a_third_one_is_not_told_again(batch: Batch, publish: PUBLISH) -> None:
    publish(0, "red", "11")
    publish(1, "red", "22")
    publish(2, "red", "33")

    assert len(warnings(batch)) == 1


@pytest.mark.parametrize(
    ("color", "first", "second"),
    [("red", "11", "11"), ("green", "11", "22"), ("red", "", ""), ("red", "", "22")],
    ids=["one seed", "two pictures", "no seeds", "a seed and none"],
)
def test_what_is_as_it_should_be_is_no_warning(
    color: str, first: str, second: str, batch: Batch, publish: PUBLISH
) -> None:
    publish(0, "red", first)
    publish(1, color, second)

    assert warnings(batch) == []


def test_pictures_of_one_prompt_are_no_warning(
    batch: Batch, lease: Lease, staged: Callable[[str], Image]
) -> None:
    run = PlanRun.objects.get(batch=batch, position=0)
    Attempt.objects.filter(run=run).update(lease_token=lease.token)
    attempt = Attempt.objects.select_related("run__batch").get(run=run)

    versions = publication.reserve_render(attempt, lease.token, [staged("red"), staged("red")])
    publication.finish(versions[0])

    assert warnings(batch) == []
