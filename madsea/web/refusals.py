"""What a request is told that is not answered as it was meant: status, code, words, how long."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class RefusedUnread:
    """An answer without a view: JSON in the shape of every error, or a page for people.

    `wait_s` is after how many seconds it may be tried again; None where that would change nothing.
    """

    status: HTTPStatus
    code: str
    detail: str
    wait_s: int | None = None


#: Where the web process leaves, in a request's scope, what was refused before it was read.
KEY = "madsea.web.refusals"
