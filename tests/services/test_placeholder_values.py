"""What a plan tells is put into the texts that it is made with, and stays as it was asked for."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Plan, Style
from generation.services import (
    batches,
    dry_runs,
    placeholder_values,
    plan_attributes,
    request_validation,
)
from generation.services.request_validation import BatchRequest
from generation.workflows import prompt_templates
from generation.workflows.prompt_templates import FIELDS
from tests import factories
from tests.api.calls import EXAMPLE

pytestmark = pytest.mark.django_db

ACTION = "INT. GRENIER - NUIT\nPR contre champ\nLA RELIEUSE (seule)\nouvre une malle"


@pytest.fixture(autouse=True)
def without_a_text_of_its_own(db: None) -> None:
    """The style has no text: what has fields is what each test gives."""
    Style.objects.update(prompt="", negative_prompt="")


@pytest.fixture
def told(plans: list[Plan]) -> Plan:
    """A plan that tells what it shows."""
    plan_attributes.write(plans[0], {"action": ACTION, "label": "1A"}, by=None, source="api")
    return Plan.objects.get(pk=plans[0].pk)


def read(**params: Any) -> BatchRequest:
    return request_validation.read(EXAMPLE | {"params": params})


def test_every_field_has_a_value(told: Plan) -> None:
    assert set(placeholder_values.of_plan(told)) == set(FIELDS)


def test_the_dry_run_says_what_each_plan_is_made_with(told: Plan) -> None:
    request = read(prompt="{place}: {description}. {{x}} {camera}")

    first, second, _ = dry_runs.rehearse(request)["plans"]

    assert first["filled"] == {
        "prompt": "INT. GRENIER - NUIT: LA RELIEUSE \\(seule\\), ouvre une malle."
        " {x} PR contre champ"
    }
    assert second["filled"] == {"prompt": ": . {x} "}


def test_the_dry_run_of_plans_that_are_not_there_yet_fills_in_their_names(db: None) -> None:
    first, *_ = dry_runs.rehearse(read(prompt="{episode} {sequence} {plan}"))["plans"]

    assert first["filled"] == {"prompt": "E202 SQ0010 0010"}


def test_the_dry_run_fills_in_nothing_where_there_are_no_fields(told: Plan) -> None:
    assert not any("filled" in plan for plan in dry_runs.rehearse(read())["plans"])


def test_a_run_keeps_what_its_plan_told_when_it_was_asked_for(told: Plan) -> None:
    made = batches.create(read(prompt="{description}"), requester=None)
    plan_attributes.write(told, {"description": "le chat"}, by=None, source="api")

    run = made.runs.get(plan=told)

    assert run.texts == {"description": "LA RELIEUSE (seule), ouvre une malle"}
    assert placeholder_values.of_run(run)["description"] == "LA RELIEUSE (seule), ouvre une malle"
    assert placeholder_values.of_run(run)["label"] == "1A"


def test_a_run_without_fields_keeps_no_texts(told: Plan) -> None:
    made = batches.create(read(prompt="a cat"), requester=None)

    assert [run.texts for run in made.runs.all()] == [{}, {}, {}]


def test_a_plan_s_own_text_keeps_what_it_needs(told: Plan) -> None:
    own = {"plan": "0010", "params": {"prompt": "{label}"}}
    sequences = [{"sequence_id": "SQ0010", "plans": [own, "0020"]}]
    request = request_validation.read(EXAMPLE | {"params": {}, "sequences": sequences})

    first, second = batches.create(request, requester=None).runs.order_by("position")

    assert (first.texts, second.texts) == ({"label": "1A"}, {})


# Styles -------------------------------------------------------------------------------------------


def test_a_style_s_texts_are_what_its_plans_are_made_with(told: Plan) -> None:
    Style.objects.filter(code="ombres_chinoises").update(
        prompt="silhouettes, {description}", negative_prompt="faces"
    )

    document = dry_runs.rehearse(read())

    assert document["params"]["negative_prompt"] == "faces"
    assert (document["params"]["prompt"], document["sources"]["prompt"]) == (
        "silhouettes, {description}",
        "style",
    )
    assert document["plans"][0]["filled"] == {
        "prompt": "silhouettes, LA RELIEUSE \\(seule\\), ouvre une malle"
    }


def test_a_request_s_own_text_goes_before_the_style_s(told: Plan) -> None:
    Style.objects.filter(code="ombres_chinoises").update(prompt="{description}")

    assert dry_runs.rehearse(read(prompt="a cat"))["params"]["prompt"] == "a cat"


def test_a_style_tells_its_texts_and_variants(api: APIClient) -> None:
    variants = {"blue_hour": {"label": "Blue hour", "params": {"cfg": 8, "steps": 40}}}
    Style.objects.filter(code="labo").update(prompt="{place}", variants=variants)

    told = api.get("/api/styles/labo").json()

    assert (told["prompt"], told["variants"]) == ("{place}", variants)


def test_a_field_that_no_plan_has_is_refused_with_those_that_there_are(api: APIClient) -> None:
    answer = api.post(
        "/api/generate_ai_concept", EXAMPLE | {"params": {"prompt": "{mood}"}}, format="json"
    )

    assert answer.json()["code"] == "unknown_field"
    assert "{description}" in answer.json()["detail"]


def test_what_was_sent_is_in_the_recipe_with_its_template(told: Plan, api: APIClient) -> None:
    made = batches.create(read(prompt="{label}"), requester=None)
    run = made.runs.get(plan=told)
    graph = {**made.workflow.graph} if made.workflow else {}
    graph["7"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "1A", "clip": ["2", 1]}}
    attempt = factories.attempt(run, graph=graph)
    version = factories.version(told, run=run, attempt=attempt)

    parameters = api.get(f"/api/versions/{version.pk}/recipe").json()["parameters"]

    assert parameters["prompt"] == {"value": "1A", "source": "request", "template": "{label}"}


@pytest.mark.parametrize("code", ["ombres_chinoises", "labo"])
def test_the_shipped_styles_follow_the_technical_sheet(code: str) -> None:
    style = Style.objects.get(code=code)

    params = style.params
    assert 0.35 <= params["denoise"] <= 0.45
    assert 6.5 <= params["cfg"] <= 8.5
    assert params["steps"] == 30
    assert prompt_templates.unknown(style.prompt) == []
    assert {variant["params"]["steps"] for variant in style.variants.values()} <= {30, 40}
