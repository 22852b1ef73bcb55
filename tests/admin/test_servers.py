"""Servers in the admin: what they do, and taking them in and out of service."""

from typing import Any

import pytest
from django.test import Client

from generation.models import Server
from generation.states import RunState, ServerHealth
from tests import factories
from tests.admin import pages


@pytest.mark.parametrize(
    ("act", "before", "after", "words"),
    [
        ("enable", {"is_enabled": False}, {"is_enabled": True}, "1 server enabled."),
        ("undrain", {"is_draining": True}, {"is_draining": False}, "1 server taking work again."),
    ],
)
def test_a_server_is_taken_into_service(
    act: str, before: dict[str, Any], after: dict[str, Any], words: str, office: Client
) -> None:
    server = factories.server(**before)

    said = pages.press(office, "server", server, act)

    assert said == [words]
    assert Server.objects.filter(**after).get() == server


@pytest.mark.parametrize(
    ("act", "after", "words"),
    [
        ("disable", {"is_enabled": False}, "1 server disabled."),
        ("drain", {"is_draining": True}, "1 server finishing what it has."),
    ],
)
def test_a_server_is_taken_out_of_service_once_somebody_says_so(
    act: str, after: dict[str, Any], words: str, office: Client
) -> None:
    server = factories.server()

    question = pages.asked(office.post(pages.url("server", server.pk, act)))

    assert not Server.objects.filter(**after).exists()
    assert "gpu-1" in question.text
    assert pages.agree(office, question) == [words]
    assert Server.objects.filter(**after).get() == server


def test_a_server_that_is_given_up_gives_its_plans_back(office: Client) -> None:
    run = factories.batch((RunState.RUNNING,)).runs.get()
    server = factories.server()
    Server.objects.update(health=ServerHealth.DOWN)

    said = pages.press_and_agree(office, "server", server, "give_up")

    assert said == ["1 server (1 plan) given up: what it had is queued again."]
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_the_list_says_what_a_server_is_doing(office: Client) -> None:
    factories.batch((RunState.RUNNING,))

    shown = pages.text(office, pages.url("server"))

    assert "E202_SQ0010-0010</a> 50 %" in shown


def test_saving_a_server_writes_only_what_was_typed(office: Client) -> None:
    server = factories.server()
    form = {"name": "gpu-9", "url": server.url, "headers": "{}"}

    office.post(pages.url("server", server.pk), form)

    server.refresh_from_db()
    assert (server.name, server.health, server.is_enabled) == ("gpu-9", ServerHealth.UP, True)


def test_a_server_is_added_by_its_address(office: Client) -> None:
    form = {"name": "gpu-2", "url": "http://10.0.0.5:8188", "headers": "{}"}

    office.post(f"{pages.url('server')}add/", form)

    added = Server.objects.get()
    assert (added.source, added.health) == (Server.Source.ADMIN, ServerHealth.UNKNOWN)


def test_an_address_from_the_settings_stays_what_it_is(office: Client) -> None:
    server = factories.server(source=Server.Source.SETTINGS)
    form = {"name": "gpu-1", "url": "http://10.0.0.6:8188", "headers": "{}"}

    office.post(pages.url("server", server.pk), form)

    server.refresh_from_db()
    assert server.url == "http://127.0.0.1:1/gpu-1"


def test_headers_are_hidden_from_whoever_may_only_look(visitor: Client) -> None:
    server = factories.server(headers={"Authorization": "Bearer secret-of-the-studio"})

    assert "secret-of-the-studio" not in pages.text(visitor, pages.url("server", server.pk))
