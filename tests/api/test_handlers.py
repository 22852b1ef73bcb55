"""Who gets HTML and who gets JSON when nothing is found."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_front_door_leads_to_the_admin(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_person_in_the_admin_gets_a_page(client: Client, supervisor: User) -> None:
    client.force_login(supervisor)
    answer = client.get("/admin/nowhere/")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (404, "text/html")


def test_anybody_else_gets_json(client: Client) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
