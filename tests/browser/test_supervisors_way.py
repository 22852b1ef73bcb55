"""A supervisor who has never seen an API: from the sign-in to the first pictures, in French.

Real processes, a preview server with real pictures, and a storyboard of 82 boards. How many clicks
and seconds it takes is printed and asserted nowhere; the screenshots lie in MADSEA_SCREENSHOTS, or
in the test's own folder: `make way`.
"""

import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from generation.runtime.processes import ROOT
from tests import storyboard_files
from tests.browser.conftest import PATIENCE_MS
from tests.processes import Site, Sites
from tests.storyboard_files import Drawn

pytestmark = [pytest.mark.slow, pytest.mark.soak]

N_BOARDS = 82
#: Boards that begin before the one above them, as the file has it.
DOUBTFUL = (17, 40)
PLACES = ("INT. CHAMBRE - XIXe", "EXT. PORT - NUIT", "LABO MODERNE")
WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}
#: Every press that a person makes, told to the test; a key's own click is one, too.
COUNTS = "addEventListener('click', (event) => event.isTrusted && window.pressed(), true)"


def boards() -> list[Drawn]:
    """Return the boards of an episode of 82 plans in shots of four, whose style changes twice."""
    return [_board(at) for at in range(N_BOARDS)]


def _board(at: int) -> Drawn:
    shot, letter = at // 4 + 1, "ABCD"[at % 4]
    seconds = 14 * at if at + 1 not in DOUBTFUL else 3
    place = PLACES[2] if 32 <= at < 56 else PLACES[at // 56]
    return Drawn(
        f"{shot}{letter}",
        f"{seconds // 60}:{seconds % 60:02}",
        _picture(at),
        f"Réplique {at + 1} : « La carte mentait depuis le début. »",
        f"{place}\nPL travelling G>D\nLa silhouette {at + 1} traverse le décor.",
    )


def _picture(at: int) -> bytes:
    image = Image.new("RGB", (1600, 900), "#efe9dc")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 640, 1600, 900), fill="#bdb6a6")
    left = 80 + 17 * at
    draw.ellipse((left + 60, 220, left + 200, 360), fill="#222222")
    draw.polygon(((left, 760), (left + 130, 340), (left + 260, 760)), fill="#222222")
    draw.line((0, 640, 1600, 600 - at), fill="#222222", width=6)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=85)
    return held.getvalue()


@dataclass
class Way:
    """A supervisor before a browser: what was pressed, and how long each stage took."""

    page: Page
    url: str
    name: str
    pictures: Path
    n_presses: int = 0
    n_typed: int = 0
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)
    _pressed_before: int = 0

    def press(self) -> None:
        """Count a press."""
        self.n_presses += 1

    def type(self, selector: str, text: str) -> None:
        """Type into a field and leave it."""
        self.n_typed += 1
        self.page.fill(selector, text)
        self.page.locator(selector).blur()

    def stage(self, name: str) -> None:
        """Note that a stage is over, and keep how it looks."""
        now = time.monotonic()
        self.stages.append((name, now - self._since, self.n_presses - self._pressed_before))
        number = len(self.stages)
        where = self.pictures / f"{self.name}-{number:02}-{name.replace(' ', '-')}.png"
        self.page.screenshot(path=where)
        assert _overflow_px(self.page) <= 0, f"{name}: wider than the window"
        self._since, self._pressed_before = time.monotonic(), self.n_presses

    def tell(self) -> None:
        """Print what it took."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        lines = [f"{name:<24}{s:6.1f} s {n:3} presses" for name, s, n in self.stages]
        whole_s = sum(s for _, s, _ in self.stages)
        whole = f"{whole_s:.1f} s, {self.n_presses} presses, {self.n_typed} fields typed"
        print("", f"{width} px:", *lines, whole, f"pictures: {self.pictures}", sep="\n")  # noqa: T201


def _overflow_px(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.fixture
def french_site(sites: Sites) -> Iterator[Site]:
    """A French studio whose preview server renders for real."""
    site = sites.new(LANGUAGE_CODE="fr", MADSEA_WORKFLOWS=str(ROOT / "workflows"))
    site.preview("--seconds-per-plan", "1", is_pre_encoded=False)
    site.work()
    yield site
    site.close()


@pytest.fixture(params=WIDTHS)
def way(
    request: pytest.FixtureRequest, browser: Browser, french_site: Site, tmp_path: Path
) -> Iterator[Way]:
    """A browser that speaks French, as wide as a desk's or a phone's."""
    width, height = WIDTHS[request.param]
    given = os.environ.get("MADSEA_SCREENSHOTS")
    pictures = Path(given) if given else tmp_path
    pictures.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="fr-FR",
        has_touch=request.param == "phone",
        is_mobile=request.param == "phone",
    )
    context.set_default_timeout(PATIENCE_MS)
    yield _signed_out(context, Way(context.new_page(), french_site.web(), request.param, pictures))
    context.close()


def _signed_out(context: BrowserContext, way: Way) -> Way:
    context.expose_function("pressed", way.press)
    context.add_init_script(COUNTS)
    way.page.on("dialog", lambda dialog: dialog.accept())
    return way


def test_from_the_sign_in_to_the_first_pictures(
    way: Way, french_site: Site, sites: Sites, tmp_path: Path
) -> None:
    page, access = way.page, sites.access
    file = storyboard_files.pdf(
        tmp_path / "E210_storyboard.pdf",
        boards(),
        header=f"Boards: {N_BOARDS}  |  Shots: 21  |  Aspect Ratio: 16 : 9",
    )

    page.goto(f"{way.url}/admin/")
    way.type("[name=username]", access["name"])
    way.type("[name=password]", access["password"])
    page.click("button[type=submit]")
    expect(page.locator("#table-1")).to_be_visible()
    way.stage("signed in")

    _menu(page, "/admin/storyboards/storyboardimport/")
    give = page.locator("#storyboard-give")
    expect(give).to_be_visible()
    way.stage("storyboards")

    give.locator("[name=file]").set_input_files(file)
    way.press()
    expect(give.locator("[name=episode]")).to_have_value("E210")
    give.locator("button[type=submit]").click()
    expect(page.locator(".storyboard-board")).to_have_count(N_BOARDS)
    way.stage("read")

    _correct(way)
    way.stage("corrected")

    page.locator("[data-confirm]").click()
    expect(page.locator("#storyboard[data-state=confirmed]")).to_be_visible()
    way.stage("confirmed")

    page.locator("#storyboard-sequences input[type=checkbox]").nth(1).check()
    way.stage("a sequence ticked")
    page.locator("#storyboard-sequences button[type=submit]").click()
    start = page.locator("#generate button[name=start]")
    expect(start).to_be_enabled()
    way.stage("generate")

    start.click()
    expect(page.locator("#page-head")).to_be_visible()
    way.stage("asked for")
    page.wait_for_function(
        "[...document.querySelectorAll('#page-strip img')]"
        ".filter((image) => image.naturalWidth).length > 2"
    )
    way.stage("first pictures")

    assert french_site.value("SELECT count(*) FROM generation_version WHERE task='AI-concept'")
    assert (page.locator("html").get_attribute("lang") or "").startswith("fr")
    way.tell()


def _menu(page: Page, address: str) -> None:
    """Go where the sidebar leads, which a phone keeps folded away."""
    link = page.locator(f"#nav-sidebar a[href='{address}']").first
    if not link.is_visible():
        page.locator(
            "[x-on\\:click='sidebarMobileOpen = !sidebarMobileOpen']:visible"
        ).first.click()
    link.click()


def _correct(way: Way) -> None:
    """Look over the two doubts: one board's action is written anew, both are ticked as seen."""
    page = way.page
    page.locator("[data-show=doubtful].madsea-act").click()
    doubtful = page.locator(".storyboard-board[data-doubtful]")
    expect(doubtful).to_have_count(2)
    positions = [str(each.get_attribute("data-position")) for each in doubtful.all()]
    assert positions == [str(each) for each in DOUBTFUL]
    way.stage("two doubts")
    at = f"#board-{DOUBTFUL[1]}"
    way.type(f"{at} [data-field=action]", "LABO MODERNE\nGP\nLa main tourne la clé.")
    for position in positions:
        _saved(page, lambda where=position: page.check(f"#board-{where} [data-field=checked]"))
    expect(page.locator("[data-count=doubtful]")).to_have_text("0")


def _saved(page: Page, act: Any) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        act()
