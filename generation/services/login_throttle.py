"""Guessing passwords is slow: tries of one user name from one place wait longer and longer.

So are passwords and tokens of review links, under names that no user can have.

They are counted in the database, so over all processes, and before the password is looked at. By
name and place together: whoever guesses the supervisor's password from elsewhere keeps no
supervisor out, and a mistyped password slows down nobody else at the same place. The longest wait
is a minute, so nobody is ever locked out.
"""

import hashlib
import unicodedata
from datetime import datetime, timedelta

from django.utils import timezone

from generation.errors import TooSoon
from generation.models import LoginTries
from wording import say

#: So many are free; each further one doubles the wait for the next.
N_FREE = 5
SLOWEST_S = 60
FORGOTTEN_AFTER = timedelta(minutes=15)


def count(name: str, place: str) -> None:
    """Count a try of a user name from a place.

    Raises:
        TooSoon: the one before it was too short a while ago; this one is not counted.
    """
    now = timezone.now()
    row, is_new = LoginTries.objects.get_or_create(
        key=_key(name, place), defaults={"n_tries": 1, "next_at": now}
    )
    if not is_new and not _take_try(row, now):
        wait_s = max(1, min(SLOWEST_S, round((row.next_at - now).total_seconds() + 0.5)))
        detail = say("Too many tries to sign in with this name: wait {wait_s} s.", wait_s=wait_s)
        raise TooSoon(detail, wait_s=wait_s)


def _take_try(row: LoginTries, now: datetime) -> bool:
    """Count one more, unless it is too soon or another process was a moment faster."""
    n_tries = 1 if row.next_at < now - FORGOTTEN_AFTER else row.n_tries + 1
    here = LoginTries.objects.filter(pk=row.pk, n_tries=row.n_tries, next_at__lte=now)
    return bool(here.update(n_tries=n_tries, next_at=now + _wait(n_tries)))


def _wait(n_tries: int) -> timedelta:
    """Return how long after so many tries the next one may come."""
    if n_tries < N_FREE:
        return timedelta()
    return timedelta(seconds=min(SLOWEST_S, 2 ** min(n_tries - N_FREE, 10)))


def forgive(name: str, place: str) -> None:
    """Forget the tries of who has signed in."""
    LoginTries.objects.filter(key=_key(name, place)).delete()


def forget_old() -> int:
    """Delete what no longer slows anybody down; return how many."""
    oldest = timezone.now() - FORGOTTEN_AFTER
    # Together, and seldom: a tick that has nothing to delete does not write.
    if not LoginTries.objects.filter(next_at__lt=oldest - FORGOTTEN_AFTER).exists():
        return 0
    return LoginTries.objects.filter(next_at__lt=oldest).delete()[0]


def _key(name: str, place: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    return hashlib.sha256(f"{place}\n{plain}".encode()).hexdigest()
