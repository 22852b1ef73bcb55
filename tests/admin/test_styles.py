"""Styles, the one thing of a generation that people edit here."""

import json
from typing import Any

import pytest
from django.test import Client

from generation.models import Style
from tests import factories
from tests.admin import pages


def _save(office: Client, **fields: Any) -> str:
    style = factories.style()
    form = {
        "label": style.label,
        "workflow_name": style.workflow_name,
        "params": json.dumps(style.params),
        "is_active": "on",
        "position": "1",
    }
    response = office.post(pages.url("style", style.pk), form | fields)
    return response.content.decode()


def test_a_style_gets_new_parameters(office: Client) -> None:
    _save(office, params='{"steps": 12}')

    assert Style.objects.get(code="ombres_chinoises").params == {"steps": 12}


def test_a_style_names_other_workflows_that_its_parameters_hold_for(office: Client) -> None:
    _save(office, more_workflows='["Labo.json"]')

    style = Style.objects.get(code="ombres_chinoises")
    assert style.workflow_names == ["OmbresChinoises.json", "Labo.json"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"params": '{"steps": 0}'}, "steps"),
        ({"params": '{"stepz": 12}'}, "stepz"),
        ({"params": "[1]"}, "An object is expected"),
        ({"workflow_name": "Nowhere.json"}, "Nowhere.json"),
        ({"more_workflows": '["Elsewhere.json"]'}, "Elsewhere.json"),
        ({"more_workflows": '"Labo.json"'}, "A list of names is expected"),
        ({"more_workflows": "[7]"}, "A list of names is expected"),
        ({"workflow_name": "../../etc/passwd"}, "errornote"),
    ],
)
def test_a_style_that_no_request_could_use_is_refused(
    fields: dict[str, str], words: str, office: Client
) -> None:
    shown = _save(office, **fields)

    assert words in shown
    assert Style.objects.get(code="ombres_chinoises").params["steps"] == 30


def test_a_style_with_batches_cannot_be_deleted_and_says_what_to_do(office: Client) -> None:
    batch = factories.batch()

    shown = pages.text(office, pages.url("style", batch.style_id))

    assert "Delete style" not in shown
    assert "can be switched off, not deleted" in shown
    response = office.post(f"/admin/generation/style/{batch.style_id}/delete/", {"post": "yes"})
    assert response.status_code == 403
    assert Style.objects.filter(pk=batch.style_id).exists()


def test_a_style_without_batches_is_deleted_once_somebody_says_so(office: Client) -> None:
    style = Style.objects.create(code="other", label="Other", workflow_name="Silhouette.json")
    address = f"/admin/generation/style/{style.pk}/delete/"

    assert "Are you sure" in pages.text(office, address)
    assert Style.objects.filter(pk=style.pk).exists()
    office.post(address, {"post": "yes"})
    assert not Style.objects.filter(pk=style.pk).exists()


def test_styles_are_not_deleted_many_at_once(office: Client) -> None:
    assert 'value="delete_selected"' not in pages.text(office, pages.url("style"))


def test_a_style_gets_a_text_with_fields_and_variants(office: Client) -> None:
    variants = {"blue_hour": {"label": "Blue hour", "params": {"cfg": 8, "steps": 40}}}
    _save(office, prompt="silhouettes, {description}", variants=json.dumps(variants))

    style = Style.objects.get(code="ombres_chinoises")
    assert (style.prompt, style.variants) == ("silhouettes, {description}", variants)


def test_a_style_gets_bounds_of_its_own_for_what_is_checked(office: Client) -> None:
    _save(office, checks='{"composition": 0.7, "like_plan": null}')

    bounds = factories.style().bounds
    assert bounds["composition"] == 0.7
    assert "like_plan" not in bounds


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "{mood}"}, "There is no field {mood}"),
        ({"negative_prompt": "{mood}"}, "There is no field {mood}"),
        ({"prompt": "a cat", "workflow_name": "Silhouette.json", "params": "{}"}, "has no prompt"),
        ({"checks": '{"blue": 0.5}'}, "There is no check blue"),
        ({"checks": '{"black": 2}'}, "a number from 0 to 1 is expected"),
        ({"checks": '{"black": true}'}, "a number from 0 to 1 is expected"),
        ({"checks": "[1]"}, "An object of bounds is expected"),
        ({"variants": '{"a": 1}'}, "An object of presets is expected"),
        ({"variants": '{"a": {"label": "A", "params": {"steps": 0}}}'}, "a.params.steps"),
    ],
)
def test_texts_and_variants_that_no_request_could_use_are_refused(
    fields: dict[str, str], words: str, office: Client
) -> None:
    before = factories.style()

    assert words in _save(office, **fields)
    assert factories.style().prompt == before.prompt
