"""A storyboard from the drop to the page that asks for its plans, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Studio

pytestmark = pytest.mark.slow
PDF = Path(__file__).parents[1] / "data" / "storyboards" / "right_a4p_1x5.pdf"


def test_a_storyboard_is_dropped_corrected_and_made_plans(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.url}/admin/storyboards/storyboardimport/")
    give = page.locator("#storyboard-give")
    give.locator("[name=file]").set_input_files(PDF)
    give.locator("[name=project_id]").fill("madsea-2025-ep203")
    give.locator("[name=season]").fill("S02")
    give.locator("[name=episode]").fill("E203")
    give.get_by_role("button", name="Read it").click()

    make = page.get_by_role("button", name="Make 20 plans")
    expect(make).to_be_visible()
    third = page.locator("#board-3")
    third.get_by_role("button", name="A sequence begins here").click()
    expect(third.locator("[data-field=sequence_id]")).to_have_value("SQ0015")
    third.locator("[data-field=plan]").fill("7")
    third.locator("[data-field=plan]").blur()
    expect(third.locator("[data-problem]")).to_contain_text("four digits")
    third.locator("[data-field=plan]").fill("0070")
    third.locator("[data-field=plan]").blur()
    expect(page.locator("[data-saved]")).to_have_text("Saved.")
    make.click()

    expect(page.get_by_text("Its plans are made")).to_be_visible()
    expect(page.get_by_text("20 plans: 20 new, 20 panels published")).to_be_visible()
    page.locator("#storyboard").get_by_role("link", name="Generate").click()
    expect(page.locator("#generate")).to_contain_text("20")
