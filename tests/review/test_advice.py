"""Advice: what somebody would decide, and the decision that takes it over."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.errors import InvalidRequest
from generation.models import Plan
from generation.states import ReviewState
from review.selectors import reviews
from review.services.decisions import Reviewer
from review.states import Decision
from tests.review.deciding import concepts, decide, retake, state

pytestmark = pytest.mark.django_db
PAGE = "/review/madsea-2025-ep202/E202/"
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


def test_advice_is_seen_on_the_tile_and_closely_until_somebody_decides(
    plans: list[Plan], supervisor: User
) -> None:
    [version] = concepts(plans[0], 1)
    decide(version, Decision.ADVISE_RETAKE, "Darker.", by=GUEST)
    client = Client()
    client.force_login(supervisor)

    def seen() -> list[bool]:
        addresses = (PAGE, f"{PAGE}?show=advised", f"{PAGE}plans/{plans[0].pk}")
        pages = [client.get(address).content.decode() for address in addresses]
        return ["data-advice=" in page and "Anouk" in page for page in pages]

    before = seen()
    retake(version, by=Reviewer(supervisor))

    assert before == [True, True, True]
    assert not any(seen())
