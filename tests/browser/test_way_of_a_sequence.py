"""A sequence from its storyboard to the contact sheet, as a supervisor goes it, in a real browser.

Dropped, confirmed, rendered, judged by keyboard, made again where it was asked for, approved, taken
away: what each step shows is what the one before has made.
"""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import storyboard_files
from tests.browser.conftest import Studio
from tests.browser.table_pages import Table, serious
from tests.review.taken_away import text_of
from tests.storyboard_files import Drawn

pytestmark = pytest.mark.slow

N_BOARDS, N_RETAKES = 12, 8
PROJECT, EPISODE = "madsea-2025-ep210", "E210"
WORDS = [f"the moon of {n} is too large" for n in range(N_RETAKES)]
PICTURES = (
    "SELECT p.code, v.number, v.review_state FROM generation_version v"
    " JOIN generation_plan p ON p.id = v.plan_id WHERE v.task = 'AI-concept'"
    " ORDER BY p.code, v.number"
)


def _storyboard(folder: Path) -> Path:
    """Return a storyboard of one scene: shots of four boards."""
    boards = [
        Drawn(
            f"{at // 4 + 1}{'ABCD'[at % 4]}",
            f"0:{3 * at:02}",
            storyboard_files.jpeg(at),
            f"Réplique {at + 1}",
            f"EXT. PORT - NUIT\nLa silhouette {at + 1} passe.",
        )
        for at in range(N_BOARDS)
    ]
    return storyboard_files.pdf(
        folder / f"{EPISODE}_storyboard.pdf", boards, header=f"Boards: {N_BOARDS}  |  Shots: 3"
    )


def _drop(page: Page, studio: Studio, file: Path) -> None:
    """Give a storyboard, and make what was read of it plans."""
    page.goto(f"{studio.url}/admin/storyboards/storyboardimport/")
    give = page.locator("#storyboard-give")
    give.locator("[name=file]").set_input_files(file)
    give.locator("[name=project_id]").fill(PROJECT)
    give.locator("[name=season]").fill("S02")
    give.get_by_role("button", name="Read it").click()
    expect(page.locator(".storyboard-board")).to_have_count(N_BOARDS)
    page.get_by_role("button", name=f"Make {N_BOARDS} plans").click()


def _render(page: Page, studio: Studio) -> None:
    """Ask for the pictures of the storyboard's sequence, and wait for them."""
    sequence = page.locator("#storyboard-sequences")
    sequence.locator("input[type=checkbox]").check()
    sequence.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name=f"Generate {N_BOARDS} pictures").click()
    expect(page.locator("#page-head")).to_contain_text(f"{N_BOARDS} done")
    studio.site.wait_done()


def _judge(table: Table) -> None:
    """Ask for the first to be made again, each in words of its own, and approve the others."""
    for words in WORDS:
        table.page.keyboard.press("r")
        table.page.keyboard.type(words)
        table.press("Enter")
    for _ in range(N_BOARDS - N_RETAKES):
        table.press("v")
    table.settled()


def _prepare(page: Page) -> None:
    """Look over what is to be made again, be told of what makes the same picture, and start it."""
    page.click("[data-prepare]")
    retakes = page.locator("#prepare .retakes li")
    expect(retakes).to_have_count(N_RETAKES)
    for place, words in enumerate(WORDS):
        expect(retakes.nth(place).locator("[name=addition]")).to_have_value(words)
    assert serious(page) == []
    first = retakes.first
    first.locator("[name=addition]").fill("")
    page.locator("#prepare [name=every_seed]").select_option("same")
    page.click("#prepare [data-start]")
    expect(first.locator("em")).to_contain_text("makes the same picture")
    first.locator("[name=addition]").fill("a smaller moon")
    first.locator("[name=values]").fill("steps=4")
    page.get_by_role("button", name=f"Make {N_RETAKES} again").click()
    expect(page.locator("#said")).to_contain_text(f"Retakes asked for: {N_RETAKES}")


def _approve_what_came(table: Table) -> None:
    """Have the new versions shown in their places, and approve each by a key."""
    news = table.page.locator("#news")
    expect(news).to_contain_text(f"New versions: {N_RETAKES}")
    news.get_by_role("button").click()
    for place in range(N_BOARDS):
        wanted = ("2", "to_review") if place < N_RETAKES else ("1", "approved")
        expect(table.tile(place)).to_have_attribute("data-number", wanted[0])
        expect(table.tile(place)).to_have_attribute("data-state", wanted[1])
    table.press("Home", *"v" * N_RETAKES)
    table.settled()
    assert set(table.states()) == {"approved"}


def _contact_sheet(page: Page) -> list[str]:
    """Take the contact sheet away, and return the text of its pages."""
    page.locator(".away summary").click()
    with page.expect_download() as waited:
        page.get_by_role("link", name="Contact sheet, 6 a page").click()
    assert waited.value.suggested_filename == f"{EPISODE}_contact_sheet.pdf"
    return text_of(waited.value.path().read_bytes())


@pytest.mark.parametrize("studio", ["0.2"], indirect=True)
def test_a_sequence_from_its_storyboard_to_the_contact_sheet(
    studio: Studio, page: Page, tmp_path: Path
) -> None:
    table = Table(page, studio.url)

    _drop(page, studio, _storyboard(tmp_path))
    _render(page, studio)
    table.open(place=f"{PROJECT}/{EPISODE}")
    assert table.states() == ["to_review"] * N_BOARDS
    _judge(table)
    _prepare(page)
    studio.site.wait_done()
    _approve_what_came(table)
    pages = _contact_sheet(page)

    plans = [f"{10 * (n + 1):04}" for n in range(N_BOARDS)]
    again, once = plans[:N_RETAKES], plans[N_RETAKES:]
    wanted = [
        (plan, *version) for plan in again for version in ((1, "superseded"), (2, "approved"))
    ]
    assert studio.site.rows(PICTURES) == [*wanted, *((plan, 1, "approved") for plan in once)]
    told = "".join(pages)
    assert len(pages) == 2
    assert [told.count(f"-{plan}") for plan in plans] == [1] * N_BOARDS
    counts = [told.count(word) for word in ("v0001", "v0002", "approved")]
    assert counts == [N_BOARDS - N_RETAKES, N_RETAKES, N_BOARDS]
    _is_made_as_was_asked(studio)


def _is_made_as_was_asked(studio: Studio) -> None:
    [*_, (first,)] = studio.site.rows(
        "SELECT r.params FROM generation_planrun r JOIN generation_plan p ON p.id = r.plan_id"
        " WHERE p.code = '0010' ORDER BY r.id"
    )
    params = json.loads(first) if isinstance(first, str) else first
    assert params["steps"] == 4
    assert params["prompt"].endswith("a smaller moon")
