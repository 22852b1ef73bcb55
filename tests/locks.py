"""A recorder of locks: which rows a transaction locks, in what order, whatever test runs.

It reads every statement of every connection, and notes where one locks a kind of row after a later
kind: Server, Batch, Attempt, PlanRun, Plan, Version. A row that is locked already is no new lock.
SQLite knows no row locks: there Django writes them for the recorder, which takes them out again.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

ORDER = ("server", "batch", "attempt", "planrun", "plan", "version")
RANKS = {f"generation_{name}": rank for rank, name in enumerate(ORDER)}

_LOCKING = re.compile(
    r" FOR (?:NO KEY )?UPDATE(?: OF (?P<of>[\w\", ]+?))?(?: SKIP LOCKED)?(?=\)|\s*$)"
)
_FROM = re.compile(r'\bFROM "(generation_\w+)"')
_WRITTEN = re.compile(r'^(?:UPDATE|DELETE FROM) "(generation_\w+)"')
_BY_ID = re.compile(
    r'"(generation_\w+)"\."id" (?:= |IN )(?P<ids>%s|\d+|\((?:%s|\d+)(?:, (?:%s|\d+))*\))'
)


@dataclass
class _Held:
    """What one transaction has locked."""

    transaction: Any = None
    rank: int = -1
    kind: str = ""
    rows: set[tuple[str, Any]] = field(default_factory=set)


class Recorder:
    """Notes every lock that comes too late, in `found`."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._held = threading.local()

    def install(self) -> None:
        """Read every connection, those that are open and those to come."""
        connection_created.connect(self._connected, dispatch_uid="locks", weak=False)
        for connection in connections.all(initialized_only=True):
            self._connected(connection=connection)

    def _connected(self, *, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection.vendor == "sqlite":
            for kind in ("update", "no_key_update", "update_of", "update_skip_locked"):
                setattr(connection.features, f"has_select_for_{kind}", True)
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        connection = context["connection"]
        plain = _LOCKING.sub("", sql) if connection.vendor == "sqlite" else sql
        result = execute(plain, params, many, context)
        transaction = _transaction(connection)
        if transaction is not None and (kinds := _locked_by(sql)):
            written = _WRITTEN.match(sql) is not None
            if not written or context["cursor"].rowcount != 0:
                self._note(transaction, kinds, sql, params)
        return result

    def _note(self, transaction: Any, kinds: list[str], sql: str, params: Any) -> None:
        held = getattr(self._held, "now", None)
        if held is None or held.transaction is not transaction:
            held = self._held.now = _Held(transaction)
        rows = _rows(sql, params)
        for kind in kinds:
            mine = {row for row in rows if row[0] == kind}
            if mine and mine <= held.rows:
                continue
            if RANKS[kind] < held.rank:
                self.found.append(f"{kind} after {held.kind}: {sql[:300]} {params}")
            if kind == "generation_batch" == held.kind and mine and max(held.rows) > max(mine):
                self.found.append(f"{kind} not by id: {sql[:300]} {params}")
            if RANKS[kind] >= held.rank:
                held.rank, held.kind = RANKS[kind], kind
            held.rows |= mine


def _transaction(connection: BaseDatabaseWrapper) -> Any:
    """Return the outermost transaction that is not the test's own; None in autocommit."""
    blocks = (block for block in connection.atomic_blocks if not block._from_testcase)
    return next(blocks, None)


def _locked_by(sql: str) -> list[str]:
    if written := _WRITTEN.match(sql):
        return [written[1]] if written[1] in RANKS else []
    locking = _LOCKING.search(sql)
    if locking is None:
        return []
    tables = re.findall(r"generation_\w+", locking["of"] or "") or _FROM.findall(sql)[:1]
    return sorted({each for each in tables if each in RANKS}, key=RANKS.__getitem__)


def _rows(sql: str, params: Any) -> set[tuple[str, Any]]:
    """Return the single rows that a statement's WHERE names by their ids."""
    head, where, rest = sql.partition(" WHERE ")
    before = len(re.findall(r"%s", head))
    values = list(params or ())
    rows: set[tuple[str, Any]] = set()
    for match in _BY_ID.finditer(rest):
        place = before + len(re.findall(r"%s", rest[: match.start()]))
        for given in re.findall(r"%s|\d+", match["ids"]):
            value = int(given) if given != "%s" else values[place] if place < len(values) else None
            place += given == "%s"
            rows.add((match[1], value))
    return rows if where else set()
