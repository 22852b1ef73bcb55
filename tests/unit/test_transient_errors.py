"""What passes is told from what is Madsea's own fault."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from generation.errors import TooSoon
from generation.storage import StorageError
from madsea.web import transient_errors


def of_sqlite(error: sqlite3.Error) -> Any:
    """Return what is made of an error, wrapped as Django wraps it."""
    wrapped = OperationalError(*error.args)
    wrapped.__cause__ = error
    return transient_errors.trouble_to_tell(wrapped)


def failed(connection: sqlite3.Connection, *statements: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.OperationalError) as raised:
        for statement in statements:
            connection.execute(statement)
    return raised.value


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "x.sqlite3")) as connection:
        connection.execute("CREATE TABLE t (a)")
    return tmp_path / "x.sqlite3"


def test_a_database_that_is_held_passes(database: Path) -> None:
    with closing(sqlite3.connect(database)) as holder, closing(sqlite3.connect(database)) as other:
        holder.execute("BEGIN EXCLUSIVE")
        other.execute("PRAGMA busy_timeout = 0")
        error = failed(other, "INSERT INTO t VALUES (1)")

    assert (of_sqlite(error).status, of_sqlite(error).code) == (503, "database_unavailable")


def test_a_database_on_a_full_disk_passes(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        error = failed(connection, "INSERT INTO t VALUES (zeroblob(100000))")

    assert of_sqlite(error).wait_s > 0


def test_a_database_that_cannot_be_written_passes(database: Path) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        error = failed(connection, "INSERT INTO t VALUES (1)")

    assert of_sqlite(error).status == 503


def test_a_database_whose_folder_is_gone_passes(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(tmp_path / "gone" / "x.sqlite3")

    assert of_sqlite(raised.value).status == 503


def test_a_database_without_tables_passes(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "new.sqlite3")) as connection:
        error = failed(connection, "SELECT * FROM t")

    assert of_sqlite(error).status == 503


def test_a_statement_that_is_wrong_does_not_pass(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        error = failed(connection, "SELECT nonsense FROM t")

    assert of_sqlite(error) is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "disk_unavailable"),
        (errno.EIO, "disk_unavailable"),
        (errno.ESTALE, "disk_unavailable"),
        (errno.EMFILE, "busy"),
    ],
)
def test_a_disk_that_cannot_be_used_passes(number: int, code: str) -> None:
    found = transient_errors.trouble_to_tell(OSError(number, "words"))

    assert found is not None
    assert (found.status, found.code) == (503, code)
    assert found.wait_s


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EINVAL])
def test_other_errors_of_a_file_do_not_pass(number: int) -> None:
    assert transient_errors.trouble_to_tell(OSError(number, "words")) is None


def test_storage_and_patience_say_when_to_come_again() -> None:
    storage, soon = (
        transient_errors.trouble_to_tell(StorageError()),
        transient_errors.trouble_to_tell(TooSoon(wait_s=7)),
    )

    assert storage and soon
    assert (storage.status, storage.wait_s) == (503, 30)
    assert (soon.status, soon.wait_s) == (429, 7)
