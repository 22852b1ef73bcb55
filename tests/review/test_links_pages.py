"""Links for guests in the admin: made, listed, looked at, revoked."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Act, Plan
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


def test_a_link_is_made_and_its_address_is_shown_once(office: Client, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    asked = {"episode": plans[0].sequence.episode_id, "sequence": "SQ0010", "days": 3}

    page = office.post(f"{LIST}add/", asked | {"label": "For Anouk", "may_download": "on"})

    [link] = ReviewLink.objects.all()
    [token] = re.findall(r"/r/([\w-]{43})", page.content.decode())
    assert "no-store" in page["Cache-Control"]
    assert (link.label, link.may_decide, link.may_download) == ("For Anouk", False, True)
    assert [each.version_id for each in link.linked.all()] == [version.pk]
    assert Client().get(f"/r/{token}").status_code == 302
    assert token not in office.get(f"{LIST}{link.pk}/change/").content.decode()
    assert Act.objects.get(verb="share").target == "For Anouk"


def test_what_can_be_no_link_is_told_beside_its_field(office: Client, plans: list[Plan]) -> None:
    asked = {"episode": plans[0].sequence.episode_id, "sequence": "SQ9990", "days": 500}

    page = office.post(f"{LIST}add/", asked | {"password": "short"}).content.decode()
    later = office.post(f"{LIST}add/", asked | {"days": 5}).content.decode()

    assert "90" in page
    assert "6" in page
    assert "has no sequence SQ9990" in later
    assert not ReviewLink.objects.exists()


def test_roles_decide_who_gives_links(stranger: User, plans: list[Plan], settings: Any) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    User.objects.filter(pk=stranger.pk).update(is_active=True, is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=stranger.pk))

    assert client.get(f"{LIST}add/").status_code == 403
