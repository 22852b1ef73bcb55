"""A held database and a full disk are 503 with a time to come again, as JSON and as pages."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from generation import storage
from generation.models import Batch
from generation.storage import StorageError
from tests import factories
from tests.api.calls import EXAMPLE, URL, panel


class Held(sqlite3.OperationalError):
    """What SQLite says when somebody else has the database."""

    sqlite_errorname = "SQLITE_BUSY"


@contextmanager
def held_database() -> Iterator[None]:
    """Have every statement fail as on a database that is held."""

    def fail(*_: object) -> None:
        raise OperationalError("database is locked") from Held("database is locked")

    with connection.execute_wrapper(fail):
        yield


@pytest.fixture(params=[False, True], ids=["", "DEBUG"])
def debugging(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.DEBUG = request.param
    return bool(request.param)


def assert_unavailable(answer: Any, code: str) -> None:
    document = answer.json()
    assert answer.status_code == 503
    assert set(document) == {"code", "detail", "attr", "errors"}
    assert document["code"] == code
    assert int(answer["Retry-After"]) > 0


def test_a_read_from_a_held_database(api: APIClient, debugging: bool) -> None:
    with held_database():
        answer = api.get("/api/batches")

    assert_unavailable(answer, "database_unavailable")


def test_a_request_to_a_held_database_leaves_nothing(api: APIClient, debugging: bool) -> None:
    with held_database():
        answer = api.post(URL, EXAMPLE, format="json")

    assert_unavailable(answer, "database_unavailable")
    assert not Batch.objects.exists()


def test_a_login_at_a_held_database(db: None, debugging: bool) -> None:
    body = {"username": "artist", "password": "artist-pw"}

    with held_database():
        answer = APIClient().post("/api/token", body, format="json")

    assert_unavailable(answer, "database_unavailable")


@pytest.mark.parametrize("path", ["/admin/", "/admin/generation/batch/", "/admin/nowhere/"])
def test_a_page_of_a_held_database(
    client: Client, supervisor: User, debugging: bool, path: str
) -> None:
    client.force_login(supervisor)

    with held_database():
        answer = client.get(path)

    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "The database cannot be used at the moment." in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_a_session_that_cannot_be_stored(
    client: Client, supervisor: User, debugging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("database is locked") from Held("database is locked")

    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.save", fail)
    client.cookies["sessionid"] = "x" * 32

    answer = client.post("/admin/login/", {"username": "supervisor", "password": "supervisor-pw"})

    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EROFS, "disk_unavailable")]
)
def test_a_full_disk(
    api: APIClient, debugging: bool, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "words")

    monkeypatch.setattr("django.db.models.query.QuerySet._fetch_all", fail)

    assert_unavailable(api.get("/api/styles"), code)


def test_storage_that_cannot_be_written(
    api: APIClient, debugging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageError

    monkeypatch.setattr(storage, "stage", fail)

    assert_unavailable(panel(api, factories.png()), "storage")


def test_a_mistake_of_madsea_stays_one(api: APIClient) -> None:
    def fail(*_: object) -> None:
        cause = sqlite3.OperationalError("no such column: nonsense")
        raise OperationalError(*cause.args) from cause

    api.raise_request_exception = False
    with connection.execute_wrapper(fail):
        answer = api.get("/api/batches")

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
