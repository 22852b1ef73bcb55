"""The admin takes secrets of a server, keeps them, and never shows them again."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from generation.models import Server
from tests import factories

pytestmark = pytest.mark.django_db

SECRETS = {
    "login": "me:s3cret-1",
    "query": "token=s3cret-2",
    "partner_key": "s3cret-3",
    "headers": {"X-Token": "s3cret-4"},
}


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def server() -> Server:
    return factories.server(url="https://gpu.studio", **SECRETS)


def page(server: Server) -> str:
    return reverse("admin:generation_server_change", args=[server.pk])


def saved(boss: Client, server: Server, **fields: str) -> Server:
    sent = {"name": server.name, "url": server.url, "headers": '{"X-Token": "(not shown)"}'}
    answer = boss.post(page(server), sent | fields)
    assert answer.status_code == 302
    server.refresh_from_db()
    return server


@pytest.mark.parametrize(
    "path", ["/admin/generation/server/", "/admin/generation/server/?q=s3cret"]
)
def test_no_list_shows_a_secret(boss: Client, server: Server, path: str) -> None:
    assert "s3cret-" not in boss.get(path).content.decode()


def test_no_form_shows_a_secret(boss: Client, server: Server) -> None:
    shown = boss.get(page(server)).content.decode()
    assert "s3cret-" not in shown
    assert "X-Token" in shown


def test_what_is_left_empty_stays(boss: Client, server: Server) -> None:
    after = saved(boss, server, login="", query="", partner_key="")
    assert {name: getattr(after, name) for name in SECRETS} == SECRETS


def test_a_secret_is_replaced(boss: Client, server: Server) -> None:
    after = saved(boss, server, login="you:new", headers='{"X-Token": "new", "Y": "z"}')
    assert (after.login, after.headers) == ("you:new", {"X-Token": "new", "Y": "z"})
    assert after.query == SECRETS["query"]


def test_secrets_in_an_address_go_where_they_belong(boss: Client, server: Server) -> None:
    after = saved(boss, server, url="https://a:b@other.studio/?k=v")
    assert (after.url, after.login, after.query) == ("https://other.studio", "a:b", "k=v")
