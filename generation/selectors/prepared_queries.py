"""Queries that are asked many times a second: put together once, run with other values each time.

Django takes ten times as long to put the heading of a batch into SQL as PostgreSQL to answer it.
What such a query makes of its values may depend on nothing else: no setting, no clock.
"""

from collections.abc import Callable
from functools import cached_property
from inspect import signature
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import RawQuerySet
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
_TEXT = "\N{REPLACEMENT CHARACTER}place"
_NUMBERS = (7_000_000_000_000_000_001, 7_000_000_000_000_000_002)


class _Compiled(Generic[M]):
    def __init__(self, build: Callable[..., QuerySet[M, Any]], *places: str | int) -> None:
        self._build, self._places = build, places

    @cached_property
    def _statement(self) -> tuple[type[M], SQLCompiler, str, tuple[Any, ...]]:
        rows = self._build(*self._places)
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        return rows.model, compiler, sql, tuple(params)

    def _given(self, *values: str | int) -> tuple[Any, ...]:
        chosen = dict(zip(self._places, values, strict=True))
        return tuple(chosen.get(each, each) for each in self._statement[3])


class Found(_Compiled[M]):
    """The row that `build` finds by a text or, `by=int`, by a number."""

    def __init__(self, build: Callable[[Any], QuerySet[M, M]], *, by: type = str) -> None:
        super().__init__(build, _TEXT if by is str else _NUMBERS[0])

    def first(self, value: str | int) -> M | None:
        """Return the first row, with its annotations; None when there is none."""
        model, _, sql, _ = self._statement
        return next(iter(RawQuerySet(sql, model, params=self._given(value))), None)


class Listed(_Compiled[M]):
    """The tuples that `build` (a `values_list`) lists by what it takes.

    That is up to two numbers and, said so by its annotation, a text.
    """

    def __init__(self, build: Callable[..., QuerySet[M, Any]]) -> None:
        numbers = iter(_NUMBERS)
        taken = signature(build).parameters.values()
        super().__init__(build, *(_TEXT if p.annotation is str else next(numbers) for p in taken))

    def rows(self, *values: str | int) -> list[tuple[Any, ...]]:
        """Return all rows."""
        _, compiler, sql, _ = self._statement
        with connection.cursor() as cursor:
            cursor.execute(sql, self._given(*values))
            found = cursor.fetchall()
        return [tuple(row) for row in compiler.results_iter([found])]
