"""The light table before a supervisor in a browser: what its tests press, see and measure."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.processes import PROJECT_ID, Site

#: 20 Mbit/s and 40 ms there and back.
OFFICE = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 2_500_000,
    "uploadThroughput": 625_000,
}
#: Notes when each key is pressed and when the next picture stands on the stage.
STOPWATCH = """
    window.keys = []; window.paints = [];
    addEventListener("keydown", () => window.keys.push(performance.now()), true);
    addEventListener("DOMContentLoaded", () => {
      const stage = document.getElementById("stage");
      const note = () => stage.dataset.shown && window.paints.push(performance.now());
      new MutationObserver(note).observe(stage, { attributeFilter: ["data-shown"] });
    });
"""


class Table:
    """The page of a sequence, before a supervisor who is signed in."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, query: str = "", place: str = f"{PROJECT_ID}/E202") -> None:
        """Open the table of an episode and wait for its first picture."""
        self.page.goto(f"{self.url}/review/{place}/?{query}")
        self.shown()

    def shown(self) -> str:
        """Return which plan's picture stands on the stage, once it does."""
        stage = self.page.locator("#stage[data-shown]")
        expect(stage).to_be_visible()
        return str(stage.get_attribute("data-shown"))

    def press(self, *keys: str) -> None:
        """Press keys; each waits for the picture on the stage."""
        for key in keys:
            self.page.keyboard.press(key)
            self.shown()

    def tile(self, place: int) -> Any:
        """Return the tile at a place of the grid, from 0."""
        return self.page.locator(".tile").nth(place)

    def states(self) -> list[str]:
        """Return how the tiles stand, in their order."""
        found = self.page.eval_on_selector_all(".tile", "all => all.map((x) => x.dataset.state)")
        return [str(each) for each in found]

    def settled(self) -> None:
        """Wait until everything that was decided has been taken."""
        self.page.wait_for_function(
            "!Object.keys(localStorage).some((x) => x.startsWith('madsea'))"
        )


class Studio:
    """The site of these tests: plans to review, a web process, nobody who renders."""

    def __init__(self, site: Site, access: dict[str, str]) -> None:
        self.site, self.access = site, access
        self.url = site.web()

    def kept(self, sequence: str) -> list[str]:
        """Return the review states of a sequence's pictures as the database has them."""
        rows = self.site.rows(
            "SELECT v.review_state FROM generation_version v JOIN generation_plan p"
            " ON p.id = v.plan_id JOIN generation_sequence s ON s.id = p.sequence_id"
            f" WHERE v.task = 'AI-concept' AND s.code = '{sequence}' ORDER BY p.code"
        )
        return [str(state) for (state,) in rows]

    def version(self, sequence: str, plan: str) -> int:
        """Return the id of a plan's picture."""
        return int(
            self.site.value(
                "SELECT v.id FROM generation_version v JOIN generation_plan p"
                " ON p.id = v.plan_id JOIN generation_sequence s ON s.id = p.sequence_id"
                f" WHERE v.task = 'AI-concept' AND s.code = '{sequence}' AND p.code = '{plan}'"
            )
        )

    def decide(self, version: int, decision: str, seen: str, comment: str = "") -> None:
        """Decide as somebody else does, by the API."""
        one = {"version": version, "decision": decision, "seen": seen, "comment": comment}
        answer = requests.post(
            f"{self.url}/api/reviews",
            json={"reviews": [one]},
            headers={"Authorization": f"Token {self.access['token']}"},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text


def cookies_of(browser: Browser, studio: Studio) -> list[Any]:
    """Sign in, and return the cookies of it."""
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{studio.url}/admin/login/")
    page.fill("[name=username]", studio.access["name"])
    page.fill("[name=password]", studio.access["password"])
    page.click("button[type=submit]")
    page.wait_for_selector("#home-tables")
    kept = list(context.cookies())
    context.close()
    return kept


def context_of(browser: Browser, signed_in: list[Any], **options: Any) -> BrowserContext:
    """Return a browser's context in which the supervisor is signed in."""
    wanted: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
    context = browser.new_context(**wanted | options)
    context.add_cookies(signed_in)
    context.set_default_timeout(PATIENCE_MS)
    return context


def page_in(context: BrowserContext, studio: Studio) -> Iterator[Table]:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.add_init_script(STOPWATCH)
    yield Table(page, studio.url)
    assert errors == []


def tell(line: str) -> None:
    """Print a figure for whoever runs this with -s."""
    print(f"\n{line}")  # noqa: T201


def network(table: Table) -> CDPSession:
    session = table.page.context.new_cdp_session(table.page)
    session.send("Network.enable")
    return session


@dataclass(frozen=True)
class Weight:
    """What a page takes before anybody has scrolled."""

    n_requests: int
    n_bytes: int
    first_s: float  #: until its first large picture stood on the stage

    def __str__(self) -> str:
        told = f"{self.n_requests} requests, {self.n_bytes / 1000:.0f} kB"
        return f"first large picture after {self.first_s:.2f} s; {told}"


def weigh(table: Table) -> Weight:
    """Open the table with nothing kept of it, and return what that took."""
    session = network(table)
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    begun = time.monotonic()
    table.open()
    first_s = time.monotonic() - begun
    table.page.wait_for_load_state("networkidle")
    return Weight(len(sizes), sum(sizes), first_s)


def serious(page: Page) -> list[tuple[str, str]]:
    """Return what stands in the way of those who see or hear otherwise: the rule, and where."""
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in {"serious", "critical"}]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in grave]
