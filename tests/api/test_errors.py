"""One shape for every error, whoever found it."""

from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from generation.api import generate_endpoints
from generation.models import Batch
from tests.api.calls import EXAMPLE, URL


def assert_shape(answer: Any, status: int, code: str) -> None:
    document = answer.json()
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/json")
    assert set(document) == {"code", "detail", "attr", "errors"}
    assert document["code"] == code
    first = {key: document[key] for key in ("code", "detail", "attr")}
    assert document["errors"][0] == first


def test_unknown_addresses_answer_in_the_same_shape(api: APIClient) -> None:
    assert_shape(api.get("/api/nothing/here"), 404, "not_found")


@pytest.mark.parametrize("path", ["/api", "/api/", "/nowhere", "/files/", "/files/x/y/z"])
def test_an_address_outside_the_api_does_too(db: None, path: str) -> None:
    assert_shape(APIClient().get(path), 404, "not_found")


def test_a_method_that_is_not_allowed(api: APIClient) -> None:
    assert_shape(api.delete(URL), 405, "method_not_allowed")


def test_a_media_type_that_is_not_read(api: APIClient) -> None:
    answer = api.post(URL, data="<x/>", content_type="application/xml")

    assert_shape(answer, 415, "unsupported_media_type")


def test_a_form_where_json_is_read(api: APIClient) -> None:
    assert_shape(
        api.post(URL, {"style": "labo"}, format="multipart"), 415, "unsupported_media_type"
    )


def test_an_answer_that_cannot_be_given(api: APIClient) -> None:
    assert_shape(api.get("/api/styles", headers={"accept": "text/csv"}), 406, "not_acceptable")


def test_a_missing_csrf_token(artist: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(artist)

    assert_shape(client.post(URL, EXAMPLE, format="json"), 403, "permission_denied")


def test_a_page_that_is_not_there(api: APIClient) -> None:
    assert_shape(api.get("/api/batches?page=99"), 404, "not_found")


def test_a_host_that_is_not_allowed(api: APIClient) -> None:
    assert_shape(api.get("/api/styles", headers={"host": "evil.example"}), 400, "bad_request")


def test_too_many_tries(anonymous: APIClient, db: None) -> None:
    body = {"username": "artist", "password": "guess"}
    answers = [anonymous.post("/api/token", body, format="json") for _ in range(12)]

    assert_shape(answers[-1], 429, "throttled")
    assert int(answers[-1]["Retry-After"]) > 0
    cache.clear()


def test_a_failure_of_madsea_itself(
    api: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(generate_endpoints.responses, "status", fail)
    api.raise_request_exception = False

    answer = api.get(f"{URL}/status?batch_id={batch.public_id}")

    assert_shape(answer, 500, "server_error")
    assert "ZeroDivision" not in answer.content.decode()
