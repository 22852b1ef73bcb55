"""One shape for every error of the API.

``{"code", "detail", "attr", "errors": [{"code", "detail", "attr"}, …]}``: `errors` lists every
problem with its place in the payload (dots between levels), and the first of them is repeated on
top. `code` is stable; `detail` is for people; `attr` is null where no one place is to blame. Beyond
a hundred problems a last one (`more_problems`) says how many others there are.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypedDict

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from generation.errors import (
    Conflict,
    Conflicts,
    Forbidden,
    InvalidRequest,
    MadseaError,
    NotFound,
    Problem,
    Refusal,
    docstring_of,
    first_problems,
)
from wording import say


class ErrorLine(TypedDict):
    """One problem."""

    code: str
    detail: str
    attr: str | None


class ErrorDocument(ErrorLine):
    """The answer to a request that went wrong."""

    errors: list[ErrorLine]


class BodyTooLarge(exceptions.APIException):
    """The body is larger than any request may be."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class TooManyFields(exceptions.ParseError):
    """The form or the address has more fields than any request needs."""

    default_code = "too_many_fields"


def document(problems: list[Problem]) -> ErrorDocument:
    """Return the answer that lists these problems; there is at least one."""
    lines: list[ErrorLine] = [
        {"code": problem.code, "detail": str(problem.detail), "attr": problem.attr or None}
        for problem in first_problems(problems)
    ]
    return {**lines[0], "errors": lines}


def answer(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """Turn an error into its answer; None for one that nobody foresaw (a 500 then).

    What passes (a full disk, a database that is held) is answered outside of the views, where pages
    are too: `madsea.web.error_middleware`.
    """
    if isinstance(error, MadseaError):
        return _of_madsea(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, SuspiciousOperation):
        error = _of_django(error)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    problems = list(_flattened(error.detail))
    return problems_answer(error.status_code, problems, _headers(error))


def _of_django(error: SuspiciousOperation) -> exceptions.APIException:
    """Return the refusal that says what Django's own bounds have refused."""
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge(say("The form's fields are larger than any request needs."))
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        return TooManyFields(docstring_of(TooManyFields))
    return exceptions.ParseError(say("The request cannot be understood."))


def _of_madsea(error: MadseaError) -> JsonResponse | None:
    status = _status(error)
    if status is None:
        return None
    set_rollback()
    problems = (
        error.problems
        if isinstance(error, InvalidRequest | Conflicts)
        else [Problem(error.attr or "", error.code, error.detail)]
    )
    return problems_answer(status, problems)


def _status(error: MadseaError) -> HTTPStatus | None:
    if isinstance(error, Refusal):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, NotFound):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, Forbidden):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.CONFLICT if isinstance(error, Conflict) else None


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait_s = getattr(error, "wait", None)
    if wait_s:
        headers["Retry-After"] = f"{wait_s:.0f}"
    return headers


def _flattened(detail: Any, place: str = "") -> Iterator[Problem]:
    if isinstance(detail, dict):
        for key, below in detail.items():
            yield from _flattened(below, _place(place, key))
    elif isinstance(detail, list):
        for index, below in enumerate(detail):
            deeper = isinstance(below, dict | list)
            yield from _flattened(below, _place(place, index) if deeper else place)
    else:
        yield Problem(place, getattr(detail, "code", "error"), str(detail))


def _place(place: str, key: object) -> str:
    if key == "non_field_errors":
        return place
    return f"{place}.{key}" if place else str(key)


# Django calls these with the names of its own choice, whether they need the arguments or not.
# ruff: noqa: ARG001


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer what Django itself refuses, such as a wrong Host header."""
    return _plain(HTTPStatus.BAD_REQUEST, "bad_request", say("The request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer what is not allowed outside a view of the API."""
    return _plain(HTTPStatus.FORBIDDEN, "permission_denied", say("You may not do this."))


def unknown_address(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer an address that leads nowhere."""
    return no_such_address(request)


def no_such_address(request: HttpRequest, *_: str) -> JsonResponse:
    """Answer, as a view, every address that no other view of the API has."""
    return _plain(HTTPStatus.NOT_FOUND, "not_found", say("There is nothing at this address."))


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer when Madsea itself failed; the log says how."""
    detail = say(
        "Madsea failed to answer: its log says why. Try again, then tell your administrator."
    )
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", detail)


def _plain(status: HTTPStatus, code: str, detail: str) -> JsonResponse:
    return problems_answer(status, [Problem("", code, detail)])


def problems_answer(
    status: int, problems: list[Problem], headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """Answer problems in JSON, whatever the view would have answered: an image, or YAML."""
    return JsonResponse(document(problems), status=status, headers=headers)
