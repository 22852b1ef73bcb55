"""Asking for plans from the page, in a real browser, with a preview server behind it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.conftest import Studio

pytestmark = pytest.mark.slow
N_BATCHES = "SELECT count(*) FROM generation_batch"


def _open(page: Page, studio: Studio) -> None:
    """Tick the sequence in its list, and choose Generate."""
    page.goto(f"{studio.url}/admin/generation/sequence/")
    page.check("#action-toggle")
    page.select_option("select[name=action]", "generate")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("button", name="Generate 3 pictures")).to_be_enabled()


def test_a_ticked_sequence_is_generated_and_shows_its_first_pictures(
    studio: Studio, page: Page
) -> None:
    _open(page, studio)

    page.get_by_role("button", name="Generate 3 pictures").click()

    expect(page.get_by_text("3 pictures asked for.")).to_be_visible()
    expect(page.locator("#page-head")).to_contain_text("3 done")


def test_a_double_press_makes_one_batch(studio: Studio, page: Page) -> None:
    _open(page, studio)

    page.get_by_role("button", name="Generate 3 pictures").dblclick()

    expect(page.locator("#page-head")).to_contain_text("3 done")
    assert studio.site.value(N_BATCHES) == 1


def test_dropped_panels_are_published_in_their_order_and_generated(
    studio: Studio, page: Page, tmp_path: Path
) -> None:
    files = [tmp_path / f"board {n}.png" for n in (10, 2, 3, 1)]
    for file in files:
        file.write_bytes(factories.png())
    page.goto(f"{studio.url}/admin/generation/sequence/1/change/")

    page.set_input_files("[name=file]", files)
    page.select_option("[name=placed]", "order")
    page.get_by_role("button", name="Publish").click()

    expect(page.get_by_role("link", name="E202_SQ0010-0040", exact=True)).to_be_visible()
    page.get_by_role("link", name="Generate").click()
    expect(page.get_by_role("button", name="Generate 4 pictures")).to_be_enabled()
    assert studio.site.value("SELECT max(number) FROM generation_version") == 2


def test_what_is_changed_is_marked_and_what_it_would_do_is_told_at_once(
    studio: Studio, page: Page
) -> None:
    _open(page, studio)

    page.get_by_label("Variations").fill("2")
    expect(page.get_by_role("button", name="Generate 6 pictures")).to_be_visible()
    page.get_by_label("Steps").fill("0")
    expect(page.get_by_text("steps must be between 1 and 10000, not 0.")).to_be_visible()
    expect(page.get_by_role("button", name="Generate")).to_be_disabled()
    page.get_by_role("button", name="take back").click()

    expect(page.get_by_label("Steps")).to_have_value("30")
    expect(page.get_by_role("button", name="Generate 6 pictures")).to_be_enabled()
    cfg = page.locator('[name="value:cfg"]')
    expect(cfg).to_have_value("7.5")
    page.select_option("#style", "labo")
    expect(cfg).to_have_value(re.compile(r"^7(\.0)?$"))
    assert studio.site.value(N_BATCHES) == 0
