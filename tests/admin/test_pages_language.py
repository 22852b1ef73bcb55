"""Pages are in the language that the person chose, else the browser's, else the setting's."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def pages(client: Client, supervisor: User) -> Client:
    """The admin as the supervisor's browser sees it."""
    client.force_login(supervisor)
    return client


def language(client: Client, address: str = "/admin/", **headers: Any) -> str:
    """The language that a page says it is in."""
    text = client.get(address, **headers).content.decode()
    return text.partition('<html lang="')[2][:2]


def choose(client: Client, code: str, back: str = "/admin/") -> Any:
    """Press the button of a language."""
    return client.post("/admin/language/", {"language": code, "next": back})


def test_a_page_is_in_the_browser_s_language(pages: Client) -> None:
    assert language(pages, HTTP_ACCEPT_LANGUAGE="fr-FR") == "fr"


def test_a_browser_that_asks_for_neither_gets_the_setting_s(pages: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "fr"

    assert language(pages, HTTP_ACCEPT_LANGUAGE="de") == "fr"


def test_what_the_person_chose_wins(pages: Client) -> None:
    choose(pages, "en")

    assert language(pages, HTTP_ACCEPT_LANGUAGE="fr-FR") == "en"


def test_choosing_leads_back_to_the_page(pages: Client) -> None:
    answer = choose(pages, "fr", "/admin/generation/plan/?q=0010")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/generation/plan/?q=0010")


def test_choosing_leads_to_no_other_site(pages: Client) -> None:
    assert choose(pages, "fr", "https://elsewhere.example/")["Location"] == "/"


def test_who_is_not_signed_in_chooses_too(client: Client, db: None) -> None:
    choose(client, "fr", "/admin/login/")

    assert language(client, "/admin/login/") == "fr"


@pytest.mark.parametrize("address", ["/admin/", "/admin/generation/batch/"])
def test_each_page_offers_the_languages(pages: Client, address: str) -> None:
    text = pages.get(address).content.decode()

    assert text.count('class="madsea-languages"') == 1
    assert 'value="fr" lang="fr"' in text


def test_the_sign_in_page_offers_the_languages(client: Client, db: None) -> None:
    assert 'class="madsea-languages"' in client.get("/admin/login/").content.decode()


def test_a_cache_is_told_that_pages_differ_by_language(pages: Client) -> None:
    assert {"Accept-Language", "Cookie"} <= set(pages.get("/admin/")["Vary"].split(", "))


def test_a_refresh_in_another_language_is_another_page(pages: Client) -> None:
    live = {"HTTP_X_MADSEA_LIVE": "1"}
    english = pages.get("/admin/", **live)

    french = pages.get(
        "/admin/", HTTP_ACCEPT_LANGUAGE="fr", HTTP_IF_NONE_MATCH=english["ETag"], **live
    )

    assert (french.status_code, french["ETag"] != english["ETag"]) == (200, True)
