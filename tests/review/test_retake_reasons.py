"""The words in which a project asks for retakes: set by the API and in the admin, offered by R."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from rest_framework.test import APIClient

from generation.models import Act, Plan
from generation.services import roles
from review.models import RetakeReasons
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
URL = "/api/projects/madsea-2025-ep202/retake-reasons"
ADD = "/admin/review/retakereasons/add/"


@pytest.fixture
def office(supervisor: User, plans: list[Plan]) -> APIClient:
    """The API as the supervisor's frontend uses it."""
    return client_of(supervisor)


def test_reasons_are_set_read_and_offered_at_the_table(office: APIClient, supervisor: User) -> None:
    before = office.get(URL).json()

    answer = office.patch(URL, {"reasons": ["Frame  differs", "Too dark"]}, format="json")

    told = {"project_id": "madsea-2025-ep202", "reasons": ["Frame differs", "Too dark"]}
    assert before["reasons"] == []
    assert answer.json() == office.get(URL).json() == told
    page = Client()
    page.force_login(supervisor)
    table = page.get("/review/madsea-2025-ep202/E202/").content.decode()
    assert '"vocabulary": ["Frame differs", "Too dark"]' in table
    act = Act.objects.get(verb="set reasons")
    assert (act.before, act.after) == ({"reasons": []}, {"reasons": told["reasons"]})


@pytest.mark.parametrize(
    ("reasons", "attr"),
    [
        (["a"] * 10, "reasons"),
        (["a", " "], "reasons.1"),
        (["a", "b" * 201], "reasons.1"),
        (["a", "a"], "reasons.1"),
    ],
)
def test_what_can_be_no_reason_is_refused_at_its_place(
    office: APIClient, reasons: list[str], attr: str
) -> None:
    answer = office.patch(URL, {"reasons": reasons}, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr
    assert not RetakeReasons.objects.exists()


def test_an_unknown_project_has_none(office: APIClient) -> None:
    assert office.get(URL.replace("202", "203")).json()["code"] == "unknown_project"


def test_they_are_lines_in_the_admin(
    office: APIClient, supervisor: User, plans: list[Plan]
) -> None:
    client = Client()
    client.force_login(supervisor)
    project = plans[0].sequence.episode.project_id

    wrong = client.post(ADD, {"project": project, "lines": "a\na"})
    client.post(ADD, {"project": project, "lines": "Frame differs\r\n\r\nToo dark\r\n"})
    [row] = RetakeReasons.objects.all()
    client.post(ADD.replace("add", f"{row.pk}/change"), {"lines": "Too dark"})

    assert wrong.status_code == 200
    assert "stands there already" in wrong.content.decode()
    assert row.reasons == ["Frame differs", "Too dark"]
    assert RetakeReasons.objects.get().reasons == ["Too dark"]
    assert Act.objects.filter(verb="set reasons").count() == 2


@pytest.mark.parametrize(("role", "status"), [(roles.ARTIST, 403), (roles.SUPERVISOR, 200)])
def test_who_decides_sets_them(
    plans: list[Plan], artist: User, role: str, status: int, settings: Any
) -> None:
    settings.MADSEA_EVERYBODY_MAY = False
    artist.groups.set(Group.objects.filter(name=role))

    answer = client_of(artist).patch(URL, {"reasons": ["Too dark"]}, format="json")

    assert answer.status_code == status
