"""Links for guests in the admin: listed, looked at, revoked."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Plan
from review.models import ReviewLink
from review.services import links
from review.services.links import NewLink
from tests.review.deciding import concepts

pytestmark = pytest.mark.django_db
LIST = "/admin/review/reviewlink/"


@pytest.fixture
def link(plans: list[Plan]) -> ReviewLink:
    """A link to one picture."""
    concepts(plans[0], 1)
    asked = NewLink(plans[0].sequence.episode_id, label="For the director")
    return links.create(asked, by=None).link


@pytest.fixture
def office(supervisor: User) -> Client:
    """The supervisor's browser."""
    client = Client()
    client.force_login(supervisor)
    return client


def test_links_are_listed_and_looked_at(office: Client, link: ReviewLink) -> None:
    listed = office.get(LIST).content.decode()
    page = office.get(f"{LIST}{link.pk}/change/").content.decode()

    assert "For the director" in listed
    assert "is advice" in page
    assert link.token_hash not in listed + page


def test_a_link_is_asked_about_and_revoked(office: Client, link: ReviewLink) -> None:
    asked = office.post(f"{LIST}{link.pk}/revoke/").content.decode()
    shown = asked.partition('name="shown" value="')[2].partition('"')[0]

    office.post(f"{LIST}answer/revoke/", {"shown": shown, "back": LIST})

    link.refresh_from_db()
    assert link.state == "revoked"
