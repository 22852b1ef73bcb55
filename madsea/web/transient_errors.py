"""Trouble that passes: a full disk, a held or absent database. What was asked can be asked again.

Everything else that goes wrong is Madsea's own fault, and stays a 500 with a traceback.
"""

import errno
import sqlite3
from http import HTTPStatus

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError

from generation.errors import Busy, TooSoon
from generation.storage import StorageError
from madsea.web.refusals import RefusedUnread
from wording import say

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK = _FULL | {errno.EROFS, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN}
_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
#: What SQLite calls a mistake in a statement: ours, unless the tables themselves are gone.
_MISTAKE = "SQLITE_ERROR"
#: A replica that was told to write, and a table that is gone, are no OperationalErrors.
_STATES = frozenset({"25006", "42P01"})
_AGAIN = say("Nothing of this request was kept: try again.")
_THEN = say("{again} If it lasts, tell your administrator.", again=_AGAIN)
_DATABASE = say("The database cannot be used at the moment.")


def trouble_to_tell(error: BaseException | None) -> RefusedUnread | None:
    """Return what to tell whoever asked; None where the error is no trouble that passes."""
    if isinstance(error, TooSoon):
        return RefusedUnread(HTTPStatus.TOO_MANY_REQUESTS, error.code, error.detail, error.wait_s)
    if isinstance(error, StorageError | Busy):
        return _unavailable(error.code, error.detail, 30 if isinstance(error, StorageError) else 5)
    if isinstance(error, DatabaseError | InterfaceError) and _passes(error):
        return _unavailable("database_unavailable", f"{_DATABASE} {_THEN}", 5)
    return _of_disk(error) if isinstance(error, OSError) else None


def _unavailable(code: str, detail: str, wait_s: int) -> RefusedUnread:
    return RefusedUnread(HTTPStatus.SERVICE_UNAVAILABLE, code, detail, wait_s)


def _passes(error: Exception) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        is_mistake = getattr(cause, "sqlite_errorname", _MISTAKE) == _MISTAKE
        return not is_mistake or str(cause).startswith("no such table")
    if isinstance(cause, psycopg.Error) and cause.sqlstate in _STATES:
        return True
    return isinstance(error, OperationalError | InterfaceError)


def _of_disk(error: OSError) -> RefusedUnread | None:
    if error.errno in _FULL:
        return _unavailable("disk_full", say("A disk of Madsea's is full. {then}", then=_THEN), 30)
    if error.errno in _DISK:
        return _unavailable(
            "disk_unavailable", say("A disk of Madsea's cannot be used. {then}", then=_THEN), 30
        )
    if error.errno in _SHORT:
        return _unavailable(
            "busy", say("Madsea has more to do than it can hold. {again}", again=_AGAIN), 5
        )
    return None
