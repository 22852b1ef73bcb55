"""An episode of 2,000 plans at the light table: by sequence, and no page of more than 500 tiles.

What a page takes is printed: `make pace`.
"""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import light_tables
from tests.browser.table_pages import (
    OFFICE,
    Studio,
    Table,
    context_of,
    cookies_of,
    network,
    page_in,
    tell,
    weigh,
)
from tests.processes import Sites

pytestmark = [pytest.mark.slow, pytest.mark.soak]

N_PLANS, N_SEQUENCES = 2_000, 4
TILES_MAX = 500


@pytest.fixture
def table(browser: Browser, sites: Sites) -> Iterator[Table]:
    site = sites.new()
    site.python("-c", light_tables.PROGRAM, str(N_PLANS), str(N_SEQUENCES))
    studio = Studio(site, sites.access)
    context = context_of(browser, cookies_of(browser, studio))
    yield from page_in(context, studio)
    context.close()
    site.close()


def test_an_episode_of_two_thousand_plans_is_judged_by_sequence(table: Table) -> None:
    page = table.page
    network(table).send("Network.emulateNetworkConditions", OFFICE)
    weight = weigh(table)
    first = table.states()
    parts = page.locator("#part option").evaluate_all("all => all.map((x) => x.value)")

    page.select_option("#part", parts[-1])
    page.wait_for_url(f"**sequence={parts[-1]}**")
    table.shown()
    expect(page.locator("h1")).to_contain_text(parts[-1])
    table.press("End", "v")
    table.settled()

    begun = time.monotonic()
    query = f"episode_id={page.get_attribute('#table', 'data-episode')}&sequence_id={parts[-1]}"
    sheet = page.request.get(f"{table.url}/api/exports/contact_sheet.pdf?{query}&per_page=6")

    tell(f"{N_PLANS} plans, {len(first)} tiles: {weight}")
    size = f"{len(sheet.body()) / 1e6:.1f} MB"
    tell(f"contact sheet of {TILES_MAX}, 6 a page: {time.monotonic() - begun:.1f} s, {size}")
    assert sheet.status == 200
    assert len(first) == len(table.states()) == TILES_MAX
    assert len(parts) == N_SEQUENCES
    assert table.states()[-1] == "approved"
