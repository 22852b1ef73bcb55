"""Advice: what somebody would decide, and the decision that takes it over."""

import pytest
from django.contrib.auth.models import User

from generation.errors import InvalidRequest
from generation.models import Plan
from generation.states import ReviewState
from review.selectors import reviews
from review.services.decisions import Reviewer
from review.states import Decision
from tests.review.deciding import concepts, decide, state

pytestmark = pytest.mark.django_db
GUEST = Reviewer(guest="Anouk", link="1")


def test_advice_that_is_taken_over_decides_with_its_words(
    plans: list[Plan], supervisor: User
) -> None:
    [version] = concepts(plans[0], 1)
    advice = decide(version, Decision.ADVISE_RETAKE, "Darker.", by=GUEST, pin=(0.2, 0.4))
    before = reviews.open_advice([version.pk])

    made = decide(version, Decision.RETAKE, by=Reviewer(supervisor), follows=advice.pk)

    assert before == {version.pk: advice}
    assert (made.comment, made.pin_x, made.follows_id) == ("Darker.", 0.2, advice.pk)
    assert state(version) == ReviewState.RETAKE
    assert reviews.open_advice([version.pk]) == {}


def test_only_what_was_advised_of_this_version_is_followed(plans: list[Plan]) -> None:
    first, second = concepts(plans[0], 2)
    advice = decide(first, Decision.ADVISE_APPROVE, by=GUEST)

    with pytest.raises(InvalidRequest):
        decide(second, Decision.APPROVE, follows=advice.pk)
    with pytest.raises(InvalidRequest):
        decide(first, Decision.RETAKE, "No.", follows=advice.pk)
