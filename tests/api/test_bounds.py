"""What a body or an address says is read in linear time, and answered within bounds."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from generation.api import parsers
from generation.errors import PROBLEMS_MAX
from generation.models import Batch
from tests.api.calls import EXAMPLE, URL

HUGE = ["9" * 19, "9" * 40, "9" * 5000, "٣", "-1", "1e3", "0x1", "1_0"]
#: Everything that has a number in its address or its query.
NUMBERED = [
    "/api/episodes/{}",
    "/api/sequences/{}",
    "/api/plans/{}",
    "/api/servers/{}",
    "/api/versions/{}",
    "/files/{}/E202_SQ0010-0010_AI-concept_v0001.png",
    "/files/1/a.png?w={}",
    "/api/batches?page={}",
    "/api/queue?page={}",
]
IN_THE_ADMIN = ["planrun", "batch", "server", "style"]


class Counted(str):
    """A key that counts how often it is looked at."""

    n_looks = 0

    def __eq__(self, other: object) -> bool:
        type(self).n_looks += 1
        return super().__eq__(other)

    def __hash__(self) -> int:
        type(self).n_looks += 1
        return super().__hash__()


def raw(api: APIClient, body: str, url: str = URL) -> Any:
    return api.post(url, data=body, content_type="application/json")


def test_a_key_that_stands_twice_is_found_by_looking_at_each_key_a_few_times() -> None:
    keys = [Counted(f"key-{n}") for n in range(1000)]

    with pytest.raises(ValueError, match="'key-999' stands twice"):
        parsers._object([(key, 1) for key in [*keys, keys[-1]]])

    assert Counted.n_looks <= 10 * len(keys)


def test_the_first_key_that_stands_twice_is_named(api: APIClient) -> None:
    answer = raw(api, '{"a": 1, "b": 2, "c": 3, "b": 4, "a": 5}')

    assert answer.status_code == 400
    assert "'b' stands twice" in answer.json()["detail"]


@pytest.mark.parametrize("url", [URL, f"{URL}/cancel"])
def test_a_hundred_problems_are_named_and_the_others_counted(api: APIClient, url: str) -> None:
    answer = raw(api, json.dumps({f"{n}": 1 for n in range(600)}), url)

    errors = answer.json()["errors"]
    assert answer.status_code == 400
    assert len(errors) == PROBLEMS_MAX + 1
    assert errors[-1]["code"] == "more_problems"
    assert len(answer.content) < 50_000


def test_the_problems_that_are_not_named_are_counted(api: APIClient) -> None:
    answer = raw(api, json.dumps(EXAMPLE | {f"key-{n}": 1 for n in range(1234)}))

    assert answer.json()["errors"][-1]["detail"] == "1,134 more problems are not named here."


@pytest.mark.parametrize("n_levels", [33, 500, 900, 100_000])
@pytest.mark.parametrize("marks", ["[]", ("{", "}")])
def test_json_that_is_nested_deeply_is_refused(api: APIClient, n_levels: int, marks: Any) -> None:
    opening, closing = {"[": "[", "{": '{"a":'}[marks[0]], marks[1]
    body = f'{{"params": {opening * n_levels}1{closing * n_levels}}}'

    answer = raw(api, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert "nested too deeply" in answer.json()["detail"]


def test_a_number_of_5000_digits_is_refused(api: APIClient) -> None:
    answer = raw(api, f'{{"params": {{"seed": {"9" * 5000}}}}}')

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_more_values_than_any_request_needs_are_refused_unread(api: APIClient) -> None:
    answer = raw(api, "[" + "1," * parsers.VALUES_MAX + "1]")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert f"{parsers.VALUES_MAX:,}" in answer.json()["detail"]


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("address", NUMBERED)
def test_a_number_that_no_row_can_have_leads_nowhere(
    api: APIClient, address: str, number: str
) -> None:
    answer = api.get(address.format(number))

    assert answer.status_code in {400, 404}
    assert answer.json()["code"]


@pytest.mark.parametrize("number", HUGE)
def test_a_since_that_is_no_revision_is_refused(api: APIClient, batch: Batch, number: str) -> None:
    of_status = api.get(f"{URL}/status?batch_id={batch.public_id}&since={number}")
    of_logs = api.get(f"/api/batches/{batch.public_id}/logs?since={number}")

    assert (of_status.status_code, of_logs.status_code) == (400, 400)


@pytest.mark.parametrize(
    "query", ["?all=&p={}", "?id__exact={}", "?batch={}&batch__id__exact={}", "?o={}", "{}/change/"]
)
@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000])
@pytest.mark.parametrize("model", IN_THE_ADMIN)
def test_a_number_in_the_admin_is_no_failure(
    client: Client, supervisor: User, model: str, query: str, number: str
) -> None:
    client.force_login(supervisor)

    answer = client.get(f"/admin/generation/{model}/{query.format(number, number)}", follow=True)

    assert answer.status_code in {200, 404}


def test_a_form_of_too_many_fields_is_refused(api: APIClient, batch: Batch) -> None:
    body = {f"field-{n}": "1" for n in range(1001)}

    answer = api.post(f"{URL}/upload", body, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_fields")


def test_an_address_of_too_many_parameters_is_refused(api: APIClient) -> None:
    query = "&".join(f"p{n}=1" for n in range(1001))

    answer = api.get(f"/api/batches?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_fields")


@pytest.mark.parametrize("debugging", [False, True])
@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs", "/files/7/a.png", "/nowhere"])
def test_so_is_one_of_any_other_address_with_debug_too(
    client: Client, db: None, settings: Any, path: str, debugging: bool
) -> None:
    settings.DEBUG = debugging
    query = "&".join(f"p{n}=1" for n in range(1001))

    answer = client.get(f"{path}?{query}")

    assert answer.status_code == 400
    assert int(answer["Content-Length"]) < 20_000


def test_a_form_with_a_field_of_20_mib_is_refused(api: APIClient) -> None:
    answer = api.post("/api/panels", {"plan": "x" * 20 * 2**20}, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_what_is_refused_by_its_size_is_not_a_page_when_debugging(
    api: APIClient, settings: Any
) -> None:
    settings.DEBUG = True

    answer = api.get("/api/batches?" + "&".join(f"p{n}=1" for n in range(1001)))

    assert answer.json()["code"] == "too_many_fields"
