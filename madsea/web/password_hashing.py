"""Checking a password takes a good part of a second of a core: one at a time in a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from generation.errors import TooSoon
from wording import say

WAIT_S = 2.0
_TURN = Lock()


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURN.acquire(timeout=WAIT_S):
        raise TooSoon(say("Too many passwords are checked at this moment: try again."), wait_s=2)
    try:
        yield
    finally:
        _TURN.release()


class OneAtATimeHasher(PBKDF2PasswordHasher):
    """Django's own, with the same hashes, at every door that makes or checks one."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash of a password.

        Raises:
            TooSoon: others have been at it for too long.
        """
        with _turn():
            return super().encode(password, salt, iterations)
