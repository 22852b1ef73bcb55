"""The page that asks for plans: what it shows, and what one press makes."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from generation.models import Batch, Plan, PlanRun, Style
from generation.states import Mode, RunState
from tests import factories
from tests.admin import pages

PAGE = "/admin/generation/plan/generate/"


def form_of(client: Client, address: str) -> dict[str, str]:
    """Return what the page's form would send if nothing were touched."""
    shown = pages.text(client, address)
    fields = dict(
        re.findall(r'<input type="(?!range)\w+" name="([^"]+)"[^>]*?value="([^"]*)"', shown)
    )
    areas = re.findall(r'<textarea name="([^"]+)"[^>]*>\n(.*?)</textarea>', shown, re.DOTALL)
    selects = re.findall(r'<select name="([^"]+)".*?</select>', shown, re.DOTALL)
    chosen = {name: _selected(shown, name) for name in selects}
    return {name: unescape(value) for name, value in (fields | dict(areas) | chosen).items()}


def _selected(shown: str, name: str) -> str:
    (select,) = re.findall(rf'<select name="{re.escape(name)}".*?</select>', shown, re.DOTALL)
    return re.findall(r'<option value="([^"]*)" selected', select)[0]


def press(client: Client, address: str, **changed: str) -> Any:
    """Open the page, change some fields and press Generate."""
    return client.post(address, form_of(client, address) | {"start": "yes"} | changed)


def of_all(plans: list[Plan]) -> str:
    return f"{PAGE}?plans={plans[0].pk}-{plans[-1].pk}"


def test_chosen_plans_lead_to_the_page_for_them(office: Client, plans: list[Plan]) -> None:
    answer = pages.choose(office, "plan", "generate", plans)

    assert answer["Location"] == of_all(plans)
    assert "Generate 3 pictures" in pages.text(office, answer["Location"])


@pytest.mark.parametrize("model", ["sequence", "episode"])
def test_a_sequence_and_an_episode_lead_to_the_page_for_their_plans(
    model: str, office: Client, plans: list[Plan]
) -> None:
    row = plans[0].sequence if model == "sequence" else plans[0].sequence.episode
    address = f"{PAGE}?{model}s={row.pk}"

    assert pages.choose(office, model, "generate", [row])["Location"] == address
    assert address in unescape(pages.text(office, pages.url(model, row.pk)))
    assert "Generate 3 pictures" in pages.text(office, address)


def test_one_press_makes_the_batch_as_it_was_shown(office: Client, plans: list[Plan]) -> None:
    answer = press(office, of_all(plans))

    batch = Batch.objects.get()
    assert answer["Location"] == pages.url("batch", batch.pk)
    assert batch.n_total == 3
    assert batch.requested_by is not None
    assert batch.requested_by.username == "supervisor"
    assert set(batch.sources.values()) == {"style", "drawn"}


def test_two_presses_make_one_batch(office: Client, plans: list[Plan]) -> None:
    form = form_of(office, of_all(plans)) | {"start": "yes"}

    first, second = (office.post(of_all(plans), form) for _ in range(2))

    assert first["Location"] == second["Location"]
    assert Batch.objects.count() == 1
    assert "This was started before" in pages.said(second)[-1]


def test_a_press_after_a_change_asks_whether_it_is_wanted_as_well(
    office: Client, plans: list[Plan]
) -> None:
    form = form_of(office, of_all(plans)) | {"start": "yes"}
    office.post(of_all(plans), form)

    shown = office.post(of_all(plans), form | {"priority": "7"}).content.decode()

    assert "Press again if you want this as well" in shown
    assert Batch.objects.count() == 1


def test_what_is_changed_is_sent_and_nothing_else(office: Client, plans: list[Plan]) -> None:
    changed = {
        "value:steps": "12",
        "value:prompt": "a paper moon",
        "variations": "2",
        "priority": "5",
        "name": "Moons",
    }

    press(office, of_all(plans), **changed)

    batch = Batch.objects.get()
    by_request = {name for name, source in batch.sources.items() if source == "request"}
    assert by_request == {"steps", "prompt"}
    assert (batch.params["steps"], batch.params["prompt"]) == (12, "a paper moon")
    assert (batch.variations, batch.priority, batch.name) == (2, 5, "Moons")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"value:steps": "0"}, "steps must be between 1 and 10000, not 0."),
        ({"value:steps": "many"}, "steps must be a whole number, not &#x27;many&#x27;."),
        ({"variations": "99"}, "It must be between 1 and 16, not 99."),
        ({"priority": "high"}, "Expected a whole number, not a string."),
        ({"workflow": "Nowhere.json"}, "There is no workflow"),
        ({"style": "nowhere"}, "Select a valid choice."),
        ({"mode": "magic"}, "Expected one of auto, manuel"),
    ],
)
def test_what_cannot_be_taken_is_said_as_the_api_says_it(
    changed: dict[str, str], words: str, office: Client, plans: list[Plan]
) -> None:
    shown = press(office, of_all(plans), **changed).content.decode()

    assert words in shown
    assert Batch.objects.count() == 0


def test_another_style_brings_its_own_values_and_what_was_changed_stays(
    office: Client, plans: list[Plan]
) -> None:
    form = form_of(office, of_all(plans))
    assert (form["style"], form["value:steps"]) == ("ombres_chinoises", "30")

    shown = office.post(of_all(plans), form | {"style": "labo", "value:cfg": "4.5"})

    html = shown.content.decode()
    assert 'name="value:denoise" id="value:denoise" value="0.45"' in html
    assert 'name="value:cfg" id="value:cfg" value="4.5"' in html
    assert 'name="was:cfg" value="7"' in html
    assert Batch.objects.count() == 0


def test_one_press_makes_a_batch_for_each_style_of_the_plans(
    office: Client, plans: list[Plan]
) -> None:
    Plan.objects.filter(pk=plans[0].pk).update(style=factories.style("labo"))
    Plan.objects.exclude(pk=plans[0].pk).update(style=factories.style())

    shown = pages.text(office, of_all(plans))
    press(office, of_all(plans))

    assert "Generate 3 pictures in 2 batches" in shown
    assert "each style its own" in shown
    made = Batch.objects.order_by("style__position").values_list("style__code", "n_total")
    assert list(made) == [("ombres_chinoises", 2), ("labo", 1)]
    assert not any("request" in batch.sources.values() for batch in Batch.objects.all())


def test_plans_without_a_style_want_one_chosen(office: Client, plans: list[Plan]) -> None:
    Plan.objects.filter(pk=plans[0].pk).update(style=factories.style("labo"))

    shown = press(office, of_all(plans)).content.decode()

    assert "2 plans have no style of their own" in shown
    assert press(office, of_all(plans), style="labo").status_code == 302
    assert Batch.objects.get().n_total == 3


def test_a_plan_that_is_set_apart_is_left_out(office: Client, plans: list[Plan]) -> None:
    Plan.objects.filter(pk=plans[0].pk).update(production_status="omitted")

    assert "1 plan on hold or omitted is left out." in pages.text(office, of_all(plans))
    press(office, of_all(plans))

    assert Batch.objects.get().n_total == 2
    assert (
        pages.said(office.get(of_all(plans[:1])))[-1]
        == "All that was chosen is on hold or omitted: nothing new is made of it."
    )


def test_plans_of_two_episodes_make_a_batch_each(office: Client, plans: list[Plan]) -> None:
    others = factories.plans(of=factories.episode(code="E203"))

    answer = press(office, of_all([*plans, *others]))

    assert answer["Location"] == pages.url("batch")
    assert [batch.episode.code for batch in Batch.objects.order_by("pk")] == ["E202", "E203"]


def test_plans_made_by_hand_wait_for_artists(office: Client, plans: list[Plan]) -> None:
    press(office, of_all(plans), mode=Mode.MANUEL)

    assert Batch.objects.get().n_waiting == 3


def test_the_page_says_which_plans_have_no_panel(office: Client, plans: list[Plan]) -> None:
    shown = pages.text(office, of_all(plans))

    assert "SQ0010-0010, SQ0010-0020, SQ0010-0030 have no panel: they wait" in shown
    assert "No server is registered" in shown
    assert PlanRun.objects.count() == 0


def test_a_failed_plan_is_asked_for_again_as_it_was(office: Client, plans: list[Plan]) -> None:
    press(office, of_all(plans[:1]), **{"value:steps": "12", "style": "ombres_chinoises"})
    run = PlanRun.objects.get()

    form = form_of(office, f"{PAGE}?plans={run.plan_id}&like={run.pk}")

    assert (form["value:steps"], form["was:steps"]) == ("12", "30")
    assert form["value:seed"] == ""


def test_whoever_may_change_nothing_cannot_ask(visitor: Client, plans: list[Plan]) -> None:
    assert visitor.get(of_all(plans)).status_code == 403
    assert "generate" not in pages.text(visitor, pages.url("plan"))


def test_nothing_chosen_is_said(office: Client, db: None) -> None:
    assert pages.said(office.get(f"{PAGE}?plans=nothing")) == [
        "There is no plan in what was chosen: nothing can be asked for."
    ]


@pytest.mark.parametrize("model", ["planrun", "plan"])
def test_a_failed_plan_has_the_way_to_ask_again_otherwise(model: str, office: Client) -> None:
    run = factories.batch([RunState.ERROR]).runs.get()

    shown = unescape(
        pages.text(office, pages.url(model, run.pk if model == "planrun" else run.plan_id))
    )

    assert f"{PAGE}?plans={run.plan_id}&like={run.pk}" in shown
    assert "Again with…" in shown


def test_a_done_plan_has_the_way_to_another_version(office: Client, plans: list[Plan]) -> None:
    version = factories.version(plans[0])
    run = factories.batch([RunState.QUEUED], of=plans[:1]).runs.get()
    PlanRun.objects.filter(pk=run.pk).update(state=RunState.DONE, result=version)

    assert "Another version" in pages.text(office, pages.url("plan", plans[0].pk))


def test_a_variant_of_light_is_chosen_and_its_values_are_shown(
    office: Client, plans: list[Plan]
) -> None:
    Style.objects.filter(code="ombres_chinoises").update(
        variants={"blue_hour": {"label": "Blue hour", "params": {"steps": 40}}}
    )
    form = form_of(office, of_all(plans))

    look = form | {"variant": "blue_hour", "look": "yes"}
    shown = unescape(office.post(of_all(plans), look).content.decode())
    assert "Blue hour" in shown
    assert "the light variant's" in shown
    press(office, of_all(plans), variant="blue_hour")

    batch = Batch.objects.get()
    assert (batch.params["steps"], batch.sources["steps"]) == (40, "variant")
