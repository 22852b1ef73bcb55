"""Query parameters of what changes something: each is known to its view, or refused.

A list refuses what its filters do not know (`filters`); a status names its own two.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request

from generation.api import errors
from generation.errors import InvalidRequest, Problem
from wording import say

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FLAGS: Mapping[str, bool] = {"1": True, "true": True, "0": False, "false": False}


class RefuseUnknown:
    """Answers 400 where a request that changes something has a parameter that nobody would read.

    Without it `?dryrun=1` would render.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """Refuse the request before its view, or let it pass (None)."""
        if request.method not in _CHANGING or not request.path_info.startswith("/api/"):
            return None
        known = _known(view, request.method)
        words = (
            say("Known: {known}.", known=", ".join(known))
            if known
            else say("This address takes none.")
        )
        problems = [
            Problem(
                f"{name:.64}", "unknown_parameter", say("Unknown parameter. {words}", words=words)
            )
            for name in request.GET
            if name not in known
        ]
        return errors.problems_answer(HTTPStatus.BAD_REQUEST, problems) if problems else None


def _known(view: Any, method: str) -> tuple[str, ...]:
    """Return the parameters that a view's action takes, by its `query_parameters`."""
    actions: Mapping[str, str] = getattr(view, "actions", None) or {}
    by_action = getattr(getattr(view, "cls", None), "query_parameters", {})
    return tuple(by_action.get(actions.get(method.lower(), ""), ()))


def flag(request: Request, name: str) -> bool:
    """Return whether a parameter is set: to 1 or true; 0 and false are as good as none.

    Raises:
        InvalidRequest: it is something else.
    """
    value = request.query_params.get(name, "0")
    if value not in _FLAGS:
        detail = say("Expected one of {flags}.", flags=", ".join(_FLAGS))
        raise InvalidRequest([Problem(name, "invalid", detail)])
    return _FLAGS[value]
