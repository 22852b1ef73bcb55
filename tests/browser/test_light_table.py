"""The light table in a real browser: a sequence judged by keyboard, and what must never be lost.

How quick it was is printed, and asserted nowhere: `pytest -s tests/browser/test_light_table.py`.
"""

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser import light_tables
from tests.browser.table_pages import (
    OFFICE,
    Studio,
    Table,
    context_of,
    cookies_of,
    network,
    page_in,
    serious,
    tell,
    weigh,
)
from tests.processes import PROJECT_ID, Sites

pytestmark = pytest.mark.slow

N_PLANS, N_SEQUENCES = 400, 10
PER_SEQUENCE = N_PLANS // N_SEQUENCES
#: Every fifth of forty is to be made again.
RETAKES = frozenset(range(4, PER_SEQUENCE, 5))
#: What a page may take before anybody has scrolled.
WEIGHT_MAX, REQUESTS_MAX = 600_000, 90


@pytest.fixture(scope="module")
def review_studio(sites: Sites) -> Iterator[Studio]:
    """Four hundred plans in ten sequences; each test has sequences of its own."""
    site = sites.new(MADSEA_TICK_S="1")
    site.python("-c", light_tables.PROGRAM, str(N_PLANS), str(N_SEQUENCES))
    yield Studio(site, sites.access)
    site.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, review_studio: Studio) -> list[Any]:
    """The cookies of a supervisor who has signed in, which is done once."""
    return cookies_of(browser, review_studio)


@pytest.fixture
def context(browser: Browser, signed_in: list[Any]) -> Iterator[BrowserContext]:
    made = context_of(browser, signed_in)
    yield made
    made.close()


@pytest.fixture
def table(context: BrowserContext, review_studio: Studio) -> Iterator[Table]:
    yield from page_in(context, review_studio)


@pytest.fixture
def phone(browser: Browser, review_studio: Studio, signed_in: list[Any]) -> Iterator[Table]:
    size = {"width": 390, "height": 844}
    context = context_of(browser, signed_in, viewport=size, has_touch=True, is_mobile=True)
    yield from page_in(context, review_studio)
    context.close()


# Forty plans ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pause_s", "sequence"),
    [(0.0, "SQ0010"), pytest.param(1.2, "SQ0020", marks=pytest.mark.soak)],
)
def test_forty_plans_are_judged_by_keyboard(
    table: Table, review_studio: Studio, pause_s: float, sequence: str
) -> None:
    network(table).send("Network.emulateNetworkConditions", OFFICE)
    table.open(f"sequence={sequence}")
    begun = time.monotonic()

    for place in range(PER_SEQUENCE):
        time.sleep(pause_s)
        if place not in RETAKES:
            table.press("v")
        elif place == min(RETAKES):
            table.page.keyboard.press("r")
            table.page.keyboard.type("Darker, the sea is too bright.")
            table.press("Enter")
        else:
            table.press("Shift+R")
    took_s = time.monotonic() - begun
    table.settled()

    wanted = ["retake" if n in RETAKES else "approved" for n in range(PER_SEQUENCE)]
    assert table.states() == wanted
    assert review_studio.kept(sequence) == wanted
    tell(f"40 plans, 8 retakes, {pause_s:g} s before each key: {took_s:.1f} s{_keys(table)}")


def _keys(table: Table) -> str:
    """Tell how long it took from a key to the next picture: painted, on 20 Mbit/s and 40 ms."""
    keys, paints = table.page.evaluate("[window.keys, window.paints]")
    waits = [
        min((paint for paint in paints if paint > key), default=key) - key
        for key, following in zip(keys, [*keys[1:], float("inf")], strict=True)
        if any(key < paint < following for paint in paints)
    ]
    quantiles = statistics.quantiles(waits, n=20)
    return f"; key to next picture: median {quantiles[9]:.0f} ms, 95 % {quantiles[18]:.0f} ms"


def test_a_page_of_four_hundred_plans_is_light(table: Table) -> None:
    weight = weigh(table)

    assert len(table.states()) == N_PLANS
    tell(f"{N_PLANS} plans: {weight}")
    assert weight.n_bytes < WEIGHT_MAX
    assert weight.n_requests < REQUESTS_MAX


# What must not be lost --------------------------------------------------------------------------


def test_what_could_not_be_sent_is_shown_kept_and_sent_later(
    table: Table, review_studio: Studio
) -> None:
    table.open("sequence=SQ0030")
    table.page.route("**/api/reviews", lambda route: route.abort())
    table.press("v", "v")
    expect(table.page.locator("#trouble")).to_contain_text("not sent yet")
    expect(table.tile(0)).to_have_attribute("data-unsent", "")
    before = review_studio.kept("SQ0030")[:2]

    table.page.unroute("**/api/reviews")
    table.open("sequence=SQ0030")
    table.settled()

    assert before == ["to_review", "to_review"]
    assert review_studio.kept("SQ0030")[:3] == ["approved", "approved", "to_review"]
    expect(table.page.locator("#trouble")).to_be_hidden()


def test_an_answer_that_was_lost_makes_no_second_decision(
    table: Table, review_studio: Studio
) -> None:
    table.open("sequence=SQ0030")
    n_before = review_studio.site.value("SELECT count(*) FROM review_review")
    lost: list[str] = []

    def lose(route: Any) -> None:
        # It is taken, and the answer never comes.
        if not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    table.page.route("**/api/reviews", lose)
    table.press("v")
    table.settled()

    assert len(lost) == 1
    assert review_studio.site.value("SELECT count(*) FROM review_review") == n_before + 1


def test_what_somebody_else_decided_first_is_told_and_nothing_is_overwritten(
    table: Table, review_studio: Studio
) -> None:
    # Told before the key is pressed, it would be decided upon as it is by then.
    table.page.route("**/states?*", lambda route: None)
    table.open("sequence=SQ0040")
    first = review_studio.version("SQ0040", "0010")
    review_studio.decide(first, "retake", "to_review", "Warmer, please.")

    table.press("v")

    trouble = table.page.locator("#trouble")
    expect(trouble).to_contain_text("retake now, not to review")
    expect(trouble).to_contain_text(review_studio.access["name"])
    table.page.unroute("**/states?*")
    expect(table.tile(0)).to_have_attribute("data-state", "retake")
    assert review_studio.kept("SQ0040")[0] == "retake"
    trouble.get_by_role("button", name="Send again").click()
    table.settled()
    assert review_studio.kept("SQ0040")[0] == "approved"


def test_another_s_decision_appears_and_the_grid_stays(table: Table, review_studio: Studio) -> None:
    table.open("sequence=SQ0040")
    review_studio.decide(review_studio.version("SQ0040", "0390"), "approve", "to_review")

    expect(table.tile(38)).to_have_attribute("data-state", "approved")


def test_new_versions_are_announced_and_shown_in_their_place(
    table: Table, review_studio: Studio
) -> None:
    table.open("sequence=SQ0040")
    place = table.tile(1).bounding_box()
    old = review_studio.version("SQ0040", "0020")
    columns = (
        "plan_id, task, extension, state, origin, staging_path, held_up, sha256, served_sha256,"
        " pixels_sha256, n_bytes, width_px, height_px, image, revision, created_at, published_at,"
        " derived, review_state"
    )
    review_studio.site.execute(
        f"INSERT INTO generation_version (number, path, {columns}) SELECT 2,"
        f" replace(path, 'v0001', 'v0002'), {columns} FROM generation_version WHERE id = {old}"
    )

    news = table.page.locator("#news")
    expect(news).to_contain_text("New versions: 1")
    assert table.tile(1).get_attribute("data-number") == "1"
    news.get_by_role("button").click()

    expect(table.tile(1)).to_have_attribute("data-number", "2")
    assert table.tile(1).bounding_box() == place


# Many at once, and taken back -------------------------------------------------------------------


def test_all_that_is_shown_is_approved_at_once_and_taken_back_at_once(
    table: Table, review_studio: Studio
) -> None:
    table.open("sequence=SQ0050")
    table.press("Control+a", "v")
    table.settled()
    approved = review_studio.kept("SQ0050")

    table.press("Control+z")
    table.settled()

    assert set(approved) == {"approved"}
    assert set(review_studio.kept("SQ0050")) == {"to_review"}
    assert set(table.states()) == {"to_review"}


def test_a_selection_is_made_by_arrows_and_left_by_escape(table: Table) -> None:
    table.open("sequence=SQ0050")
    table.press("Home", "Shift+ArrowRight", "Shift+ArrowRight", "x")

    expect(table.page.locator("#chosen")).to_contain_text("2 selected")
    table.press("Escape")
    expect(table.page.locator("#chosen")).to_be_hidden()


def test_a_decision_is_taken_back_by_one_key(table: Table, review_studio: Studio) -> None:
    table.open("sequence=SQ0060")
    table.press("v", "ArrowLeft", "u")
    table.settled()

    assert review_studio.kept("SQ0060")[0] == "to_review"
    assert table.states()[0] == "to_review"


def test_letters_that_are_typed_decide_nothing(table: Table, review_studio: Studio) -> None:
    table.open("sequence=SQ0060")
    table.page.keyboard.press("c")
    table.page.keyboard.type("very red, xvu?")
    table.page.keyboard.press("Enter")
    table.settled()

    assert review_studio.kept("SQ0060")[0] == "to_review"
    expect(table.page.locator("#details .comments")).to_contain_text("very red, xvu?")


# Looking ----------------------------------------------------------------------------------------


def test_the_board_is_shown_while_its_key_is_held(table: Table) -> None:
    table.open("sequence=SQ0070")
    table.page.wait_for_selector("#details article")
    table.page.keyboard.down("b")
    expect(table.page.locator("#stage .against")).to_be_visible()
    board = table.page.locator("#stage .against").get_attribute("src")
    table.page.keyboard.up("b")

    expect(table.page.locator("#stage .against")).to_have_count(0)
    assert "extracted-raw" in str(board)


@pytest.mark.parametrize("key", ["w", "s", "d", "o"])
def test_a_picture_is_compared_with_its_board(table: Table, key: str) -> None:
    table.open("sequence=SQ0070")
    table.page.wait_for_selector("#details article")
    table.page.keyboard.press(key)
    expect(table.page.locator("#stage .against")).to_be_visible()

    table.page.keyboard.press(key)
    expect(table.page.locator("#stage .against")).to_have_count(0)


#: The centre of the pin as parts of the picture, which is 16 by 9 on a stage of any ratio.
PIN = """() => {
  const box = (of) => document.querySelector(of).getBoundingClientRect();
  const [stage, pin] = [box("#stage"), box("#stage .pin")];
  const part = document.getElementById("stage").dataset.mode === "beside" ? 2 : 1;
  const width = Math.min(stage.width / part, stage.height * 16 / 9);
  const left = stage.left + (stage.width / part - width) / 2;
  const top = stage.top + (stage.height - width * 9 / 16) / 2;
  const [x, y] = [pin.left + pin.width / 2 - left, pin.top + pin.height / 2 - top];
  return [x / width, y / width * 16 / 9].map((each) => each.toFixed(2)).join(" ");
}"""


def test_a_pin_stands_on_its_place_of_the_picture_however_large_that_is(
    table: Table, review_studio: Studio
) -> None:
    page = table.page
    table.open("sequence=SQ0070")
    table.press("Space", "c")
    box = page.locator("#stage").bounding_box()
    assert box is not None
    width = box["height"] * 16 / 9
    assert width < box["width"] - 100
    left = box["x"] + (box["width"] - width) / 2
    page.mouse.click(left + width / 4, box["y"] + box["height"] / 2)
    page.keyboard.type("Six fingers.")
    page.keyboard.press("Enter")
    table.settled()

    expect(page.locator("#details [data-pin]")).to_have_count(1)
    alone = page.evaluate(PIN)
    table.press("Space")
    among = page.evaluate(PIN)
    page.keyboard.press("s")
    beside = page.evaluate(PIN)

    [(x, y)] = review_studio.site.rows("SELECT pin_x, pin_y FROM review_review WHERE pin_x > 0")
    assert (round(float(x), 2), round(float(y), 2)) == (0.25, 0.5)
    assert [alone, among, beside] == ["0.25 0.50"] * 3


def test_the_file_itself_is_fetched_for_100_percent_only(table: Table) -> None:
    asked: list[str] = []
    table.page.on("request", lambda request: asked.append(request.url))
    table.open("sequence=SQ0010")
    table.page.wait_for_selector("#details article")
    whole = [each for each in asked if "/files/" in each and not _is_small(each)]

    # Only playwright's own waiting lets its events in.
    with table.page.expect_request(lambda of: "/files/" in of.url and not _is_small(of.url)):
        table.page.keyboard.press("z")

    assert whole == []


def _is_small(address: str) -> bool:
    return not address.split("/files/")[1].partition(":")[0].endswith(".0")


def test_a_picture_that_is_still_being_made_comes_when_it_is(
    table: Table, review_studio: Studio
) -> None:
    n_refused: list[int] = []

    def pend(route: Any) -> None:
        if len(n_refused) < 2:
            n_refused.append(1)
            route.fulfill(status=503, body=json.dumps({"code": "thumbnail_pending"}))
        else:
            route.continue_()

    table.page.route("**/files/*.1280*/**", pend)
    table.page.goto(f"{review_studio.url}/review/{PROJECT_ID}/E202/?sequence=SQ0080")
    expect(table.page.locator("#stage .pending")).to_be_visible()

    assert table.shown().startswith("p")


# A phone, and whoever uses no mouse -------------------------------------------------------------


def test_a_phone_swipes_and_decides_by_thumb(phone: Table, review_studio: Studio) -> None:
    phone.page.goto(f"{review_studio.url}/review/{PROJECT_ID}/E202/?sequence=SQ0090")
    phone.tile(0).tap()
    first = phone.shown()
    phone.page.evaluate(
        """() => {
          const stage = document.getElementById("stage");
          const at = { identifier: 1, target: stage, clientY: 200 };
          const from = [new Touch({ ...at, clientX: 300 })];
          const to = [new Touch({ ...at, clientX: 100 })];
          stage.dispatchEvent(new TouchEvent("touchstart", { touches: from, bubbles: true }));
          stage.dispatchEvent(new TouchEvent("touchend", { changedTouches: to, bubbles: true }));
        }"""
    )
    phone.page.wait_for_function(
        "(first) => ![undefined, first].includes(document.getElementById('stage').dataset.shown)",
        arg=first,
    )
    phone.page.locator("#acts [data-act=approve]").tap()
    phone.settled()

    assert review_studio.kept("SQ0090")[:3] == ["to_review", "approved", "to_review"]
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_everything_is_reached_by_the_tabulator(table: Table) -> None:
    table.open("sequence=SQ0090")
    reached: list[str] = []
    for _ in range(60):
        table.page.keyboard.press("Tab")
        reached.append(
            str(
                table.page.evaluate(
                    "document.activeElement.dataset.act || document.activeElement.className"
                )
            )
        )

    assert {"approve", "retake", "undo", "comment", "next", "zoom", "help"} <= set(reached)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_those_who_see_or_hear_otherwise(
    table: Table, scheme: Any
) -> None:
    page = table.page
    page.emulate_media(color_scheme=scheme)
    table.open("sequence=SQ0090")
    page.wait_for_selector("#details article")
    table.press("w", "x", "r")
    among = serious(page)
    table.press("Escape", "Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    keys = serious(page)
    page.keyboard.press("Escape")
    page.click("[data-prepare]")
    expect(page.locator("#prepare .bad").first).to_contain_text("Nothing is to be made again")
    retakes = serious(page)
    page.keyboard.press("Escape")
    page.click("[data-links]")
    expect(page.locator("#links [data-none]")).to_be_visible()
    links = serious(page)

    assert [among, keys, retakes, links] == [[]] * 4
