"""The migrated database of a run: the first process makes it, the others copy it."""

from contextlib import closing
from pathlib import Path
from shutil import copyfile
from typing import Any

from django.db import connection
from django.db.backends.sqlite3.base import Database
from django.test.utils import setup_databases

from tests.shared import one_at_a_time


def set_up(folder: Path) -> Any:
    """Make this process' database; return what `teardown_databases` wants to know.

    PostgreSQL's is migrated in every process: it copies no database that somebody is connected to.
    """
    if connection.vendor != "sqlite":
        return _migrate()
    template = folder / "migrated.sqlite3"
    with one_at_a_time(folder / "migrated.lock"):
        if not template.exists():
            made = _migrate()
            _copy_to(template)
            return made
    copyfile(template, connection.settings_dict["TEST"]["NAME"])
    return _migrate(keepdb=True)


def _migrate(*, keepdb: bool = False) -> Any:
    return setup_databases(verbosity=0, interactive=False, keepdb=keepdb, aliases=["default"])


def _copy_to(template: Path) -> None:
    with closing(Database.connect(template)) as copy:
        connection.connection.backup(copy)
