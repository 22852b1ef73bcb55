"""A link from the light table to a guest's phone, and the advice back to the supervisor's keys."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser import light_tables
from tests.browser.conftest import PATIENCE_MS
from tests.browser.table_pages import (
    Studio,
    Table,
    context_of,
    cookies_of,
    page_in,
    serious,
)
from tests.processes import PROJECT_ID, Sites

pytestmark = pytest.mark.slow


@pytest.fixture
def studio(sites: Sites) -> Iterator[Studio]:
    """Six plans with a board and a picture each."""
    site = sites.new()
    site.python("-c", light_tables.PROGRAM, "6", "1")
    yield Studio(site, sites.access)
    site.close()


@pytest.fixture
def table(browser: Browser, studio: Studio) -> Iterator[Table]:
    context = context_of(browser, cookies_of(browser, studio))
    yield from page_in(context, studio)
    context.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def _link(table: Table) -> str:
    """Give a link to the first two pictures, by mouse; return its address."""
    page = table.page
    table.press("Home", "Shift+ArrowRight")
    page.locator("[data-links]").click()
    expect(page.locator("#links [data-scope]")).to_contain_text("2 pictures that are selected")
    page.get_by_label("For whom").fill("For Anouk")
    page.locator("#links [data-make]").click()
    expect(page.locator("#links .made")).to_be_visible()
    address = page.get_by_label("it is shown this once").input_value()
    expect(page.locator("#links .given li")).to_contain_text("For Anouk")
    assert serious(page) == []
    page.locator("#links [data-copy]").click()
    expect(page.locator("#links [data-copied]")).to_have_text("Copied.")
    page.locator("#links [data-leave]").click()
    page.keyboard.press("Escape")
    return address


def _advise(phone: Page, address: str) -> None:
    """Approve the first picture and have the second made again, as a guest."""
    phone.goto(address)
    phone.get_by_label("Your name").fill("Anouk")
    phone.get_by_role("button", name="See the pictures").click()
    expect(phone.locator("#place")).to_have_text("1 / 2")
    cards = phone.locator(".card")
    cards.nth(0).get_by_role("button", name="Approve").tap()
    expect(phone.locator("#place")).to_have_text("2 / 2")
    cards.nth(1).locator("textarea").fill("Less light on the sea.")
    cards.nth(1).get_by_role("button", name="Retake").tap()
    expect(cards.nth(1).locator(".judged")).to_be_visible()


def _retake_by_digit(table: Table, studio: Studio) -> None:
    """Ask for a retake for the project's first reason: R, its digit, Enter."""
    answer = requests.patch(
        f"{studio.url}/api/projects/{PROJECT_ID}/retake-reasons",
        json={"reasons": ["Frame differs", "Too dark"]},
        headers={"Authorization": f"Token {studio.access['token']}"},
        timeout=60,
    )
    assert answer.ok, answer.text
    table.open("sequence=SQ0010")
    table.page.keyboard.press("r")
    expect(table.page.locator("#reasons .act").first).to_have_text("1Frame differs")
    assert serious(table.page) == []
    table.page.keyboard.type("1")
    table.press("Enter")
    table.settled()


def test_a_guest_s_advice_becomes_a_decision_by_one_key_and_the_link_is_revoked(
    table: Table, phone: Page, studio: Studio
) -> None:
    table.open("sequence=SQ0010")
    address = _link(table)
    _advise(phone, address)

    # It appears by itself; one is taken over by the key, the other by the button.
    expect(table.tile(1).locator(".advice")).to_contain_text("Anouk Less light on the sea.")
    expect(table.tile(0).locator(".advice")).to_contain_text("would approve it")
    assert serious(table.page) == serious(phone) == []
    table.press("Home", "t")
    expect(table.tile(1)).to_have_attribute("aria-current", "true")
    expect(table.page.locator("#details .advised")).to_contain_text("Less light on the sea.")
    table.page.locator("#details [data-act=follow]").click()
    table.settled()
    expect(table.tile(1).locator(".line .sign")).to_have_text("↻")

    _retake_by_digit(table, studio)

    assert studio.kept("SQ0010")[:4] == ["approved", "retake", "retake", "to_review"]
    assert studio.site.rows(
        "SELECT decision, comment, guest, follows_id IS NOT NULL FROM review_review"
        " WHERE guest = '' ORDER BY id"
    ) == [
        ("approve", "", "", True),
        ("retake", "Less light on the sea.", "", True),
        ("retake", "Frame differs", "", False),
    ]
    table.page.locator("[data-links]").click()
    table.page.get_by_role("button", name="Revoke: For Anouk").click()
    expect(table.page.locator("#links .given li em")).to_have_text("revoked")
    closed = phone.reload()
    assert closed is not None
    assert closed.status == 404
