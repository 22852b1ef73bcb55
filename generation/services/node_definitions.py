"""What servers have installed, by their definitions: megabytes each, kept and parsed once.

Definitions are known by a hash of what is installed. Read again unchanged, they are neither written
nor parsed anew, and servers with the same share them.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from generation.models import Server, ServerDefinitions
from generation.workflows.definitions import shipped_definitions, without_uploads
from generation.workflows.named_files import EMBEDDINGS, INPUT, in_folders, uploads

#: So much of definitions, as text, is kept parsed; that is several times as much memory.
KEPT_BYTES = 8 * 2**20


def sha256_of(definitions: Mapping[str, Any]) -> str:
    """Return by what definitions are known: what is installed, whatever was uploaded since."""
    installed = json.dumps(without_uploads(definitions), sort_keys=True)
    return hashlib.sha256(installed.encode()).hexdigest()


def keep(
    server: Server,
    definitions: Mapping[str, Any],
    sha256: str,
    embeddings: Sequence[str] | None = None,
) -> None:
    """Keep a server's definitions, and what lies in its folders.

    Of definitions that are known already, only when they were read. `embeddings`: None when the
    server does not tell them.
    """
    told = {INPUT: uploads(definitions), EMBEDDINGS: embeddings}
    folders = {folder: list(names) for folder, names in told.items() if names is not None}
    known = ServerDefinitions.objects.filter(server=server, sha256=sha256)
    if not known.update(read_at=timezone.now(), folders=folders):
        size = sum(map(len, json.JSONEncoder().iterencode(definitions)))
        kept = {"definitions": definitions, "sha256": sha256, "n_bytes": size, "folders": folders}
        ServerDefinitions.objects.update_or_create(server=server, defaults=kept)


def folders_of(pk: int) -> Mapping[str, Any]:
    """Return what lies in a server's folders, by the id of its definitions: see `in_folders`."""
    folders = ServerDefinitions.objects.filter(pk=pk).values_list("folders", flat=True).first()
    return in_folders(folders or {})


def known() -> Sequence[Mapping[str, Any]]:
    """Return each server's node definitions, the latest first; those shipped, without any."""
    live = ServerDefinitions.objects.of_enabled().order_by("-read_at")
    shipped = shipped_definitions()
    return [{**shipped, **own} for own in each_of(live)] or [shipped]


def each_of(rows: QuerySet[ServerDefinitions]) -> Iterator[Mapping[str, Any]]:
    """Yield the definitions of these rows, in their order, those of one hash once."""
    seen: set[str] = set()
    for pk, sha256, n_bytes in rows.values_list("pk", "sha256", "n_bytes"):
        if not sha256 or sha256 not in seen:
            seen.add(sha256)
            yield parsed.of(pk, sha256, n_bytes)


class DefinitionsCache:
    """The definitions that were asked for last; without a hash they are read each time."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Mapping[str, Any]]] = {}
        # The web process asks from several threads.
        self._lock = threading.Lock()

    def of(self, pk: int, sha256: str, n_bytes: int) -> Mapping[str, Any]:
        """Return the definitions of a row that is known by this hash."""
        with self._lock:
            if sha256 in self._kept:
                return self._kept[sha256][1]
            definitions: Mapping[str, Any] = ServerDefinitions.objects.get(pk=pk).definitions
            if sha256 and n_bytes <= KEPT_BYTES:
                self._make_room(n_bytes)
                self._kept[sha256] = (n_bytes, definitions)
            return definitions

    def _make_room(self, n_bytes: int) -> None:
        while self._kept and n_bytes + sum(size for size, _ in self._kept.values()) > KEPT_BYTES:
            del self._kept[next(iter(self._kept))]


parsed = DefinitionsCache()
