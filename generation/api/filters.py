"""Filters of lists: each query parameter has one meaning, and an unknown one is refused."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from generation.errors import InvalidRequest, Problem
from wording import say, words_of

PAGING = ("page", "page_size")
#: A whole number that any column can hold; int() itself refuses 5,000 digits, a database 20.
ID = "[0-9]{1,18}"
_DAY = timedelta(days=1)


class UnusableValue(ValueError):
    """What was expected of a filter's value."""


@dataclass(frozen=True)
class Filter:
    """What a value of a query parameter asks for, and which values it takes, as JSON Schema."""

    match: Callable[[str], Q]
    schema: Mapping[str, Any]

    def __call__(self, value: str) -> Q:
        """Return what it asks for.

        Raises:
            UnusableValue: it is none of those that are taken.
        """
        return self.match(value)


_DATE = {"type": "string", "format": "date"}


def text(path: str) -> Filter:
    """Match a column exactly."""
    return Filter(lambda value: Q(**{path: value}), {"type": "string"})


def words(match: Callable[[str], Q]) -> Filter:
    """Match words that somebody looks for."""
    return Filter(match, {"type": "string"})


def number(path: str, lookup: str = "") -> Filter:
    """Match a whole number."""

    def match(value: str) -> Q:
        return Q(**{f"{path}{lookup}": whole_number(value)})

    return Filter(match, {"type": "integer", "minimum": 0, "maximum": 10**18 - 1})


def choice(conditions: Mapping[str, Q]) -> Filter:
    """Match one of the named conditions."""

    return looked_up(list(conditions), conditions.__getitem__)


def looked_up(names: Sequence[str], condition: Callable[[str], Q]) -> Filter:
    """Match what a name stands for just now."""

    def match(value: str) -> Q:
        if value not in names:
            raise UnusableValue(say("Expected one of {conditions}.", conditions=", ".join(names)))
        return condition(value)

    return Filter(match, {"type": "string", "enum": list(names)})


def day(path: str) -> Filter:
    """Match a day (UTC)."""

    def match(value: str) -> Q:
        start = _midnight(value)
        return Q(**{f"{path}__gte": start, f"{path}__lt": start + _DAY})

    return Filter(match, _DATE)


def from_day(path: str) -> Filter:
    """Match from the beginning of a day (UTC) on."""
    return Filter(lambda value: Q(**{f"{path}__gte": _midnight(value)}), _DATE)


def to_day(path: str) -> Filter:
    """Match up to the end of a day (UTC)."""
    return Filter(lambda value: Q(**{f"{path}__lt": _midnight(value) + _DAY}), _DATE)


def _midnight(value: str) -> datetime:
    try:
        midnight = datetime.combine(date.fromisoformat(value), time(), UTC)
        _ = midnight + _DAY
    except (ValueError, OverflowError):
        raise UnusableValue(say("Expected a date such as 2025-01-31.")) from None
    return midnight


def whole_number(value: str) -> int:
    """Return a whole number from 0 on, in ASCII digits.

    Raises:
        UnusableValue: it is none.
    """
    if not re.fullmatch(ID, value):
        raise UnusableValue(say("Expected a whole number from 0 on."))
    return int(value)


class Filters(BaseFilterBackend):
    """Applies the `filters` of a view; all that is wrong with the parameters is said at once."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        return queryset.filter(condition(request, getattr(view, "filters", {})))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "query", "required": False, "schema": dict(each.schema)}
            for name, each in getattr(view, "filters", {}).items()
        ]


def condition(request: Request, filters: Mapping[str, Filter]) -> Q:
    """Return what the query parameters ask for.

    Raises:
        InvalidRequest: a parameter is unknown, or its value cannot be used.
    """
    conditions = Q()
    problems: list[Problem] = []
    given: dict[str, str] = request.query_params.dict()
    for name, value in given.items():
        try:
            conditions &= _one(name, value, filters)
        except UnusableValue as error:
            code = "invalid" if name in filters else "unknown_parameter"
            problems.append(Problem(f"{name:.64}", code, words_of(error)))
    if problems:
        raise InvalidRequest(problems)
    return conditions


def _one(name: str, value: str, filters: Mapping[str, Filter]) -> Q:
    if name in PAGING:
        return Q()
    if name not in filters:
        raise UnusableValue(
            say("Unknown parameter. Known: {filters}.", filters=", ".join([*filters, *PAGING]))
        )
    if "\0" in value:
        raise UnusableValue(say("Expected no NUL."))
    return filters[name](value)
