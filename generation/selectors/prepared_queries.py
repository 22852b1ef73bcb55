"""Queries that are asked many times a second: put together once, run with other values each time.

Django takes ten times as long to put the heading of a batch into SQL as PostgreSQL to answer it.
What such a query makes of its values may depend on nothing else: no setting, no clock. PostgreSQL,
too, reads and plans it once for each connection.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from importlib import import_module
from inspect import signature
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet, UUIDField
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
Value = str | int | UUID
_TEXT = "\N{REPLACEMENT CHARACTER}place"
_TOKEN = UUID(int=7)
_FIRST_NUMBER = 7_000_000_000_000_000_001
_UUIDS: "UUIDField[UUID, UUID]" = UUIDField()


def prepared_cursor() -> CursorWrapper:
    """Return a cursor whose statements the server keeps (`prepare_threshold`), with their plans.

    Django's own writes the values into the text of a statement, which is then another each time.
    """
    here: Any = connections[DEFAULT_DB_ALIAS]
    cursor: CursorWrapper
    if here.vendor != "postgresql":
        cursor = here.cursor()
        return cursor
    psycopg = import_module("psycopg")  # There with PostgreSQL, and loaded by nobody else.
    # As `BaseDatabaseWrapper.cursor` does it, which would make Django's cursor first.
    here.close_if_health_check_failed()
    here.ensure_connection()
    with here.wrap_database_errors:
        cursor = here._prepare_cursor(psycopg.Cursor(here.connection))  # noqa: SLF001
    return cursor


class Prepared(Generic[M]):
    """What `build` makes of its values: numbers, at most one text and one UUID.

    Which of them a value is, is said by its annotation, else by `otherwise`.
    """

    def __init__(self, build: Callable[..., QuerySet[M, Any]], *, otherwise: type = int) -> None:
        numbers = count(_FIRST_NUMBER)
        taken = (place.annotation for place in signature(build).parameters.values())
        kinds = (otherwise if kind not in (str, int, UUID) else kind for kind in taken)
        others: dict[type, Value] = {str: _TEXT, UUID: _TOKEN}
        self._build = build
        self._places = tuple(others[kind] if kind in others else next(numbers) for kind in kinds)

    def _made(self) -> QuerySet[M, Any]:
        return self._build(*self._places)

    def _filled(self, params: Iterable[Any], values: Iterable[Value]) -> list[Any]:
        """Return the parameters of a statement with the values in their places."""
        places = map(_adapted, self._places)
        chosen = dict(zip(places, map(_adapted, values), strict=True))
        return [chosen.get(param, param) for param in params]


def _adapted(value: Value) -> Any:
    """Return a value as the database takes it: SQLite knows no UUIDs."""
    return _UUIDS.get_db_prep_value(value, connection) if isinstance(value, UUID) else value


class _Selected(Prepared[M]):
    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...], "_Rows"]:
        compiler = self._made().query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        return sql, tuple(params), _Rows(compiler)


class PreparedRows(_Selected[M]):
    """The rows that `build` finds by its values: texts or, `by=int`, numbers, if not annotated."""

    def __init__(self, build: Callable[..., QuerySet[M, M]], *, by: type = str) -> None:
        super().__init__(build, otherwise=by)

    def first(self, *values: Value) -> M | None:
        """Return the first row, with its annotations and what it was selected with; or None."""
        return next(iter(self.all(*values)), None)

    def all(self, *values: Value) -> list[M]:
        """Return all rows."""
        sql, params, rows = self._statement
        with prepared_cursor() as cursor:
            cursor.execute(sql, self._filled(params, values))
            return [rows.instance(row) for row in cursor.fetchall()]


class PreparedTuples(_Selected[M]):
    """The tuples that `build` (a `values_list`) lists by its values: numbers, if not annotated."""

    def rows(self, *values: Value) -> list[tuple[Any, ...]]:
        """Return all rows."""
        sql, params, rows = self._statement
        with prepared_cursor() as cursor:
            cursor.execute(sql, self._filled(params, values))
            return rows.tuples(cursor.fetchall())


class _Rows:
    """Makes of the rows of one query what Django makes of them, having looked at it once."""

    def __init__(self, compiler: SQLCompiler) -> None:
        self._compiler = compiler
        selected = compiler.select[: compiler.col_count]
        self._converters = compiler.get_converters([column for column, *_ in selected])

    def tuples(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the rows with their values converted."""
        if not self._converters:
            return rows
        return list(map(tuple, self._compiler.apply_converters(rows, self._converters)))

    def instance(self, row: tuple[Any, ...]) -> Any:
        """Return the model's instance of a row, as `ModelIterable` does it."""
        (values,) = self.tuples([row])
        model, columns, names, related = self._shape
        made = model.from_db(DEFAULT_DB_ALIAS, names, values[columns])
        for relation in related:
            relation.populate(values, made)
        for name, column in self._compiler.annotation_col_map.items():
            setattr(made, name, values[column])
        return made

    @cached_property
    def _shape(self) -> tuple[type[Model], slice, list[str], list[Any]]:
        compiler = self._compiler
        info, selected = compiler.klass_info, compiler.select
        columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        names = [column.target.attname for column, *_ in selected[columns]]
        # The stubs are those of a later Django, where it takes one value more.
        related = get_related_populators(info, selected, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        return info["model"], columns, names, related
