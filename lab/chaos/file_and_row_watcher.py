"""The watcher: looks at files and rows all along, as readers do, and remembers what it saw."""

import hashlib
import io
import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
from PIL import Image

from tests.processes import Site

EVERY_S = 0.5
#: Which rows clients see.
TABLES = {
    "batch": "true",
    "planrun": "true",
    "attempt": "true",
    "version": "state = 'published'",
    "logentry": "true",
}


class Watcher(threading.Thread):
    """`seen` are the ids by table, `files` the hash that each file had when it was first seen."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="watcher", daemon=True)
        self._site = site
        self.over = threading.Event()
        self.seen: dict[str, set[int]] = {table: set() for table in TABLES}
        self.files: dict[str, str] = {}
        self.partial: list[str] = []
        self.n_looks = 0

    def run(self) -> None:
        """Look again and again, until it is over."""
        while not self.over.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        """Look once: first at the files, then at the rows."""
        self.n_looks += 1
        root = self._site.projects.resolve()
        for file in root.rglob("*_v*.*"):
            self._look_at(file, str(file.relative_to(root)))
        try:
            for table, shown in TABLES.items():
                rows = self._site.rows(f"SELECT id FROM generation_{table} WHERE {shown}")
                self.seen[table].update(row[0] for row in rows)
        except (sqlite3.Error, psycopg.Error):
            return  # The adversary has the database: the next look will see it.

    def _look_at(self, file: Path, name: str) -> None:
        if name in self.files:
            return
        content = file.read_bytes()
        self.files[name] = hashlib.sha256(content).hexdigest()
        try:
            Image.open(io.BytesIO(content)).load()
        except (OSError, SyntaxError) as error:
            self.partial.append(f"{name} was readable before it was whole: {error}")

    def as_json(self) -> dict[str, Any]:
        """Return what an audit has to know."""
        seen = {table: sorted(ids) for table, ids in self.seen.items()}
        looks = {"n_looks": self.n_looks, "partial": self.partial}
        return {"seen": seen, "files": self.files, **looks}
