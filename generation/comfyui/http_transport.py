"""One HTTP exchange with a ComfyUI server: bounded in time and bytes, its failures given names.

No redirect is followed, no compressed answer taken (a small one may unfold without end), and none
of our secrets comes back in what a server says.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import NoReturn

import urllib3

from generation.comfyui import address, timed_connections
from generation.comfyui.address import Endpoint
from generation.comfyui.connection_errors import cause
from generation.comfyui.errors import (
    BadAnswer,
    ComfyError,
    Denied,
    Intercepted,
    TooLarge,
    Unreachable,
    title,
)
from generation.comfyui.timed_connections import Exchange
from wording import say

MIB = 1024 * 1024
#: Answers that hold other people's graphs, or what is installed; all others are small.
BIG_MAX_BYTES = 32 * MIB
SMALL_MAX_BYTES = 4 * MIB
_CHUNK_BYTES = 256 * 1024
_SLOWEST_BYTES_PER_S = MIB


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait: to connect, for any byte of an answer, for a whole answer.

    Bodies add one second per MiB to the whole. ComfyUI stalls for many seconds while it loads a
    model, so `read_s` is no sign of a dead server. Source: protocol.md §16 rule 30.
    """

    connect_s: float = 5.0
    read_s: float = 30.0
    whole_s: float = 60.0


@dataclass(frozen=True)
class Request:
    """What is to be asked: `body` is JSON text already, `files` a multipart upload.

    The answer has at most `max_bytes`; `is_file`: it is a file of so many, and no JSON.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    files: Mapping[str, tuple[str, bytes] | str] | None = None
    max_bytes: int = SMALL_MAX_BYTES
    is_file: bool = False

    @property
    def size(self) -> int:
        """Return how many bytes are to be sent, roughly."""
        return len(self.body or b"") + sum(map(_size, (self.files or {}).values()))


def _size(part: tuple[str, bytes] | str) -> int:
    return len(part) if isinstance(part, str) else len(part[1])


@dataclass(frozen=True)
class Answer:
    """A whole answer: status, media type in lower case, body, where a redirect points."""

    status: int
    media_type: str
    body: bytes
    location: str = ""


class Transport:
    """Connections to one server, kept open between requests; safe to use from several threads.

    `before` is called with each request before it is sent; what it raises is raised instead.
    """

    def __init__(
        self, where: Endpoint, timeouts: Timeouts, before: Callable[[Request], None]
    ) -> None:
        self._where = where
        self._before = before
        self._timeouts = timeouts
        self._pools: urllib3.PoolManager | None = None

    def send(self, request: Request) -> Answer:
        """Ask, and read the whole answer, whatever its status.

        Raises Unreachable when there is no whole answer in time, BadAnswer when it is compressed or
        longer than it may be, TooLarge for a file over `max_bytes`.
        """
        self._before(request)
        with self._open(request) as response:
            media_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            _refuse_compressed(response)
            body = _read(response, request)
            return Answer(
                status=response.status,
                media_type=media_type,
                body=body if request.is_file else self._where.redacted(body),
                location=response.headers.get("Location", ""),
            )

    def status_only(self, request: Request) -> Answer:
        """Ask, and look at the status only: the body is left unread, the connection closed."""
        self._before(request)
        with self._open(request) as response:
            return Answer(response.status, "", b"")

    def close(self) -> None:
        """Close the connections; the next request opens one anew."""
        if self._pools is not None:
            self._pools.clear()

    def _whole_s(self, request: Request) -> float:
        expected = request.max_bytes if request.is_file else 0
        return self._timeouts.whole_s + (request.size + expected) / _SLOWEST_BYTES_PER_S

    @contextmanager
    def _open(self, request: Request) -> Iterator[urllib3.BaseHTTPResponse]:
        """Ask; what is not read of the answer when it is left goes with its connection."""
        exchange = timed_connections.begin_exchange(self._whole_s(request))
        response = None
        with _named(exchange):
            try:
                response = self._asked(request)
                yield response
                response.release_conn()
            finally:
                if response is not None:
                    response.close()

    def _asked(self, request: Request) -> urllib3.BaseHTTPResponse:
        if address.problem(self._where.url):
            raise ValueError(say("The address is none."))
        # Made late: what is to be trusted may be unreadable, which is told like all other trouble.
        self._pools = self._pools or timed_connections.pools(self._where)
        headers = {"User-Agent": "Madsea", "Accept-Encoding": "identity"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        query = address.encoded(request.params)
        return self._pools.request(
            request.method,
            address.with_query(self._where.url + request.path, self._where.query, query),
            body=request.body,
            fields=dict(request.files) if request.files else None,
            headers=headers | self._where.sent_headers,
            timeout=urllib3.Timeout(self._timeouts.connect_s, self._timeouts.read_s),
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )


def check(answer: Answer) -> Answer:
    """Return the answer if it is a 200, else raise the error that its status stands for.

    A 500 in plain text is the server's own, one in HTML and every other 5xx a proxy's.
    Source: protocol.md §1, §18.
    """
    if answer.status == 200:
        return answer
    raise _error(answer)


def excerpt(answer: Answer) -> str:
    """Return the beginning of the body, on one line, for a message."""
    text = answer.body[:2000].decode("utf-8", errors="replace").replace("\x00", "")
    return " ".join(text.split())[:300]


def _error(answer: Answer) -> ComfyError:
    status = answer.status
    if status in {401, 403}:
        return Denied(say("{title} The answer was {status}.", title=title(Denied), status=status))
    if status == 413:
        return TooLarge(say("The server takes no body as large as this one (413)."))
    if status in {408, 429} or _is_from_proxy(answer):
        return Intercepted(
            say("A proxy answers {status} for the server.", status=status), maybe_sent=True
        )
    if status >= 500:
        return BadAnswer(
            say("The server answers {status}: {answer}", status=status, answer=excerpt(answer)),
            maybe_sent=True,
        )
    if 300 <= status < 400:
        return BadAnswer(
            say(
                "The address leads elsewhere ({status}, {location}): register the server "
                "under its own address.",
                status=status,
                location=answer.location or say("no Location"),
            )
        )
    if status in {404, 405}:
        return BadAnswer(
            say("The address answers {status}: it is not, or not only, a ComfyUI's.", status=status)
        )
    return BadAnswer(
        say("The server answers {status}: {answer}", status=status, answer=excerpt(answer)),
        maybe_sent=status < 300,
    )


def _is_from_proxy(answer: Answer) -> bool:
    return answer.status > 500 or (answer.status == 500 and answer.media_type == "text/html")


def _read(response: urllib3.BaseHTTPResponse, request: Request) -> bytes:
    """Read the body piece by piece, so that neither an endless nor a dripping one holds us."""
    body = io.BytesIO()
    while piece := response.read1(_CHUNK_BYTES):
        if body.tell() + len(piece) > request.max_bytes:
            _refuse_endless(request)
        body.write(piece)
    return body.getvalue()


def _refuse_endless(request: Request) -> NoReturn:
    if request.is_file:
        raise TooLarge(
            say("The server sends more than {max_bytes:,} bytes.", max_bytes=request.max_bytes)
        )
    raise BadAnswer(
        say(
            "The server's answer has more than {max_bytes} MiB.", max_bytes=request.max_bytes // MIB
        ),
        maybe_sent=True,
    )


def _refuse_compressed(response: urllib3.BaseHTTPResponse) -> None:
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise BadAnswer(
            say("The answer is compressed ({coding}), unasked.", coding=coding), maybe_sent=True
        )


@contextmanager
def _named(exchange: Exchange) -> Iterator[None]:
    """Give the failures of the HTTP library our names."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
        broke = say("The connection broke before the answer was complete.")
        raise Unreachable(cause(error, broke), maybe_sent=exchange.was_sent) from error
