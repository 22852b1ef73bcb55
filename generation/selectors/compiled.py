"""Queries whose SQL is made once: of a small query that is asked again and again, making it costs
more than running it."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Compiled:
    """A query of plain values, with all that it was given: built once, run as often as needed.

    Values come as the driver of the database gives them, JSON as text.
    """

    def __init__(self, query: QuerySet[Any, Any]) -> None:
        self._sql, self._parameters = query.query.sql_with_params()

    def rows(self) -> list[tuple[Any, ...]]:
        """Run it now."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, self._parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
