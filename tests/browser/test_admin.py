"""The supervisor's work in a real browser, with real processes behind it."""

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PLANS, Studio
from tests.processes import wait_for

pytestmark = pytest.mark.slow
#: There is time to look at what runs, however busy the machine is.
slowly = pytest.mark.parametrize("studio", ["300"], indirect=True)


def test_the_supervisor_finds_a_failed_plan_reads_why_and_retries_it(
    studio: Studio, page: Page
) -> None:
    studio.fault("node_error", times=3, message="The panel has no edges.")
    studio.site.generate(["0010"])

    page.goto(f"{studio.url}/admin/generation/planrun/?state__exact=error")
    expect(_reloaded(page, "E202_SQ0010-0010")).to_be_visible()
    page.get_by_role("link", name="E202_SQ0010-0010", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The panel has no edges.")
    page.get_by_role("button", name="Retry", exact=True).click()

    expect(page.get_by_text("1 plan run queued again.")).to_be_visible()
    expect(page.locator("#page-head")).to_contain_text("done")
    expect(alert).to_have_count(0)
    expect(page.locator("#page-pictures img").last).to_have_attribute(
        "alt", "E202_SQ0010-0010_AI-concept_v0001.png"
    )


@slowly
def test_the_supervisor_cancels_a_running_batch(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS)

    page.goto(f"{studio.url}/admin/generation/batch/")
    row = page.locator("#result_list tbody tr")
    expect(row).to_contain_text("running")
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="of 1 batch").click()

    expect(page.get_by_text("1 batch (")).to_be_visible()
    expect(row.locator("[id^=status]")).to_have_text("cancelled")
    expect(row.get_by_role("button", name="Retry")).to_be_visible()


def test_the_home_page_follows_a_batch_without_being_asked(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.url}/admin/")
    expect(page.locator("#table-1")).to_contain_text("Nothing is running.")

    studio.site.generate(PLANS)

    expect(page.locator("#table-1")).to_contain_text("running")
    expect(page.locator("#table-4")).to_contain_text("3 done")


def _renamed(studio: Studio, batch_id: str, name: str) -> None:
    answer = requests.patch(
        f"{studio.url}/api/batches/{batch_id}",
        json={"name": name},
        headers={"Authorization": f"Token {studio.access['token']}"},
        timeout=60,
    )
    assert answer.ok, answer.text


def _only_batch(studio: Studio) -> tuple[int, str]:
    [(pk, batch_id)] = studio.site.rows("SELECT id, public_id FROM generation_batch")
    return pk, batch_id


def test_a_page_of_what_is_finished_is_told_when_somebody_changes_it(
    studio: Studio, page: Page
) -> None:
    studio.site.generate(PLANS, mode="manuel")
    studio.site.manage("cancel_batches", "--all")
    pk, batch_id = _only_batch(studio)
    # A page on which nothing is unfinished never asks by itself.
    page.goto(f"{studio.url}/admin/generation/batch/{pk}/change/")
    expect(page.locator("[data-unfinished]")).to_have_count(0)

    with page.expect_response(lambda answer: "/api/events" in answer.url):
        page.reload()
    _renamed(studio, batch_id, "By another's hand")

    expect(page.locator("#page-head h1")).to_have_text("By another's hand")


def test_a_list_is_told_of_what_happens_in_any_episode(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS, mode="manuel")
    studio.site.manage("cancel_batches", "--all")
    _, batch_id = _only_batch(studio)
    page.goto(f"{studio.url}/admin/generation/batch/")
    expect(page.locator("[data-unfinished]")).to_have_count(0)

    with page.expect_response(lambda answer: "episode_id=all" in answer.url):
        page.reload()
    studio.site.manage("retry_plans", "--batch", batch_id, "--status", "cancelled")

    expect(page.locator("#result_list [data-unfinished]")).to_have_count(1)


def test_a_page_that_may_not_listen_asks_from_time_to_time(studio: Studio, page: Page) -> None:
    page.route("**/api/events**", lambda route: route.fulfill(status=429))
    studio.site.generate(PLANS, mode="manuel")
    pk, batch_id = _only_batch(studio)
    page.goto(f"{studio.url}/admin/generation/batch/{pk}/change/")

    _renamed(studio, batch_id, "By another's hand")

    expect(page.locator("#page-head h1")).to_have_text("By another's hand")


def test_many_plans_are_cancelled_from_their_list(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS, mode="manuel")
    page.goto(f"{studio.url}/admin/generation/planrun/")

    page.check("#action-toggle")
    page.select_option("select[name=action]", "cancel")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel: 3 plan runs").dblclick()

    expect(page.get_by_text("3 plan runs cancelled")).to_be_visible()
    for_each = page.locator("#result_list [id^=status]")
    expect(for_each).to_have_text(["cancelled"] * 3)


def test_enter_in_a_number_sets_it_and_cancels_nothing(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS, mode="manuel")
    page.goto(f"{studio.url}/admin/generation/batch/")
    page.locator("#result_list th.field-called a").click()

    page.get_by_label("Priority").fill("7")
    page.get_by_label("Priority").press("Enter")

    expect(page.get_by_text("Priority: 7.")).to_be_visible()
    expect(page.get_by_label("Priority")).to_have_value("7")
    assert studio.site.value("SELECT n_waiting FROM generation_batch") == 3


def test_what_is_typed_stays_while_the_page_follows_the_batch(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS)
    page.goto(f"{studio.url}/admin/generation/batch/")
    page.locator("#result_list th.field-called a").click()

    page.get_by_label("Priority").fill("7")

    expect(page.locator("#page-head")).to_contain_text("3 done")
    expect(page.get_by_label("Priority")).to_have_value("7")


def test_enter_on_a_question_goes_back_and_does_nothing(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS, mode="manuel")
    page.goto(f"{studio.url}/admin/generation/batch/")
    page.locator("#result_list").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("link", name="No, go back")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.locator("#result_list [id^=status]")).not_to_contain_text("cancelled")
    assert studio.site.value("SELECT n_waiting FROM generation_batch") == 3


PHONE_PAGES = (
    "/admin/",
    "/admin/generation/batch/",
    "/admin/generation/batch/1/change/",
    "/admin/generation/planrun/",
    "/admin/generation/planrun/1/change/",
    "/admin/generation/planrun/queue/",
    "/admin/generation/plan/",
    "/admin/generation/plan/1/change/",
    "/admin/generation/plan/generate/?sequences=1",
    "/admin/generation/sequence/1/change/",
    "/admin/generation/version/",
    "/admin/generation/server/",
    "/admin/generation/server/1/change/",
    "/admin/generation/logentry/",
    "/admin/nowhere/",
)


def test_no_page_is_wider_than_a_phone_and_pictures_can_be_seen(studio: Studio, page: Page) -> None:
    studio.site.generate(PLANS, mode="manuel")
    page.set_viewport_size({"width": 390, "height": 844})

    assert [at for at in PHONE_PAGES if _overflow_px(page, f"{studio.url}{at}")] == []

    page.goto(f"{studio.url}/admin/")
    expect(page.locator("#table-1").get_by_text("waits for artists")).to_be_in_viewport()
    page.goto(f"{studio.url}/admin/generation/sequence/1/change/")
    box = page.locator("#table-1 .madsea-picture").first.bounding_box()
    assert box is not None
    assert box["width"] >= 100


def _overflow_px(page: Page, address: str) -> int:
    page.goto(address)
    width: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return width


def _reloaded(page: Page, text: str) -> Locator:
    """Return where the text stands, the list reloaded until it does."""
    # Asked from here: the browser's own `wait_for_function` takes a promise for true.
    wait_for(lambda: f"{text}</a>" in page.request.get(page.url).text(), name=text)
    page.reload()
    return page.get_by_role("link", name=text, exact=True)
