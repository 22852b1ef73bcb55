"""Query parameters of what changes something: an unknown one is refused, wherever it is sent."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.api.query_parameters import flag
from generation.api.urls import urlpatterns
from generation.errors import InvalidRequest
from generation.models import Batch, IdempotencyKey
from tests.api.calls import EXAMPLE, URL

CHANGING = {"post", "put", "patch", "delete"}


def changing() -> list[tuple[str, str]]:
    """Return every address of the API that changes something, and its method."""
    return sorted(
        (f"/{_with_values(str(pattern.pattern))}", method)
        for pattern in urlpatterns
        for method in CHANGING & set(getattr(pattern.callback, "actions", None) or {})
    )


def _with_values(route: str) -> str:
    return route.replace("<str:batch_id>", "36f4bb8a2a046ada").replace("<str:name>", "Labo.json")


def test_there_are_addresses_that_change_something() -> None:
    assert (URL, "post") in changing()
    assert len(changing()) >= 14


@pytest.mark.parametrize(("address", "method"), changing())
def test_no_address_that_changes_something_takes_an_unknown_parameter(
    api: APIClient, address: str, method: str
) -> None:
    answer = getattr(api, method)(f"{address}?dryrun=1", {}, format="json")

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["attr"]) == ("unknown_parameter", "dryrun")


def test_a_mistyped_dry_run_makes_nothing(api: APIClient) -> None:
    answer = api.post(f"{URL}?dryrun=1", EXAMPLE, format="json")

    assert answer.status_code == 400
    assert not Batch.objects.exists()


def test_a_dry_run_tells_all_and_makes_nothing_and_takes_no_key(api: APIClient) -> None:
    answer = api.post(f"{URL}?dry_run=1", EXAMPLE, format="json", headers={"Idempotency-Key": "k"})

    assert answer.status_code == 200
    assert [plan["plan"] for plan in answer.json()["plans"]] == ["0010", "0020", "0030"]
    assert answer.json()["params"]["steps"] == 30
    assert not Batch.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_dry_run_refuses_what_the_request_would_be_refused_for(api: APIClient) -> None:
    answer = api.post(f"{URL}?dry_run=1", EXAMPLE | {"style": "x"}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_style")


def test_a_dry_run_that_is_switched_off_renders(api: APIClient) -> None:
    assert api.post(f"{URL}?dry_run=0", EXAMPLE, format="json").status_code == 201


def test_a_long_name_is_told_briefly(api: APIClient) -> None:
    answer = api.post(f"{URL}?{'x' * 1000}=1", EXAMPLE, format="json")

    assert answer.json()["attr"] == "x" * 64


class Asked:
    def __init__(self, **given: str) -> None:
        self.query_params = given


@pytest.mark.parametrize(
    ("given", "is_set"),
    [({}, False), ({"dry_run": "1"}, True), ({"dry_run": "true"}, True), ({"dry_run": "0"}, False)],
)
def test_a_flag_is_set_by_1_or_true(given: dict[str, str], is_set: bool) -> None:
    asked: Any = Asked(**given)

    assert flag(asked, "dry_run") is is_set


@pytest.mark.parametrize("value", ["", "yes", "True", "2"])
def test_a_flag_of_another_value_is_refused(value: str) -> None:
    asked: Any = Asked(dry_run=value)

    with pytest.raises(InvalidRequest):
        flag(asked, "dry_run")
