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


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"params": '{"steps": 0}'}, "steps"),
        ({"params": '{"stepz": 12}'}, "stepz"),
        ({"params": "[1]"}, "An object is expected"),
        ({"workflow_name": "Nowhere.json"}, "Nowhere.json"),
        ({"workflow_name": "../../etc/passwd"}, "errornote"),
    ],
)
def test_a_style_that_no_request_could_use_is_refused(
    fields: dict[str, str], words: str, office: Client
) -> None:
    shown = _save(office, **fields)

    assert words in shown
    assert Style.objects.get(code="ombres_chinoises").params["steps"] == 30
