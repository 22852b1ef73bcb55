"""Passwords cannot be guessed by trying, and nobody is locked out."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from generation.errors import TooSoon
from generation.models import LoginTries
from generation.services import login_throttle
from madsea.web import password_hashing
from madsea.web.password_hashing import OneAtATimeHasher

pytestmark = pytest.mark.django_db

HERE, THERE = "10.0.0.1", "10.0.0.2"


def sign_in(name: str, password: str, place: str = HERE, **headers: str) -> Any:
    """Ask for a token."""
    body = {"username": name, "password": password}
    return APIClient(REMOTE_ADDR=place).post("/api/token", body, format="json", headers=headers)


def at_the_admin(name: str, password: str, place: str = HERE) -> Any:
    """Fill in the admin's form."""
    given = {"username": name, "password": password, "next": "/admin/"}
    return Client(REMOTE_ADDR=place).post("/admin/login/", given)


def guess(n_times: int, name: str = "supervisor", place: str = HERE) -> None:
    for _ in range(n_times):
        assert sign_in(name, "guess", place).status_code == 401


def guess_until_it_waits(place: str = HERE) -> None:
    """Use up what is free; the wait is long enough for a slow machine."""
    guess(5, place=place)
    let_pass(-30)


def let_pass(seconds: float) -> None:
    """Have time go by."""
    LoginTries.objects.update(next_at=F("next_at") - timedelta(seconds=seconds))


def test_after_five_tries_the_next_one_waits(supervisor: User) -> None:
    guess_until_it_waits()

    answer = sign_in("supervisor", "guess")

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 1 <= int(answer["Retry-After"]) <= 32


def test_the_right_password_waits_too(supervisor: User) -> None:
    guess_until_it_waits()

    assert sign_in("supervisor", "supervisor-pw").status_code == 429


def test_a_try_that_was_too_early_makes_nobody_wait_longer(supervisor: User) -> None:
    guess_until_it_waits()
    for _ in range(10):
        sign_in("supervisor", "guess")
    let_pass(32)

    assert sign_in("supervisor", "supervisor-pw").status_code == 200


def test_each_try_doubles_the_wait_up_to_a_minute(supervisor: User) -> None:
    waits = [login_throttle._wait(n).total_seconds() for n in range(4, 14)]

    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_who_has_signed_in_has_all_tries_again(supervisor: User) -> None:
    guess(4)
    sign_in("supervisor", "supervisor-pw")

    guess(5)

    assert LoginTries.objects.get().n_tries == 5


def test_a_supervisor_elsewhere_is_not_kept_out(supervisor: User) -> None:
    guess_until_it_waits(THERE)

    assert sign_in("supervisor", "guess", THERE).status_code == 429
    assert sign_in("supervisor", "supervisor-pw", HERE).status_code == 200


def test_a_colleague_at_the_same_place_is_not_kept_out(supervisor: User, artist: User) -> None:
    guess_until_it_waits()

    assert sign_in("artist", "artist-pw").status_code == 200


def test_both_doors_count_together(supervisor: User) -> None:
    guess(3)
    for _ in range(2):
        assert at_the_admin("supervisor", "guess").status_code == 200
    let_pass(-30)

    answer = at_the_admin("supervisor", "supervisor-pw")

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
    assert "wait" in answer.content.decode()
    assert sign_in("supervisor", "guess").status_code == 429


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP"])
def test_an_address_that_is_only_said_changes_nothing(supervisor: User, header: str) -> None:
    answers = [sign_in("supervisor", "guess", **{header: f"1.2.3.{n}"}) for n in range(5)]
    let_pass(-30)
    answers.append(sign_in("supervisor", "guess", **{header: "1.2.3.9"}))

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


@pytest.mark.parametrize("name", ["Supervisor", "SUPERVISOR", "ｓupervisor"])
def test_a_name_in_another_spelling_is_the_same(supervisor: User, name: str) -> None:
    guess_until_it_waits()

    assert sign_in(name, "guess").status_code == 429


def test_of_two_processes_at_once_one_try_is_counted(supervisor: User) -> None:
    guess_until_it_waits()
    let_pass(32)
    row = LoginTries.objects.get()

    assert [login_throttle._take_try(row, timezone.now()) for _ in range(2)] == [True, False]


def test_names_are_not_kept(supervisor: User) -> None:
    guess(1)

    assert "supervisor" not in str(LoginTries.objects.values().get())


def test_old_tries_are_forgotten(supervisor: User) -> None:
    guess_until_it_waits()
    let_pass(3600)

    assert (
        login_throttle.forget_old(),
        login_throttle.forget_old(),
        LoginTries.objects.count(),
    ) == (1, 0, 0)


def test_a_quarter_of_an_hour_later_all_tries_are_there_again(supervisor: User) -> None:
    guess_until_it_waits()
    let_pass(932)

    guess(1)

    assert LoginTries.objects.get().n_tries == 1


def test_a_command_is_not_slowed_down(supervisor: User) -> None:
    for _ in range(7):
        assert authenticate(None, username="supervisor", password="guess") is None


def test_without_an_address_tries_are_counted_together(supervisor: User) -> None:
    request = RequestFactory().post("/api/token")
    request.META["REMOTE_ADDR"] = ""
    for _ in range(5):
        authenticate(request, username="supervisor", password="guess")
    let_pass(-30)

    with pytest.raises(TooSoon):
        authenticate(request, username="supervisor", password="guess")


@pytest.fixture
def hashing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another thread is at it, and takes long."""
    monkeypatch.setattr(password_hashing, "WAIT_S", 0.05)
    with password_hashing._turn():
        yield


def test_one_password_is_hashed_at_a_time(hashing_elsewhere: None) -> None:
    raised: list[BaseException] = []

    def encode() -> None:
        try:
            OneAtATimeHasher().encode("password", "salt", 1)
        except TooSoon as error:
            raised.append(error)

    thread = threading.Thread(target=encode)
    thread.start()
    thread.join()

    assert len(raised) == 1


def test_then_the_next_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = OneAtATimeHasher()

    assert hasher.verify("password", hasher.encode("password", "salt", 1))


def test_who_waits_for_a_hash_is_told_to_come_again(
    supervisor: User, hashing_elsewhere: None, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["madsea.web.password_hashing.OneAtATimeHasher"]

    answer = sign_in("nobody", "guess")

    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert int(answer["Retry-After"]) == 2
