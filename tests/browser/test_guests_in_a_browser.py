"""The director judges on a phone, by a link, without an account."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import light_tables
from tests.browser.conftest import PATIENCE_MS
from tests.processes import Site, Sites

pytestmark = pytest.mark.slow
#: Run in a site's own environment; prints the token.
LINK = """
import os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
django.setup()
from generation.models import Episode
from review.services import links
episode = Episode.objects.get(code="E202")
password, decides = sys.argv[1:]
asked = links.NewLink(
    episode.pk, label="For the director", password=password, may_decide=bool(decides),
    may_download=True,
)
print(links.create(asked, by=None).token)
"""
ADVICE = "SELECT decision, comment, guest FROM review_review ORDER BY id"


@pytest.fixture
def site(sites: Sites) -> Iterator[Site]:
    """Six plans with a board and a picture each, and their small pictures."""
    made = sites.new()
    made.python("-c", light_tables.PROGRAM, "6", "1")
    yield made
    made.close()


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    """A phone of 390 × 844, on which no script fails and nothing is refused by its page's rules.

    It is put away before the site: what it still fetches then would be refused.
    """
    _ = site
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert errors == []


def _come_in(phone: Page, site: Site, *, password: str = "", decides: str = "") -> str:
    token = site.python("-c", LINK, password, decides).strip()
    url = site.web()
    phone.goto(f"{url}/r/{token}")
    assert token not in phone.url
    if password:
        phone.get_by_label("password").fill(password)
        phone.get_by_role("button", name="Go on").click()
    phone.get_by_label("Your name").fill("Anouk")
    phone.get_by_role("button", name="See the pictures").click()
    expect(phone.locator("#place")).to_have_text("1 / 6")
    return url


def test_advice_is_given_picture_by_picture(phone: Page, site: Site) -> None:
    _come_in(phone, site, password="open sesame")
    cards = phone.locator(".card")

    cards.nth(0).get_by_role("button", name="Approve").tap()
    expect(phone.locator("#place")).to_have_text("2 / 6")
    cards.nth(1).get_by_role("button", name="Retake").tap()
    expect(cards.nth(1).locator("textarea")).to_be_focused()
    cards.nth(1).locator("textarea").fill("Less light on the sea.")
    cards.nth(1).get_by_role("button", name="Retake").tap()
    expect(phone.locator("#place")).to_have_text("3 / 6")

    expect(cards.nth(0).locator(".judged")).to_contain_text("You would approve it.")
    assert site.rows(ADVICE) == [
        ("advise_approve", "", "Anouk"),
        ("advise_retake", "Less light on the sea.", "Anouk"),
    ]


def test_a_link_that_may_decides_and_is_taken_back(phone: Page, site: Site) -> None:
    _come_in(phone, site, decides="1")
    first = phone.locator(".card").first

    first.get_by_role("button", name="Approve").tap()
    expect(first.locator(".state")).to_contain_text("approved")
    first.get_by_role("button", name="Take it back").tap()

    expect(first.locator(".state")).to_contain_text("to review")


def test_a_phone_shows_the_picture_and_both_buttons_without_scrolling(
    phone: Page, site: Site
) -> None:
    _come_in(phone, site)
    first = phone.locator(".card").first

    expect(first.locator(".picture")).to_have_js_property("complete", value=True)
    expect(first.get_by_role("button", name="Approve")).to_be_in_viewport(ratio=1)
    expect(first.get_by_role("button", name="Retake")).to_be_in_viewport(ratio=1)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    first.get_by_role("button", name="Board").tap()
    expect(first.locator(".board")).to_be_visible()
