"""Several decide at the same moment: real connections, real commits."""

import pytest
from django.contrib.auth.models import User

from generation.errors import MadseaError
from generation.models import Plan, Version
from generation.services import idempotency, outside_images
from review.models import Review
from review.services import decisions
from review.services.decisions import Reviewer
from review.states import Decision, Door
from tests import factories
from tests.review.deciding import NOBODY, approve, asked, concepts, decide, retake, state
from tests.services.racing import errors, race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan() -> Plan:
    """A plan that nobody has decided on."""
    return factories.plans()[0]


def test_of_two_who_approve_different_versions_as_they_saw_them_one_is_told_so(plan: Plan) -> None:
    first, second = concepts(plan, 2)
    seen = [asked(version, Decision.APPROVE) for version in (first, second)]

    results = race(
        *[lambda one=one: decisions.decide([one], by=NOBODY, door=Door.API) for one in seen]
    )  # type: ignore[misc]

    assert errors(results) == ["changed_meanwhile"]
    assert sorted([state(first), state(second)]) == ["approved", "superseded"]
    assert Review.objects.count() == 1


def test_of_two_who_decide_otherwise_about_one_version_one_is_told_so(plan: Plan) -> None:
    [version] = concepts(plan, 1)
    seen = [asked(version, Decision.APPROVE), asked(version, Decision.RETAKE, "Darker.")]

    results = race(
        *[lambda one=one: decisions.decide([one], by=NOBODY, door=Door.API) for one in seen]
    )  # type: ignore[misc]

    assert errors(results) == ["changed_meanwhile"]
    assert state(version) == Review.objects.get().became


@pytest.mark.parametrize("decision", [Decision.UNDO, Decision.REOPEN])
def test_of_two_who_take_back_an_approval_one_is_told_so(plan: Plan, decision: Decision) -> None:
    first, second = concepts(plan, 2)
    retake(first)
    approve(second)
    seen = asked(second, decision, "A mistake.")

    results = race(*[lambda: decisions.decide([seen], by=NOBODY, door=Door.API)] * 2)

    assert errors(results) == ["changed_meanwhile"]
    assert state(second) == "to_review"
    assert Review.objects.filter(decision=decision).count() == 1


def test_lists_that_name_the_same_plans_in_another_order_do_not_wait_for_each_other(
    plan: Plan,
) -> None:
    batches = [factories.batch(["done"] * 3) for _ in range(3)]  # type: ignore[list-item]
    versions = list(Version.objects.filter(batch__in=batches).order_by("pk"))
    seen = [asked(version, Decision.COMMENT, "Good.", seen=None) for version in versions]
    chosen = [asked(version, Decision.APPROVE) for version in versions[:3]]

    results = race(
        lambda: decisions.decide([*chosen, *seen[3:]], by=NOBODY, door=Door.API),
        lambda: decisions.decide(list(reversed(seen)), by=NOBODY, door=Door.API),
    )

    assert errors(results) == []


def test_a_newer_version_and_an_approval_of_the_retake_end_in_one_order(plan: Plan) -> None:
    [first] = concepts(plan, 1)
    retake(first)
    seen = asked(first, Decision.APPROVE)
    image = factories.png(color="red")

    results = race(
        lambda: decisions.decide([seen], by=NOBODY, door=Door.API),
        lambda: outside_images.import_concept(plan, image, filename="a.png", actor=None),
    )

    told = dict(Version.objects.order_by("number").values_list("number", "review_state"))
    lost = any(isinstance(result, MadseaError) for result in results)
    assert told[1] == ("superseded" if lost else "approved")
    assert told[2] in ("to_review", "superseded")


def test_a_newer_version_supersedes_the_retakes_of_its_plan_and_their_batches_hear_of_it(
    plan: Plan,
) -> None:
    batch = factories.batch(["done"], of=[plan])  # type: ignore[list-item]
    old = Version.objects.get()
    retake(old)
    batch.refresh_from_db()
    before = batch.revision

    outside_images.import_concept(plan, factories.png(color="red"), filename="a.png", actor=None)

    batch.refresh_from_db()
    old.refresh_from_db()
    assert (old.review_state, old.revision) == ("superseded", before + 1)
    assert batch.revision == before + 1


def test_a_newer_version_leaves_what_is_to_review_and_what_is_approved(plan: Plan) -> None:
    first, second = concepts(plan, 2)
    approve(second)
    decide(second, Decision.UNDO)
    approve(first)

    outside_images.import_concept(plan, factories.png(color="red"), filename="a.png", actor=None)

    told = list(Version.objects.order_by("number").values_list("review_state", flat=True))
    assert told == ["approved", "superseded", "to_review"]


def test_one_key_at_one_moment_decides_once(plan: Plan, supervisor: User) -> None:
    [version] = concepts(plan, 1)
    seen = asked(version, Decision.APPROVE)

    def answer() -> list[int]:
        made = decisions.decide([seen], by=Reviewer(supervisor), door=Door.API)
        return [review.pk for review in made]

    results = race(
        *[
            lambda: idempotency.answer_once(
                {"reviews": 1}, answer, kind="reviews", key="a-key", requester=supervisor
            )
        ]
        * 3
    )

    assert errors(results) == []
    assert len({tuple(result.answer) for result in results}) == 1
    assert sorted(result.replayed for result in results) == [False, True, True]
    assert Review.objects.count() == 1
