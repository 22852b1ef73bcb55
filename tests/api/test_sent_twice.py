"""POST /api/generate_ai_concept with an Idempotency-Key: once, however often it is sent."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from generation.models import Batch, IdempotencyKey
from generation.services import batches
from tests.api.calls import EXAMPLE, URL
from tests.conftest import client_of
from tests.services.racing import race

KEY = "6a1f6c1e-52c0-4b0e-9d1c-0c8a4f6f7a35"


def post(api: APIClient, body: Any = EXAMPLE, key: str = KEY) -> Any:
    return api.post(URL, body, format="json", headers={"Idempotency-Key": key})


def test_a_second_request_gets_the_first_answer(api: APIClient) -> None:
    first = post(api)

    again = post(api)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert Batch.objects.count() == 1


def test_a_replay_says_that_it_is_one(api: APIClient) -> None:
    first = post(api)

    again = post(api)

    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"


def test_the_answer_stays_the_first_one_whatever_became_of_the_batch(api: APIClient) -> None:
    first = post(api)
    batches.cancel(Batch.objects.get(), actor=None)

    assert post(api).content == first.content


def test_the_order_of_keys_is_no_difference(api: APIClient) -> None:
    first = post(api)

    again = post(api, dict(reversed(EXAMPLE.items())))

    assert again.content == first.content


def test_without_a_key_each_request_makes_a_batch(api: APIClient) -> None:
    api.post(URL, EXAMPLE, format="json")
    api.post(URL, EXAMPLE, format="json")

    assert Batch.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_another_key_makes_another_batch(api: APIClient) -> None:
    post(api)

    answer = post(api, key=KEY.upper())

    assert "Idempotent-Replayed" not in answer
    assert Batch.objects.count() == 2


def test_another_body_is_a_conflict_that_names_the_difference(api: APIClient) -> None:
    post(api)

    answer = post(api, EXAMPLE | {"params": {"steps": 20, "cfg": 7.5, "lora_strength": 0.9}})

    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_mismatch"
    assert answer.json()["attr"] == "Idempotency-Key"
    assert "(params.steps: 30 → 20)" in answer.json()["detail"]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("body", [{}, [], None, "", EXAMPLE | {"style": "aquarelle"}])
def test_another_body_is_a_conflict_even_if_it_would_be_refused(api: APIClient, body: Any) -> None:
    post(api)

    assert post(api, body).status_code == 409


def test_a_refused_request_may_be_mended_under_its_key(api: APIClient) -> None:
    refused = post(api, EXAMPLE | {"style": "aquarelle"})

    answer = post(api)

    assert (refused.status_code, answer.status_code) == (400, 201)
    assert "Idempotent-Replayed" not in answer


def test_keys_are_each_users_own(api: APIClient, supervisor: User) -> None:
    post(api)

    answer = post(client_of(supervisor), EXAMPLE | {"mode": "manuel"})

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer
    assert Batch.objects.count() == 2


@pytest.mark.parametrize("key", ["", "k" * 256, "cl\xe9", "a\tb", "a\x00b", "a\x7f", "☃"])
def test_a_key_that_is_none_is_refused(api: APIClient, key: str) -> None:
    answer = post(api, key=key)

    assert answer.status_code == 400
    assert answer.json()["attr"] == "Idempotency-Key"
    assert answer.json()["code"] == "invalid_idempotency_key"
    assert not Batch.objects.exists()


@pytest.mark.parametrize("key", ["k", "~" * 255, "a key, with {signs} %00 'and' \"quotes\"", "0"])
def test_any_printable_text_is_a_key(api: APIClient, key: str) -> None:
    post(api, key=key)

    assert post(api, key=key)["Idempotent-Replayed"] == "true"


def test_a_key_opens_nothing_to_who_is_not_signed_in(api: APIClient) -> None:
    post(api)

    assert post(APIClient()).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_make_one_batch_and_get_equal_answers(artist: User) -> None:
    clients = [client_of(artist) for _ in range(20)]

    got = race(*[lambda client=client: post(client) for client in clients])

    assert [answer.status_code for answer in got] == [201] * 20
    assert len({(answer.content, answer["Location"]) for answer in got}) == 1
    assert sum("Idempotent-Replayed" in answer for answer in got) == 19
    assert Batch.objects.count() == 1


def test_a_page_on_another_origin_may_send_and_read_it(api: APIClient, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example"]

    asked = api.options(
        URL,
        headers={
            "Origin": "https://front.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "idempotency-key",
        },
    )
    answer = api.post(URL, EXAMPLE, format="json", headers={"Origin": "https://front.example"})

    assert "idempotency-key" in asked["Access-Control-Allow-Headers"]
    assert "Idempotent-Replayed" in answer["Access-Control-Expose-Headers"]


def test_the_schema_tells_of_it(api: APIClient) -> None:
    operation = api.get("/api/schema/?format=json").json()["paths"][URL]["post"]

    sent = {line["name"]: line for line in operation["parameters"]}
    assert sent["Idempotency-Key"]["in"] == "header"
    assert sent["Idempotency-Key"]["schema"]["maxLength"] == 255
    assert set(operation["responses"]["201"]["headers"]) == {"Idempotent-Replayed"}
    assert "409" in operation["responses"]
