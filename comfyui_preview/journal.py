"""The preview server's journal: what it accepted and executed, kept across restarts."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Journal:
    """Append-only file of one JSON object per line: `at` (seconds since 1970), `event`, and more.

    Events: `server_started`, `accepted`, `refused`, `started`, `executed` (an output node wrote
    its files), `finished` (with `outcome` success, error or interrupted), `deleted`, `lost`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()

    def write(self, event: str, **facts: object) -> None:
        """Append one entry; a line is written whole or not at all."""
        line = json.dumps({"at": time.time(), "event": event, **facts}, ensure_ascii=False) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line)


def entries(path: Path, event: str | None = None) -> Iterator[Entry]:
    """The entries of a journal, oldest first, of one event or of all; a torn last line is left out.

    An absent journal has no entries.
    """
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        entry = json.loads(line) if line.endswith("\n") else None
        if entry is not None and event in (None, entry["event"]):
            yield entry


def renders(path: Path) -> Counter[str]:
    """How often an output node was executed for each `filename_prefix`: 1 each means none twice."""
    return Counter(entry["filename_prefix"] for entry in entries(path, "executed"))
