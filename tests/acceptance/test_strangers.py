"""A real web process: what strangers cost it, and what it says when it cannot answer."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from lab.hostile import crowds, raw_requests, strange_requests
from tests.processes import DATABASE_URL, PROJECT_ID, Sites, request

pytestmark = pytest.mark.slow
CREDENTIALS = {"username": "nobody", "password": "guess"}
on_sqlite = pytest.mark.skipif(bool(DATABASE_URL), reason="about SQLite's file")


def port_of(base: str) -> int:
    return urlsplit(base).port or 80


def assert_unavailable(answer: requests.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_gibibyte_of_a_stranger_is_answered_before_it_has_come(sites: Sites) -> None:
    port = port_of(sites.new(DEBUG="0").web())

    replies = [
        raw_requests.send(
            port, strange_requests.endless("/api/panels", strange_requests.PARTS, 2**30)
        ),
        raw_requests.send(
            port, raw_requests.chunked("/api/panels", b"x" * 2**16, 2**14, strange_requests.PARTS)
        ),
    ]

    assert [reply.status for reply in replies] == [401, 401]
    assert max(reply.n_sent for reply in replies) < 2**26


@pytest.mark.parametrize(("trusted", "n_clients"), [("", 1), ("127.0.0.1", 3)])
def test_forwarded_addresses_are_believed_from_named_proxies_only(
    sites: Sites, trusted: str, n_clients: int
) -> None:
    site = sites.new(DEBUG="0", MADSEA_TRUSTED_PROXIES=trusted)
    base = site.web()

    for n in range(3):
        headers = {"X-Forwarded-For": f"6.6.6.6, 10.0.0.{n}"}
        requests.post(f"{base}/api/token", json=CREDENTIALS, headers=headers, timeout=60)

    assert site.value("SELECT count(*) FROM generation_logintries") == n_clients


def test_many_passwords_at_once_hold_one_thread(sites: Sites) -> None:
    port = port_of(sites.new(DEBUG="0", MADSEA_WEB_THREADS="2").web())

    found = crowds.crowd(port, 12)

    assert {reply.status for reply in found.replies} <= {401, 429}
    assert 401 in {reply.status for reply in found.replies}


@on_sqlite
def test_a_held_database_is_503(sites: Sites) -> None:
    site = sites.new(DEBUG="0")
    database = site.home / "madsea.sqlite3"
    site.settings["DATABASE_URL"] = f"sqlite:///{database}?timeout=1"
    base = site.web()
    headers = {"Authorization": f"Token {sites.access['token']}"}
    asked: dict[str, Any] = {"json": request(["0010"]), "headers": headers, "timeout": 60}

    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        held = requests.post(f"{base}/api/generate_ai_concept", **asked)
        login = requests.post(f"{base}/api/token", json=CREDENTIALS, timeout=60)
        read = requests.get(f"{base}/api/batches", headers=headers, timeout=60)
    after = requests.post(f"{base}/api/generate_ai_concept", **asked)

    assert_unavailable(held)
    assert_unavailable(login)
    assert read.json()["count"] == 0
    assert after.status_code == 201


@pytest.mark.parametrize("debugging", ["0", "1"])
def test_a_database_that_is_not_there_is_503(sites: Sites, debugging: str) -> None:
    away = "postgres://nobody@127.0.0.1:1/nothing"
    base = sites.new(DEBUG=debugging, DATABASE_URL=away).web()

    api = requests.get(
        f"{base}/api/projects/{PROJECT_ID}", headers={"Authorization": "Token 0"}, timeout=60
    )
    page = requests.get(f"{base}/admin/", cookies={"sessionid": "x" * 32}, timeout=60)

    assert_unavailable(api)
    assert page.status_code == 503
    assert "cannot be used at the moment" in page.text


@on_sqlite
def test_a_new_home_is_private(sites: Sites, tmp_path: Path) -> None:
    site = sites.new(MADSEA_HOME=str(tmp_path / "new"))
    before = os.umask(0o022)
    try:
        site.manage("migrate", "--verbosity", "0")
        said = site.manage("demo_user", "--json")
        site.web()
    finally:
        os.umask(before)

    modes = {each.name: each.stat().st_mode & 0o777 for each in (tmp_path / "new").iterdir()}
    assert json.loads(said)["token"]
    private = {name: mode for name, mode in modes.items() if name not in {"static", "projects"}}
    files = {name: mode for name, mode in private.items() if "." in name or "_" in name}
    assert set(files.values()) == {0o600}
    assert {mode for name, mode in private.items() if name not in files} == {0o700}


def test_no_signature_is_in_the_log(sites: Sites) -> None:
    site = sites.new(DEBUG="0")
    base = site.web()

    requests.get(f"{base}/files/7.320:1vNk5G:abcdefgh/a.png", timeout=60)

    log = Path(site.started[-1].log).read_text()
    assert "/files/(signed)/a.png" in log
    assert "abcdefgh" not in log
