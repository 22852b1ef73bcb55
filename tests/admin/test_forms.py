"""What Enter does: a field sends its own form, and presses no button of an act."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from generation.models import Batch
from generation.states import RunState
from tests import factories
from tests.admin import pages

SENT_BY_ENTER = {
    "text",
    "number",
    "search",
    "url",
    "email",
    "password",
    "checkbox",
    "radio",
    "date",
}


class Forms(HTMLParser):
    """Reads which form each field and each button of a page belongs to, as browsers do."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open = ""
        self.with_fields: set[str] = set()
        self.first_button: dict[str, dict[str, str | None]] = {}
        self.actions: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.open = given.get("id") or given.get("action") or "?"
            self.actions[self.open] = given.get("action") or ""
        owner = given.get("form") or self.open
        if tag == "input" and (given.get("type") or "text") in SENT_BY_ENTER:
            self.with_fields.add(owner)
        if tag == "button" and (given.get("type") or "submit") == "submit" and owner:
            self.first_button.setdefault(owner, given)

    def handle_endtag(self, tag: str) -> None:
        self.open = "" if tag == "form" else self.open

    def pressed_by_enter(self) -> list[str]:
        """Return the acts that Enter in some field would press."""
        buttons = [self.first_button.get(form, {}) for form in sorted(self.with_fields)]
        return [str(button["data-act"]) for button in buttons if "data-act" in button]


@pytest.fixture
def everything(office: Client) -> dict[str, int]:
    """Rows on which every act can be pressed, each by its model."""
    batch = factories.batch([RunState.ERROR, RunState.QUEUED, RunState.RUNNING])
    run = batch.runs.order_by("position")[0]
    server = factories.server()
    rows = {"batch": batch.pk, "planrun": run.pk, "plan": run.plan_id, "server": server.pk}
    return rows | {"style": factories.style().pk}


@pytest.mark.parametrize("model", ["batch", "planrun", "plan", "server", "style"])
def test_enter_presses_no_act(model: str, everything: dict[str, int], office: Client) -> None:
    listed = Forms(pages.text(office, pages.url(model)))
    one = Forms(pages.text(office, pages.url(model, everything[model])))

    assert listed.pressed_by_enter() + one.pressed_by_enter() == []


@pytest.mark.parametrize("field", ["priority", "max_tries"])
def test_enter_in_a_number_sends_that_number_alone(field: str, office: Client) -> None:
    batch: Batch = factories.batch([RunState.QUEUED])

    forms = Forms(pages.text(office, pages.url("batch", batch.pk)))

    assert forms.actions[f"{field}-form"] == pages.url("batch", batch.pk, field)
    assert forms.first_button[f"{field}-form"]["form"] == f"{field}-form"


def test_enter_on_a_server_s_page_saves_it(everything: dict[str, int], office: Client) -> None:
    forms = Forms(pages.text(office, pages.url("server", everything["server"])))

    assert forms.first_button["server_form"]["name"] == "_save"
