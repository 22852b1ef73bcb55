"""The API speaks the language that it is asked in, and English where nobody says which."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.api import responses
from generation.models import Batch
from generation.services import batches

FRENCH = {"HTTP_ACCEPT_LANGUAGE": "fr-FR,fr;q=0.9,en;q=0.8"}


def status(api: APIClient, batch: Batch, **headers: Any) -> Any:
    """The answer to who follows a batch."""
    return api.get(f"/api/generate_ai_concept/status?batch_id={batch.public_id}", **headers)


def test_who_names_no_language_is_answered_in_english(api: APIClient) -> None:
    answer = api.get("/api/nowhere")

    assert answer["Content-Language"] == "en"


@pytest.mark.parametrize("asked", ["fr", "fr-CA", "de, fr;q=0.5"])
def test_who_asks_for_french_is_answered_in_french(api: APIClient, asked: str) -> None:
    answer = api.get("/api/batches/none", HTTP_ACCEPT_LANGUAGE=asked)

    assert answer["Content-Language"] == "fr"
    assert "Accept-Language" in answer["Vary"]


def test_a_language_that_madsea_has_not_is_answered_in_english(api: APIClient) -> None:
    assert api.get("/api/batches/none", HTTP_ACCEPT_LANGUAGE="de")["Content-Language"] == "en"


def test_what_somebody_chose_for_pages_is_not_said_by_a_program(api: APIClient) -> None:
    api.cookies["language"] = "fr"

    assert api.get("/api/batches/none")["Content-Language"] == "en"


def test_the_log_is_told_in_the_language_of_whoever_reads_it(api: APIClient, batch: Batch) -> None:
    batches.cancel(batch, actor=None)
    english, french = status(api, batch).json(), status(api, batch, **FRENCH).json()

    assert english["logs"][0]["message"] == "Cancel of the batch requested."
    assert french["logs"][0]["message"] == "Annulation du lot demandée."


def test_a_document_in_another_language_is_another_one(api: APIClient, batch: Batch) -> None:
    english = status(api, batch)

    french = status(api, batch, HTTP_IF_NONE_MATCH=english["ETag"], **FRENCH)

    assert (french.status_code, french["ETag"] != english["ETag"]) == (200, True)


def test_who_has_it_in_french_is_told_so(api: APIClient, batch: Batch) -> None:
    tag = status(api, batch, **FRENCH)["ETag"]

    again = status(api, batch, HTTP_IF_NONE_MATCH=tag, **FRENCH)

    assert (again.status_code, again["Content-Language"]) == (304, "fr")


def test_who_changes_the_language_in_between_gets_everything_anew(
    api: APIClient, batch: Batch
) -> None:
    english = status(api, batch)
    since = english.json()["revision"]
    address = f"/api/generate_ai_concept/status?batch_id={batch.public_id}&since={since}"

    answer = api.get(address, HTTP_IF_NONE_MATCH=english["ETag"], **FRENCH)

    assert answer.json()["reset"] is True


def test_answers_that_are_kept_are_kept_for_each_language(api: APIClient, batch: Batch) -> None:
    batches.cancel(batch, actor=None)
    responses.DOCUMENTS.clear()

    told = [status(api, batch, **headers).content for headers in ({}, FRENCH, {}, FRENCH)]

    assert (told[0], told[1]) == (told[2], told[3])
    assert told[0] != told[1]
