"""What is known of a plan, over HTTP: read, searched, changed, and how it became so."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Plan
from generation.services import plan_attributes
from generation.states import RunState
from tests import factories
from tests.api.calls import EXAMPLE, URL

ACTION = "INT. GRENIER - NUIT\nPR contre champ\nLA RELIEUSE ouvre une malle"
PANEL = "extracted-raw"


def address(plan: Plan) -> str:
    return f"/api/plans/{plan.pk}"


def patch(api: APIClient, plan: Plan, **body: Any) -> Any:
    return api.patch(address(plan), body, format="json")


def write(plan: Plan, **texts: Any) -> None:
    plan_attributes.write(plan, texts, by=None, source="storyboard")


def codes(api: APIClient, query: str) -> list[str]:
    return [plan["plan"] for plan in api.get(f"/api/plans?{query}").json()["results"]]


def test_a_plan_tells_all_that_is_known_of_it(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], label="1A", action=ACTION, duration_ms=2000, position=1, style="labo")

    told = api.get(address(plans[0])).json()

    assert {name: told[name] for name in ("label", "place", "camera", "style")} == {
        "label": "1A",
        "place": "INT. GRENIER - NUIT",
        "camera": "PR contre champ",
        "style": "labo",
    }
    assert (told["duration_ms"], told["production_status"]) == (2000, "active")
    assert told["text_revision"] == 1


def test_a_plan_s_texts_are_changed(api: APIClient, plans: list[Plan]) -> None:
    answer = patch(api, plans[0], action=ACTION, production_status="on_hold")

    assert answer.status_code == 200
    assert answer.json()["description"] == "LA RELIEUSE ouvre une malle"
    assert answer.json()["production_status"] == "on_hold"


def test_a_change_is_told_with_who_made_it(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], label="1A")
    patch(api, plans[0], label="1B")

    [last, first] = api.get(f"{address(plans[0])}/texts").json()["results"]

    assert (last["changed_by"], last["source"]) == ("artist", "api")
    assert (last["before"], last["after"]) == ({"label": "1A"}, {"label": "1B"})
    assert (first["changed_by"], first["source"]) == (None, "storyboard")


def test_who_has_read_an_older_plan_changes_nothing(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], notes="plus sombre")

    answer = patch(api, plans[0], notes="plus clair", text_revision=0)

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert Plan.objects.get(pk=plans[0].pk).notes == "plus sombre"


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({"label": "x" * 33}, "label", "max_length"),
        ({"label": 1}, "label", "not_a_string"),
        ({"duration_ms": -1}, "duration_ms", "min_value"),
        ({"style": "cubiste"}, "style", "unknown_style"),
        ({"production_status": "gone"}, "production_status", "invalid_choice"),
        ({"mood": "sad", "label": "1A"}, "mood", "unknown_key"),
        ({"text_revision": 1}, None, "required"),
    ],
)
def test_what_cannot_be_written_is_refused(
    api: APIClient, plans: list[Plan], body: dict[str, Any], attr: str | None, code: str
) -> None:
    answer = patch(api, plans[0], **body)

    assert answer.status_code == 400
    assert (answer.json()["attr"], answer.json()["code"]) == (attr, code)


def test_a_plan_that_is_not_there_has_no_texts(api: APIClient) -> None:
    assert api.get("/api/plans/999/texts").json()["code"] == "unknown_plan"


def test_words_are_looked_for_in_all_texts(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], action=ACTION, notes="raccord")
    write(plans[1], dialogue="la malle est vide")

    assert codes(api, "search=malle") == ["0010", "0020"]
    assert codes(api, "search=malle+raccord") == ["0010"]
    assert codes(api, "search=chat") == []


def test_plans_are_filtered_by_what_is_known_of_them(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], label="1A", style="labo")
    write(plans[1], production_status="omitted", storyboard_uid="ABCDE")

    assert codes(api, "label=1A") == codes(api, "style=labo") == ["0010"]
    assert codes(api, "production_status=omitted") == ["0020"]
    assert codes(api, "storyboard_uid=ABCDE") == ["0020"]


# On hold, omitted ---------------------------------------------------------------------------------


def test_a_plan_on_hold_or_omitted_gets_no_new_run(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], production_status="on_hold")
    write(plans[2], production_status="omitted")

    answer = api.post(URL, EXAMPLE, format="json")

    assert answer.status_code == 400
    problems = answer.json()["errors"]
    assert [(each["attr"], each["code"]) for each in problems] == [
        ("sequences.0.plans.0", "plan_on_hold"),
        ("sequences.0.plans.2", "plan_omitted"),
    ]
    assert problems[0]["detail"].startswith("Plan 0010 of SQ0010 is on hold")


def test_its_place_is_named_where_it_brings_params(api: APIClient, plans: list[Plan]) -> None:
    write(plans[0], production_status="on_hold")
    sequences = [{"sequence_id": "SQ0010", "plans": [{"plan": "0010", "params": {"steps": 20}}]}]

    answer = api.post(URL, EXAMPLE | {"sequences": sequences}, format="json")

    assert answer.json()["attr"] == "sequences.0.plans.0"


def test_a_plan_of_the_same_name_in_another_episode_is_made(
    api: APIClient, plans: list[Plan]
) -> None:
    write(plans[0], production_status="omitted")

    answer = api.post(URL, EXAMPLE | {"episode": "E203"}, format="json")

    assert answer.status_code == 201


# Newer panels -------------------------------------------------------------------------------------


def test_a_picture_that_was_made_from_an_older_panel_says_so(
    api: APIClient, plans: list[Plan]
) -> None:
    rendered_from_its_first_panel(plans[0])
    factories.version(plans[0], task=PANEL, content=factories.png(color="red"))

    told = api.get(address(plans[0])).json()

    assert (told["made_from_panel"], told["newer_panel"]) == (1, 2)
    of_picture = next(each for each in told["versions"] if each["task"] == "AI-concept")
    one = api.get(f"/api/versions/{of_picture['id']}").json()
    assert (one["made_from_panel"], one["newer_panel"]) == (1, 2)


def test_a_picture_of_the_newest_panel_knows_no_newer_one(
    api: APIClient, plans: list[Plan]
) -> None:
    rendered_from_its_first_panel(plans[0])

    told = api.get(address(plans[0])).json()

    assert (told["made_from_panel"], told["newer_panel"]) == (1, None)


def rendered_from_its_first_panel(plan: Plan) -> None:
    panel = factories.version(plan, task=PANEL)
    run = factories.batch([RunState.DONE], of=[plan]).runs.get()
    made = factories.attempt(run, panel=panel)
    plan.versions.filter(run=run).update(attempt=made)
