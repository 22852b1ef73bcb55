"""Writes that are done for every plan: put into SQL once for each set of columns.

Django takes several times as long to put the UPDATE of one row into SQL as PostgreSQL to do it, and
a driver does a dozen of them for each plan.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.functions import Now
from django.db.models.sql import InsertQuery, UpdateQuery

from generation.selectors.prepared_queries import Prepared, Value, prepared_cursor

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class _Update:
    sql: str
    columns: Mapping[str, "Field[Any, Any]"]  #: those that are set to a value, by their names
    params: tuple[Any, ...]  #: of the rows that are written


class Rows(Prepared[M]):
    """The rows that `build` finds by its values, to be written."""

    def __init__(self, build: Callable[..., QuerySet[M, M]]) -> None:
        super().__init__(build)
        self._updates: dict[tuple[tuple[str, bool, bool], ...], _Update] = {}

    def update(self, *values: Value, **fields: Any) -> int:
        """Set fields to values, None or the database's `Now()`; return of how many rows."""
        shape = tuple((name, new is None, type(new) is Now) for name, new in fields.items())
        if (update := self._updates.get(shape)) is None:
            update = self._updates[shape] = self._put_together(fields)
        here = connections[DEFAULT_DB_ALIAS]
        params = [
            column.get_db_prep_save(fields[name], here) for name, column in update.columns.items()
        ]
        with prepared_cursor() as cursor:
            cursor.execute(update.sql, [*params, *self._filled(update.params, values)])
            return int(cursor.rowcount)

    def _put_together(self, fields: Mapping[str, Any]) -> _Update:
        rows = self._made()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        sql, params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        plain = [name for name, new in fields.items() if new is not None and type(new) is not Now]
        columns = {name: _column(rows.model, name) for name in plain}
        return _Update(sql, columns, tuple(params[len(columns) :]))


def _column(model: type[Model], name: str) -> "Field[Any, Any]":
    column = model._meta.get_field(name)  # noqa: SLF001 - how Django names what a model is
    if not isinstance(column, Field):
        raise TypeError(f"{model.__name__}.{name} is no column.")
    return column


def insert(row: Model) -> None:
    """Insert a new row and give it its id; no signal is sent."""
    columns = _columns(type(row))
    here = connections[DEFAULT_DB_ALIAS]
    values = [column.pre_save(row, add=True) for column in columns]
    params = [
        column.get_db_prep_save(value, here) for column, value in zip(columns, values, strict=True)
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_insert_sql(type(row)), params)
        (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - as `save` does


@cache
def _columns(model: type[Model]) -> "list[Field[Any, Any]]":
    return [each for each in model._meta.concrete_fields if not each.primary_key]  # noqa: SLF001


@cache
def _insert_sql(model: type[Model]) -> str:
    query = InsertQuery(model)
    query.insert_values(_columns(model), [model()])
    compiler = query.get_compiler(DEFAULT_DB_ALIAS)
    compiler.returning_fields = [model._meta.pk]  # noqa: SLF001
    ((sql, _),) = compiler.as_sql()
    return str(sql)
