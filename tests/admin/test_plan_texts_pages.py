"""What is known of a plan, on its page and on the one that changes it."""

from typing import Any

import pytest
from django.test import Client

from generation.models import Plan
from generation.services import plan_attributes
from generation.states import RunState
from tests import factories
from tests.admin import pages

ACTION = "INT. GRENIER - NUIT\nPR contre champ\nLA RELIEUSE ouvre une malle"


@pytest.fixture
def plan(plans: list[Plan]) -> Plan:
    """A plan that tells what it shows."""
    texts = {"action": ACTION, "label": "1A", "duration_ms": 2500, "style": "labo"}
    plan_attributes.write(plans[0], texts, by=None, source="storyboard")
    return Plan.objects.get(pk=plans[0].pk)


def sent(plan: Plan, **change: Any) -> dict[str, Any]:
    """Return the form as it stands on the page, with something changed in it."""
    held = plan_attributes.current(plan) | {"text_revision": plan.text_revision}
    # As browsers end lines.
    told = {
        name: value.replace("\n", "\r\n") if isinstance(value, str) else value
        for name, value in held.items()
        if value is not None
    }
    return told | change


def save(office: Client, plan: Plan, **change: Any) -> Any:
    return office.post(pages.url("plan", plan.pk, "texts"), sent(plan, **change))


def test_a_plan_s_page_tells_what_is_known_of_it(office: Client, plan: Plan) -> None:
    shown = pages.text(office, pages.url("plan", plan.pk))

    for words in ("1A", "INT. GRENIER - NUIT", "PR contre champ", "2.5 s", "Labo", "Edit texts"):
        assert words in shown
    assert "storyboard" in shown, "where the texts came from"


def test_its_texts_are_changed_on_a_page_of_their_own(office: Client, plan: Plan) -> None:
    assert "LA RELIEUSE ouvre une malle" in pages.text(office, pages.url("plan", plan.pk, "texts"))

    [words] = pages.said(save(office, plan, notes="plus sombre", production_status="on_hold"))

    plan.refresh_from_db()
    assert words == "E202_SQ0010-0010 is changed."
    assert (plan.notes, plan.production_status) == ("plus sombre", "on_hold")
    change = plan.text_changes.get(revision=2)
    assert set(change.after) == {"notes", "production_status"}
    assert (change.source, str(change.changed_by)) == ("admin", "supervisor")


def test_a_form_that_changes_nothing_writes_nothing(office: Client, plan: Plan) -> None:
    [words] = pages.said(save(office, plan))

    assert words == "E202_SQ0010-0010 is as it was."
    assert plan.text_changes.count() == 1


def test_a_new_action_takes_its_parts_with_it(office: Client, plan: Plan) -> None:
    save(office, plan, action="EXT. PORT - AUBE\r\nGP\r\nle chat")

    plan.refresh_from_db()
    assert (plan.place, plan.camera, plan.description) == ("EXT. PORT - AUBE", "GP", "le chat")


def test_what_somebody_else_has_changed_meanwhile_stays(office: Client, plan: Plan) -> None:
    plan_attributes.write(plan, {"notes": "plus clair"}, by=None, source="api")

    answer = save(office, plan, notes="plus sombre")

    assert "Somebody has changed this plan" in answer.content.decode()
    assert "plus sombre" in answer.content.decode(), "what was typed is not lost"
    assert Plan.objects.get(pk=plan.pk).notes == "plus clair"


def test_what_cannot_be_written_is_said_beside_its_field(office: Client, plan: Plan) -> None:
    answer = save(office, plan, label="x" * 33)

    assert "At most 32 characters; it has 33." in answer.content.decode()


def test_plans_are_found_by_their_words(office: Client, plan: Plan) -> None:
    shown = pages.text(office, f"{pages.url('plan')}?q=malle")

    assert "E202_SQ0010-0010" in shown
    assert "E202_SQ0010-0020" not in shown


def test_a_plan_whose_panel_is_newer_than_its_picture_says_so(office: Client, plan: Plan) -> None:
    panel = factories.version(plan, task="extracted-raw")
    run = factories.batch([RunState.DONE], of=[plan]).runs.get()
    plan.versions.filter(run=run).update(attempt=factories.attempt(run, panel=panel))
    sign = "made from panel v0001, v0002 exists"
    assert sign not in pages.text(office, pages.url("plan", plan.pk))

    factories.version(plan, task="extracted-raw", content=factories.png(color="red"))

    assert sign in pages.text(office, pages.url("plan", plan.pk))
    assert sign in pages.text(office, pages.url("plan"))


def test_who_may_not_change_plans_may_not_send_texts(client: Client, plan: Plan) -> None:
    assert client.post(pages.url("plan", plan.pk, "texts"), {}).status_code == 302
    assert plan.text_changes.count() == 1
