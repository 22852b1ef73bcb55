"""Links for guests: made with a frozen scope, revoked; and the API for both."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from rest_framework.test import APIClient

from generation.errors import Forbidden, InvalidRequest
from generation.models import Plan
from review.models import ReviewLink
from review.selectors import links as found
from review.services import links
from review.services.links import NewLink
from tests import factories
from tests.conftest import client_of
from tests.review.deciding import approve, concepts

pytestmark = pytest.mark.django_db
URL = "/api/review-links"


@pytest.fixture
def office(supervisor: User) -> APIClient:
    """The API as the supervisor's frontend uses it."""
    return client_of(supervisor)


@pytest.fixture
def roles(settings: Any) -> None:
    """A studio where what somebody may do is asked."""
    settings.MADSEA_EVERYBODY_MAY = False


def episode_id(plans: list[Plan]) -> int:
    return plans[0].sequence.episode_id


def made(plans: list[Plan], **asked: Any) -> ReviewLink:
    return links.create(NewLink(episode_id(plans), **asked), by=None).link


def shown(link: ReviewLink) -> list[int]:
    return [each.version_id for each in link.linked.all()]


# Its scope ----------------------------------------------------------------------------------------


def test_a_link_shows_the_picture_that_stands_for_each_plan(plans: list[Plan]) -> None:
    first, _ = concepts(plans[0], 2)
    approve(first)
    [other] = concepts(plans[2], 1)

    assert shown(made(plans)) == [first.pk, other.pk]


def test_what_comes_later_is_not_in_it(plans: list[Plan]) -> None:
    panel = factories.version(plans[0], task="extracted-raw")
    [version] = concepts(plans[0], 1)
    link = made(plans)
    concepts(plans[0], 1)
    factories.version(plans[0], task="extracted-raw")

    [card] = found.cards(link)

    assert (card.version, card.panel) == (version, panel)


def test_it_shows_a_sequence_or_chosen_versions_in_the_order_of_the_story(
    plans: list[Plan],
) -> None:
    [other] = factories.plans({"SQ0020": ["0010"]})
    ids = [concepts(plan, 1)[0].pk for plan in (other, plans[1], plans[0])]

    assert shown(made(plans, sequence="SQ0020")) == [ids[0]]
    assert shown(made(plans, version_ids=ids)) == [ids[2], ids[1], ids[0]]


def test_what_is_not_of_the_episode_or_not_reviewed_is_refused(plans: list[Plan]) -> None:
    panel = factories.version(plans[0], task="extracted-raw")

    with pytest.raises(InvalidRequest) as refused:
        made(plans, version_ids=[panel.pk])

    assert refused.value.problems[0].attr == "versions.0"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "nothing_to_show"),
        ({"sequence": "SQ9999"}, "unknown_sequence"),
        ({"label": "\ud800"}, "bad_text"),
    ],
)
def test_a_link_to_nothing_is_refused(plans: list[Plan], asked: Any, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        made(plans, **asked)

    assert refused.value.code == code


# Its token ----------------------------------------------------------------------------------------


def test_only_the_hash_of_its_token_is_kept(plans: list[Plan]) -> None:
    concepts(plans[0], 1)
    new = links.create(NewLink(episode_id(plans), password="open sesame"), by=None)
    kept = str(ReviewLink.objects.values().get())

    assert len(new.token) == 43
    assert new.token not in kept
    assert "open sesame" not in kept
    assert found.of_token(new.token) == new.link


def test_no_token_opens_what_is_over(plans: list[Plan]) -> None:
    concepts(plans[0], 1)
    new = links.create(NewLink(episode_id(plans)), by=None)
    ReviewLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert found.of_token(new.token) is None


def test_unknown_expired_and_revoked_tokens_take_the_same_queries(
    plans: list[Plan], django_assert_num_queries: Any
) -> None:
    concepts(plans[0], 1)
    tokens = [links.create(NewLink(episode_id(plans)), by=None) for _ in range(2)]
    ReviewLink.objects.filter(pk=tokens[0].link.pk).update(expires_at=timezone.now())
    links.revoke(tokens[1].link.pk, by=None)

    with django_assert_num_queries(3):
        opened = [found.of_token(token) for token in ("x", tokens[0].token, tokens[1].token)]

    assert opened == [None, None, None]


# Who may ------------------------------------------------------------------------------------------


def test_giving_links_takes_a_permission(roles: None, plans: list[Plan], artist: User) -> None:
    concepts(plans[0], 1)

    with pytest.raises(Forbidden):
        links.create(NewLink(episode_id(plans)), by=artist)


def test_nobody_gives_more_than_they_may(roles: None, plans: list[Plan], artist: User) -> None:
    concepts(plans[0], 1)
    artist.user_permissions.add(Permission.objects.get(codename="share"))
    giver = User.objects.get(pk=artist.pk)

    links.create(NewLink(episode_id(plans)), by=giver)
    with pytest.raises(Forbidden):
        links.create(NewLink(episode_id(plans), may_decide=True), by=giver)


# Over HTTP ----------------------------------------------------------------------------------------


def test_the_address_of_a_new_link_is_told_once(office: APIClient, plans: list[Plan]) -> None:
    [version] = concepts(plans[0], 1)
    sent = {"episode_id": episode_id(plans), "sequence_id": "SQ0010", "label": "For the director"}

    new = office.post(URL, sent, format="json")
    again = office.get(new["Location"].removeprefix("http://testserver")).json()

    token = new.json()["url"].removeprefix("http://testserver/r/")
    assert new.status_code == 201
    assert new["Cache-Control"] == "no-store"
    assert found.of_token(token) is not None
    assert "url" not in again
    assert (again["versions"], again["state"], again["made_by"]) == (
        [version.pk],
        "open",
        "supervisor",
    )
    assert (again["may_decide"], again["may_download"], again["has_password"]) == (
        False,
        False,
        False,
    )


def test_links_are_listed_by_their_state(office: APIClient, plans: list[Plan]) -> None:
    concepts(plans[0], 1)
    opened, revoked, expired = (made(plans) for _ in range(3))
    office.post(f"{URL}/{revoked.pk}/revoke")
    ReviewLink.objects.filter(pk=expired.pk).update(expires_at=timezone.now())

    def ids(state: str) -> list[int]:
        return [row["id"] for row in office.get(f"{URL}?state={state}").json()["results"]]

    assert [ids("open"), ids("revoked"), ids("expired")] == [
        [opened.pk],
        [revoked.pk],
        [expired.pk],
    ]
    assert office.get(f"{URL}?state=lost").status_code == 400


def test_a_link_is_revoked_once(office: APIClient, plans: list[Plan]) -> None:
    concepts(plans[0], 1)
    link = made(plans)

    first, second = (office.post(f"{URL}/{link.pk}/revoke").json() for _ in range(2))

    assert first["state"] == "revoked"
    assert first["revoked_at"] == second["revoked_at"]


def test_who_may_give_none_reads_and_revokes_none(
    roles: None, api: APIClient, plans: list[Plan]
) -> None:
    concepts(plans[0], 1)
    link = made(plans)

    answers = [
        api.get(URL),
        api.get(f"{URL}/{link.pk}"),
        api.post(URL, {"episode_id": episode_id(plans)}, format="json"),
        api.post(f"{URL}/{link.pk}/revoke"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


@pytest.mark.parametrize(
    ("sent", "attr"),
    [
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"password": "short"}, "password"),
        ({"may_decide": 1}, "may_decide"),
        ({"versions": []}, "versions"),
        ({"token": "mine"}, "token"),
    ],
)
def test_what_a_link_cannot_be_is_named(
    office: APIClient, plans: list[Plan], sent: Any, attr: str
) -> None:
    answer = office.post(URL, {"episode_id": episode_id(plans), **sent}, format="json")

    assert answer.status_code == 400
    assert [each["attr"] for each in answer.json()["errors"]] == [attr]
