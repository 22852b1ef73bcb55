"""django-q2's own pages, users, groups and tokens."""

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from tests.admin import pages

# With Redis as the broker there are no messages in the database to look at.
MESSAGES = ("ormq",) if "orm" in settings.Q_CLUSTER else ()
QUEUE = ("success", "failure", "schedule", *MESSAGES)


@pytest.fixture
def task(db: None) -> None:
    task = apps.get_model("django_q", "Task")
    now = timezone.now()
    for success in (True, False):
        fields = {"id": f"{success}", "name": "drive", "func": "generation.tasks.drive"}
        task.objects.create(success=success, started=now, stopped=now, **fields)


@pytest.mark.parametrize("model", QUEUE)
def test_the_queue_s_pages_are_for_superusers(model: str, office: Client, desk: Client) -> None:
    assert office.get(f"/admin/django_q/{model}/").status_code == 200
    assert desk.get(f"/admin/django_q/{model}/").status_code == 403


@pytest.mark.parametrize("model", QUEUE)
def test_a_permission_alone_does_not_open_the_queue_s_pages(model: str, visitor: Client) -> None:
    assert visitor.get(f"/admin/django_q/{model}/").status_code == 403


@pytest.mark.parametrize(("model", "pk"), [("success", "True"), ("failure", "False")])
def test_the_queue_s_rows_are_only_looked_at(
    model: str, pk: str, task: None, office: Client
) -> None:
    place = f"/admin/django_q/{model}/{pk}"

    assert "generation.tasks.drive" in pages.text(office, f"{place}/change/")
    assert office.post(f"{place}/change/", {"name": "mine"}).status_code == 403
    assert office.post(f"{place}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "place",
    [
        "auth/user/",
        "auth/user/add/",
        "auth/group/add/",
        "authtoken/tokenproxy/",
        "generation/style/add/",
    ],
)
def test_the_pages_of_people_open(place: str, office: Client) -> None:
    assert "madsea" in pages.text(office, f"/admin/{place}").lower()


def test_a_user_is_edited_in_the_same_dress(office: Client, artist: User) -> None:
    Token.objects.create(user=artist)

    assert "artist" in pages.text(office, f"/admin/auth/user/{artist.pk}/change/")
    assert "artist" in pages.text(office, "/admin/authtoken/tokenproxy/")
