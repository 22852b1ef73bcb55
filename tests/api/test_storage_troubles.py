"""What clients are told while the projects folder is away: wait, and when to ask again."""

import shutil
from pathlib import Path

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from generation.models import Plan
from generation.services import volumes
from tests import factories
from tests.api.calls import status, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def unmounted(plans: list[Plan], projects_root: Path) -> None:
    """The root is an empty folder, although a file was published there."""
    factories.version(plans[0])
    shutil.rmtree(projects_root)
    projects_root.mkdir()


def test_an_upload_is_told_to_come_back(unmounted: None, api: APIClient) -> None:
    batch = factories.batch()

    answer = upload(api, batch, factories.png())

    assert (answer.status_code, answer.json()["code"]) == (503, "wrong_volume")
    assert "not mounted" in answer.json()["detail"]
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("query", ["", "?w=160"])
def test_a_file_that_is_away_is_not_gone(
    query: str, plans: list[Plan], projects_root: Path, api: APIClient
) -> None:
    version = factories.version(plans[0])
    shutil.rmtree(projects_root)
    projects_root.mkdir()

    answer = api.get(f"/files/{version.pk}/{version}{query}")

    assert (answer.status_code, "Retry-After" in answer) == (503, True)


def test_a_waiting_plan_says_so(unmounted: None, api: APIClient) -> None:
    batch = factories.batch()
    volumes.watch()

    document = status(api, batch).json()

    waits = document["plans"][0]["waits"]
    assert waits["code"] == "storage"
    assert "not mounted" in document["reasons"][waits["reason"]]


def test_the_overview_and_the_servers_say_so(unmounted: None, admin_client: APIClient) -> None:
    volumes.watch()

    overview = admin_client.get(reverse("admin:index")).content.decode()
    servers = admin_client.get(reverse("admin:generation_server_changelist")).content.decode()

    assert "not mounted" in overview
    assert "not mounted" in servers
