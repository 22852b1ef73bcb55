"""What cannot be shown is a page too, which says what to do; the log has one line of it."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from generation.states import RunState
from madsea.web.log_filters import RefusalsInOneLine
from tests import factories
from tests.admin import pages

NOWHERE, FORBIDDEN = "/admin/nowhere/", "/admin/generation/planrun/add/"
SIGN_IN = {"username": "supervisor", "password": "x"}
BUTTON = "/admin/generation/planrun/1/retry/"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What stands in the log, written as the settings have it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(RefusalsInOneLine())
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


def _shown(response: Any, status: int) -> str:
    html: str = response.content.decode()
    assert response.status_code == status
    assert "unfold/css/styles" in html, "in the admin's look"
    return html


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        (NOWHERE, 404, "There is nothing at this address"),
        ("/admin/auth/user/999/password/", 404, "There is nothing at this address"),
        (FORBIDDEN, 403, "You may not do this"),
        (BUTTON, 405, "This address belongs to a button"),
    ],
)
def test_a_refusal_is_a_page_with_the_way_on(
    address: str, status: int, words: str, debug: bool, office: Client, settings: Any
) -> None:
    settings.DEBUG = debug

    html = _shown(office.get(address), status)

    assert words in html
    assert "/admin/generation/batch/" in html, "the lists at the side"
    assert 'href="/admin/"' in html


@pytest.mark.parametrize("user", ["999", "nobody", "9" * 40])
def test_the_password_of_nobody_is_not_changed(user: str, office: Client) -> None:
    sent = {"password1": "of-nobody-at-all", "password2": "of-nobody-at-all"}

    html = _shown(office.post(f"/admin/auth/user/{user}/password/", sent), 404)

    assert "There is nothing at this address" in html


def test_a_button_s_address_leads_to_its_page(office: Client) -> None:
    html = _shown(office.get(BUTTON), 405)

    assert 'href="/admin/generation/planrun/1/change/"' in html
    assert 'href="/admin/generation/' in _shown(
        office.get("/admin/generation/batch/answer/cancel/"), 405
    )


def test_a_form_without_its_token_says_that_nothing_was_done(supervisor: User) -> None:
    run = factories.batch((RunState.ERROR,)).runs.get()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(supervisor)

    html = _shown(careful.post(pages.url("planrun", run.pk, "retry")), 403)

    assert "The page was open for too long" in html
    assert "Nothing was done." in html


def test_a_stale_sign_in_says_so_too(db: None) -> None:
    html = _shown(Client(enforce_csrf_checks=True).post("/admin/login/", SIGN_IN), 403)

    assert "The page was open for too long" in html


def test_a_wrong_host_is_a_page(client: Client) -> None:
    html = _shown(client.get("/admin/", headers={"host": "elsewhere.example"}), 400)

    assert "This request cannot be read" in html


def test_a_mistake_of_ours_is_a_page_that_asks_no_database(client: Client) -> None:
    # Without the fixture of the database, every look into it is an error.
    client.raise_request_exception = False

    html = _shown(client.post("/admin/login/", SIGN_IN), 500)

    assert "Madsea made a mistake" in html


def test_whoever_is_signed_out_reads_so(office: Client) -> None:
    html = _shown(office.post("/admin/logout/"), 200)

    assert "You are signed out" in html


@pytest.mark.parametrize("address", ["/admin", "/admin/generation/batch"])
def test_a_slash_that_is_lacking_is_no_refusal(address: str, office: Client) -> None:
    response = office.get(f"{address}?q=1") if address != "/admin" else office.get(address)

    assert response.status_code == 302
    assert response["Location"].split("?")[0] == f"{address}/"


def test_a_filter_that_is_not_understood_is_told(office: Client) -> None:
    shown = office.get("/admin/generation/planrun/?bogus=1", follow=True).content.decode()

    assert "The filter in the address was not understood: every row is shown." in shown


@pytest.mark.parametrize("address", [NOWHERE, FORBIDDEN, BUTTON])
def test_a_refusal_is_one_line_in_the_log(
    address: str, office: Client, logged: io.StringIO
) -> None:
    office.get(address)

    assert len(logged.getvalue().splitlines()) == 1
    assert address in logged.getvalue()


def test_a_wrong_host_is_one_line_in_the_log(client: Client, logged: io.StringIO) -> None:
    client.get("/admin/", headers={"host": "elsewhere.example"})

    assert len(logged.getvalue().splitlines()) == 1


def test_a_mistake_of_ours_keeps_its_traceback(client: Client, logged: io.StringIO) -> None:
    client.raise_request_exception = False

    client.post("/admin/login/", SIGN_IN)

    assert "Traceback" in logged.getvalue()


def test_the_log_is_written_so() -> None:
    console = settings.LOGGING["handlers"]["console"]

    assert "refusals" in console["filters"]
    assert settings.LOGGING["loggers"]["django"] == {"handlers": []}
