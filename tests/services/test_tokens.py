"""A token ends with the password that it was given for."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from rest_framework.authtoken.models import Token

from generation.services import api_tokens, demo_user
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
NEW = "another-Pw-42"


def is_good(key: str) -> bool:
    return Token.objects.filter(key=key).exists()


@pytest.fixture
def key(artist: User) -> str:
    """The artist's token."""
    return Token.objects.create(user=artist).key


@pytest.fixture
def admin(supervisor: User) -> Client:
    client = Client()
    client.force_login(supervisor)
    return client


def test_the_token_of_an_old_password_lets_nobody_in(artist: User) -> None:
    api = client_of(artist)
    artist.set_password(NEW)
    artist.save()

    assert api.get("/api/batches").status_code == 401


def test_it_ends_when_the_admin_changes_the_password(admin: Client, artist: User, key: str) -> None:
    given = {"password1": NEW, "password2": NEW, "usable_password": "true"}

    admin.post(f"/admin/auth/user/{artist.pk}/password/", given)

    artist.refresh_from_db()
    assert artist.check_password(NEW)
    assert not is_good(key)


def test_it_ends_when_the_admin_takes_the_password_away(
    admin: Client, artist: User, key: str
) -> None:
    given = {"usable_password": "false", "unset-password": "Disable"}

    admin.post(f"/admin/auth/user/{artist.pk}/password/", given)

    artist.refresh_from_db()
    assert not artist.has_usable_password()
    assert not is_good(key)


def test_it_ends_when_a_supervisor_changes_her_own_password(
    admin: Client, supervisor: User
) -> None:
    own = Token.objects.create(user=supervisor).key
    given = {"old_password": "supervisor-pw", "new_password1": NEW, "new_password2": NEW}

    admin.post("/admin/password_change/", given)

    assert not is_good(own)


def test_it_ends_with_the_command(artist: User, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: NEW)

    call_command("changepassword", "artist", stdout=io.StringIO())

    assert not is_good(key)


def test_it_ends_with_a_fixture(artist: User, key: str, tmp_path: Path) -> None:
    fixture = tmp_path / "people.json"
    call_command("dumpdata", "auth.user", output=str(fixture), verbosity=0)
    rows = json.loads(fixture.read_text())
    rows[0]["fields"]["password"] = "md5$other$0"
    fixture.write_text(json.dumps(rows))

    call_command("loaddata", str(fixture), verbosity=0)

    assert not is_good(key)


def test_it_ends_with_a_new_demo_password(settings: Any) -> None:
    old = demo_user.ensure()
    (Path(settings.MADSEA_HOME) / "demo_password").write_text("drawn-anew")

    new = demo_user.ensure()

    assert not is_good(old.token)
    assert is_good(new.token)


def test_it_stays_when_something_else_changes(admin: Client, artist: User, key: str) -> None:
    artist.email = "artist@madsea.studio"
    artist.save()
    Client().login(username="artist", password="artist-pw")

    assert is_good(key)


def test_it_stays_when_the_same_password_gets_a_newer_hash(
    artist: User, key: str, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]

    assert authenticate(None, username="artist", password="artist-pw")

    artist.refresh_from_db()
    assert artist.password.startswith("scrypt")
    assert is_good(key)


def test_nobody_elses_ends(artist: User, supervisor: User, key: str) -> None:
    supervisor.set_password(NEW)
    supervisor.save()

    assert is_good(key)


def test_none_is_given_for_a_password_that_was_changed_meanwhile(artist: User) -> None:
    signed_in = authenticate(None, username="artist", password="artist-pw")
    assert signed_in
    artist.set_password(NEW)
    artist.save()

    assert api_tokens.token_of(signed_in) is None
    assert not Token.objects.exists()


def test_one_is_given_once(artist: User) -> None:
    assert api_tokens.token_of(artist) == api_tokens.token_of(artist)
