"""A page is in one language: nothing of the other is left on it, in neither direction."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from tests import factories
from tests.languages import foreign_words, production_rows, visible_texts
from tests.languages.production_rows import Studio

pytestmark = pytest.mark.django_db
#: Pages that only a POST opens, or that belong to no model.
_PLACES = ("/admin/", "/admin/password_change/", "/admin/no/such/page/")


def admin_addresses(studio: Studio) -> Iterator[str]:
    """Every address of the admin that a browser can open, by its rows."""
    yield from _PLACES
    for plan_id in studio.keys["generation/plan"]:
        yield f"/admin/generation/plan/generate/?plans={plan_id}"
    [site] = [each for each in get_resolver().url_patterns if str(each.pattern) == "admin/"]
    for of_model in site.url_patterns:
        if isinstance(of_model, URLResolver):
            model = str(of_model.pattern).strip("/")
            for page in of_model.url_patterns:
                yield from _addresses(model, page, studio)


def _addresses(model: str, page: Any, studio: Studio) -> Iterator[str]:
    # A page of changes is led to by nothing, and a group's deletion lists Django's own rows.
    is_shown = isinstance(page, URLPattern) and page.name and "history" not in page.name
    if not is_shown or page.name == "auth_group_delete":
        return
    place = f"/admin/{model}/{page.pattern}"
    named = page.pattern.converters
    if not named:
        yield place
    for key in studio.keys.get(model, ()) if named else ():
        [name] = named
        yield place.replace(f"<{'path:' * (name != 'id')}{name}>", str(key))


@pytest.fixture
def studio(supervisor: User, settings: Any) -> Studio:
    return production_rows.studio(supervisor)


@pytest.fixture(params=[foreign_words.FRENCH, foreign_words.ENGLISH])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def strange(client: Client, addresses: Iterator[str], language: str) -> str:
    """Return a line for each text in the other language: what of it is so, and where it stands."""
    found: dict[str, str] = {}
    for address in addresses:
        answer = client.get(address, HTTP_ACCEPT_LANGUAGE=language, follow=True)
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        for text in visible_texts.of_page(answer.content.decode(), language):
            if why := foreign_words.foreign(text, language):
                found.setdefault(text, f"{why}: {text} ({address})")
    return "\n".join(found.values())


def test_the_admin_s_pages_are_in_one_language(
    studio: Studio, client: Client, supervisor: User, language: str
) -> None:
    client.force_login(supervisor)

    assert strange(client, admin_addresses(studio), language) == ""


def api_addresses(studio: Studio) -> Iterator[str]:
    """Every address of the API, once with what is there and once with what is not."""
    for pattern in api_patterns():
        place = f"/{pattern.pattern}"
        for key in ("1", "0") if pattern.pattern.converters else ("",):
            address = place
            for name in pattern.pattern.converters:
                address = re.sub(rf"<(\w+:)?{name}>", key, address)
            if not address.startswith("/api/events"):
                yield address


def api_patterns() -> list[URLPattern]:
    """Return the API's addresses, in the spelling without a slash at the end."""
    [root] = [each for each in get_resolver().url_patterns if _is_api(each)]
    assert isinstance(root, URLResolver)
    found = (each for each in root.url_patterns if isinstance(each, URLPattern) and each.name)
    return [each for each in found if each.name not in {"schema", "docs", "redoc", "guide"}]


def _is_api(each: Any) -> bool:
    return isinstance(each, URLResolver) and "generation.api.urls" in repr(each.urlconf_name)


#: These list names that the API has, which are of no language.
_NAMES = re.compile(r"Clé inconnue|Paramètre inconnu|Valeurs possibles|\w+ est obligatoire")
#: What a client might send that has not read the guide.
_BODIES: tuple[Any, ...] = ({}, {"unknown": 1}, [1], {"batch_id": 1, "project_id": " "})


def test_the_api_s_refusals_are_in_french(studio: Studio, api: APIClient) -> None:
    french = {"HTTP_ACCEPT_LANGUAGE": "fr"}
    found: dict[str, str] = {}
    for address in api_addresses(studio):
        answers = [
            api.get(address, **french),
            api.get(f"{address}?unknown=1&page=x&page_size=-1&episode_id=x&status=x", **french),
            *(api.post(address, body, format="json", **french) for body in _BODIES),
            api.patch(address, {"unknown": 1}, format="json", **french),
            api.delete(address, **french),
        ]
        for answer in answers:
            if not answer.get("Content-Type", "").startswith("application/json"):
                continue
            for text in visible_texts.of_answer(json.loads(answer.content)):
                why = foreign_words.foreign(text, "fr")
                if why and not _NAMES.match(text):
                    found.setdefault(text, f"{why}: {text} ({address}, {answer.status_code})")

    assert "\n".join(found.values()) == ""


def test_the_pages_of_the_review_are_in_one_language(
    studio: Studio, client: Client, supervisor: User, language: str
) -> None:
    guest = Client()
    guest.get(f"/r/{studio.guest.token}", HTTP_ACCEPT_LANGUAGE=language)
    plan = studio.keys["generation/plan"][0]
    place = f"/review/{factories.PROJECT_ID}/E202/"
    client.force_login(supervisor)

    light_table = strange(client, iter([place, f"{place}plans/{plan}", f"{place}tiles"]), language)
    link = f"/r/{studio.guest.link.pk}/"
    link_pages = strange(guest, iter([link, f"{link}name", f"/r/{'A' * 43}"]), language)

    assert light_table + link_pages == ""
