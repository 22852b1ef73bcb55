"""A studio with real processes, and a supervisor in front of a real browser."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import factories, shared
from tests.processes import Preview, Site, Sites

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PLANS = ("0010", "0020", "0030")
#: What a page waits for comes as soon as it can, which on a busy machine is late.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Studio:
    """What a test talks to: the site, its preview server, the address of its web process."""

    site: Site
    preview: Preview
    url: str
    access: dict[str, str]

    def fault(self, name: str, **options: Any) -> None:
        """Switch a fault of the preview server on."""
        answer = requests.post(
            f"{self.preview.url}/_preview/faults",
            json={"set": [{"name": name, **options}]},
            timeout=60,
        )
        assert answer.ok, answer.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The chromium of this machine.

    No longer than for these tests: its event loop runs in this thread, and Django refuses to ask
    the database where one does.
    """
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.skip("this machine has no chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found[0], args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """What makes sites; they have panels of three plans of SQ0010."""
    panels = {
        f"E202_SQ0010-{code}_extracted-raw.png": factories.png(color=f"#0000{int(code):02x}")
        for code in PLANS
    }
    model = shared.folder_of(tmp_path_factory) / "studio-model"
    made = Sites(tmp_path_factory.mktemp("studios"), panels, model=model)
    yield made
    made.close()


@pytest.fixture
def studio(sites: Sites, request: pytest.FixtureRequest) -> Iterator[Studio]:
    """A preview server, workers and a web process; a plan takes so many seconds: three, or more."""
    site = sites.new()
    preview = site.preview("--seconds-per-plan", getattr(request, "param", "3"), "--faults")
    site.work()
    yield Studio(site, preview, site.web(), sites.access)
    site.close()


@pytest.fixture
def page(browser: Browser, studio: Studio) -> Iterator[Page]:
    """A page of the admin, signed in; it may raise no error of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{studio.url}/admin/")
    page.fill("[name=username]", studio.access["name"])
    page.fill("[name=password]", studio.access["password"])
    page.click("button[type=submit]")
    yield page
    context.close()
    assert errors == []
