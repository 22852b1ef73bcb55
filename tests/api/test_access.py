"""Who may do what: nothing anonymously, everything once signed in; tokens, CORS, the schema."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, reverse
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from generation.api.urls import urlpatterns
from generation.models import Batch
from tests.api.calls import EXAMPLE, URL

OPEN = {"token", "docs", "redoc", "guide", "file", None}
ORIGIN = "https://front.example"
CLOSED = [
    pattern
    for pattern in urlpatterns
    if isinstance(pattern, URLPattern) and pattern.name not in OPEN
]


def address(pattern: URLPattern) -> str:
    named = dict.fromkeys(pattern.pattern.converters, "1")
    return reverse(str(pattern.name), kwargs=named)


@pytest.mark.parametrize("pattern", CLOSED, ids=lambda pattern: str(pattern.name))
@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_answered_anonymously(db: None, pattern: URLPattern, method: str) -> None:
    answer = getattr(APIClient(), method)(address(pattern))

    assert answer.status_code in {401, 405}
    assert answer.json()["code"] in {"not_authenticated", "method_not_allowed"}


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc/"])
def test_the_pages_send_who_is_not_signed_in_to_the_sign_in_page(db: None, path: str) -> None:
    answer = APIClient().get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api/redoc", "/api/redoc/"])
def test_the_pages_need_nothing_from_elsewhere(supervisor: User, path: str) -> None:
    client = APIClient()
    client.force_login(supervisor)

    answer = client.get(path)

    assert answer.status_code == 200
    assert b"cdn." not in answer.content


def test_a_session_may_read_and_write(artist: User) -> None:
    client = APIClient()
    client.force_login(artist)

    assert client.post(URL, EXAMPLE, format="json").status_code == 201


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_password_gets_a_token_that_works(anonymous: APIClient, artist: User, slash: str) -> None:
    body = {"username": "artist", "password": "artist-pw"}

    answer = anonymous.post(f"/api/token{slash}", body, format="json")

    assert answer.status_code == 200
    assert answer.json() == {"token": Token.objects.get(user=artist).key}
    signed_in = APIClient(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert signed_in.get("/api/batches").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [("artist", "wrong"), ("nobody", "artist-pw"), ("stranger", "stranger-pw")],
)
def test_wrong_credentials_get_none(
    anonymous: APIClient, artist: User, stranger: User, username: str, password: str
) -> None:
    body = {"username": username, "password": password}

    answer = anonymous.post("/api/token", body, format="json")

    assert answer.status_code == 401
    assert answer.json()["code"] == "authentication_failed"


@pytest.mark.parametrize("body", [{}, {"username": "artist", "password": 7}, []])
def test_credentials_that_are_none_are_refused(anonymous: APIClient, db: None, body: Any) -> None:
    answer = anonymous.post("/api/token", body, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_browser_elsewhere_may_send_what_it_needs(db: None, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization,if-none-match,content-type",
    }

    answer = APIClient().options(f"{URL}/status", headers=asked)

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "if-none-match" in answer["Access-Control-Allow-Headers"]
    assert "authorization" in answer["Access-Control-Allow-Headers"]


def test_a_browser_elsewhere_may_read_what_it_needs(
    api: APIClient, batch: Batch, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    answer = api.get(f"{URL}/status?batch_id={batch.public_id}", headers={"origin": ORIGIN})

    exposed = answer["Access-Control-Expose-Headers"]
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert {"ETag", "Location"} <= set(exposed.split(", "))


def test_a_browser_from_anywhere_else_may_not(api: APIClient, batch: Batch) -> None:
    answer = api.get("/api/batches", headers={"origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer


def test_the_schema_shows_the_specifications_example(api: APIClient) -> None:
    schema = api.get("/api/schema/?format=json").json()

    content = schema["paths"]["/api/generate_ai_concept"]["post"]["requestBody"]["content"]
    assert content["application/json"]["examples"]["Specification"]["value"] == EXAMPLE


def test_the_schema_names_every_address_once(api: APIClient) -> None:
    schema = api.get("/api/schema?format=json").json()

    assert {path.rstrip("/") for path in schema["paths"]} == set(schema["paths"])
    assert {
        "/api/generate_ai_concept/status",
        "/api/generate_ai_concept/retry",
        "/api/generate_ai_concept/cancel",
        "/api/generate_ai_concept/upload",
        "/api/panels",
        "/api/token",
        "/api/queue",
        "/files/{signed}/{filename}",
    } <= set(schema["paths"])


def test_the_schema_tells_the_status_document(api: APIClient) -> None:
    schema = api.get("/api/schema/?format=json").json()

    answers = schema["paths"]["/api/generate_ai_concept/status"]["get"]["responses"]
    document = schema["components"]["schemas"]["StatusDocument"]
    assert answers["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/StatusDocument"
    }
    assert {"plans", "counts", "revision", "logs_url"} <= set(document["properties"])
    assert "304" in answers
