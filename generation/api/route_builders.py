"""How an address of the API is written: with and without a slash, as a list and its rows."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, register_converter
from django.urls.converters import IntConverter

from generation.api.filters import ID
from generation.extension_points import Registry

View = Callable[..., HttpResponseBase]
LIST: dict[str, Any] = {"get": "list"}
ONE: dict[str, Any] = {"get": "retrieve"}
CREATE: dict[str, Any] = {"post": "create"}
IDS = "id:pk"

#: The addresses that apps above the engine add, made by `both` and `rows`.
ROUTES: Registry[URLPattern] = Registry()


class IdConverter(IntConverter):
    """A number that a row can have; a larger one leads nowhere, as no row has it."""

    regex = ID


register_converter(IdConverter, "id")


def both(route: str, view: View, name: str) -> list[URLPattern]:
    """Return the address of a view, good with and without a slash at its end."""
    return [path(f"api/{route}", view, name=name), path(f"api/{route}/", view)]


def rows(route: str, views: type[Any], key: str) -> list[URLPattern]:
    """Return the addresses of a list and of each of its rows."""
    return [
        *both(route, views.as_view(LIST), route),
        *both(f"{route}/<{key}>", views.as_view(ONE), f"{route}-one"),
    ]
