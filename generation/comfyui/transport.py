"""One HTTP exchange with a ComfyUI server: bounded in time and bytes, its failures given names."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
import urllib3
from requests.adapters import HTTPAdapter

from generation.comfyui.errors import (
    BadAnswer,
    ComfyError,
    Denied,
    Intercepted,
    TooLarge,
    Unreachable,
)

MIB = 1024 * 1024
JSON_MAX_BYTES = 64 * MIB
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
    """What is to be asked: `body` is JSON text already, `files` a multipart upload."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    files: Mapping[str, tuple[str | None, bytes | str]] | None = None
    max_bytes: int = JSON_MAX_BYTES

    @property
    def size(self) -> int:
        """Return how many bytes are to be sent, roughly."""
        return len(self.body or b"") + sum(len(content) for _, content in self._parts())

    def _parts(self) -> list[tuple[str | None, bytes | str]]:
        return list((self.files or {}).values())


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
        self,
        base_url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        before: Callable[[Request], None],
    ) -> None:
        self._before = before
        self.base_url = base_url.rstrip("/")
        self._timeouts = timeouts
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)
        adapter = HTTPAdapter(pool_maxsize=8, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(self, request: Request) -> Answer:
        """Ask, and read the whole answer, whatever its status.

        Raises Unreachable when there is no whole answer in time, TooLarge over `max_bytes`.
        """
        self._before(request)
        deadline = time.monotonic() + self._whole_s(request)
        with _named(), self._open(request) as response:
            return Answer(
                status=response.status_code,
                media_type=response.headers.get("Content-Type", "").split(";")[0].strip().lower(),
                body=_read(response, request.max_bytes, deadline),
                location=response.headers.get("Location", ""),
            )

    def probe(self, request: Request) -> Answer:
        """Ask, and look at the status only: the body is left unread, the connection closed."""
        self._before(request)
        with _named(), self._open(request) as response:
            return Answer(response.status_code, "", b"")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _whole_s(self, request: Request) -> float:
        expected = request.max_bytes if request.max_bytes != JSON_MAX_BYTES else 0
        return self._timeouts.whole_s + (request.size + expected) / _SLOWEST_BYTES_PER_S

    def _open(self, request: Request) -> requests.Response:
        return self._session.request(
            request.method,
            self.base_url + request.path,
            params=dict(request.params),
            data=request.body,
            files=dict(request.files) if request.files else None,
            headers={"Content-Type": "application/json"} if request.body is not None else None,
            timeout=(self._timeouts.connect_s, self._timeouts.read_s),
            allow_redirects=False,
            stream=True,
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
        return Denied(f"{_title(Denied)} The answer was {status}.")
    if status == 413:
        return TooLarge("The server takes no body as large as this one (413).")
    if status in {408, 429} or _is_from_proxy(answer):
        return Intercepted(f"A proxy answers {status} for the server.", maybe_sent=True)
    if status >= 500:
        return BadAnswer(f"The server answers {status}: {excerpt(answer)}", maybe_sent=True)
    if 300 <= status < 400:
        return BadAnswer(
            f"The address leads elsewhere ({status}, {answer.location or 'no Location'}): register"
            " the server under its own address."
        )
    if status in {404, 405}:
        return BadAnswer(f"The address answers {status}: it is not, or not only, a ComfyUI's.")
    return BadAnswer(f"The server answers {status}: {excerpt(answer)}", maybe_sent=status < 300)


def _is_from_proxy(answer: Answer) -> bool:
    return answer.status > 500 or (answer.status == 500 and answer.media_type == "text/html")


def _title(error: type[ComfyError]) -> str:
    return (error.__doc__ or "").splitlines()[0]


def _read(response: requests.Response, max_bytes: int, deadline: float) -> bytes:
    """Read the body piece by piece, so that neither an endless nor a dripping one holds us."""
    body = bytearray()
    while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += piece
        if len(body) > max_bytes:
            raise TooLarge(f"The server sends more than {max_bytes:,} bytes.")
        if time.monotonic() > deadline:
            raise Unreachable("The server sends its answer too slowly.", maybe_sent=True)
    return bytes(body)


@contextmanager
def _named() -> Iterator[None]:
    """Give the failures of the HTTP library our names."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(_cause(error), maybe_sent=_maybe_sent(error)) from error
    except UnicodeError as error:
        raise Unreachable("The server's address or headers cannot be used.") from error


def _maybe_sent(error: Exception) -> bool:
    """Tell whether the request may have left: not when no connection, or no valid one, was made."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | ValueError):
        return False
    return not isinstance(_reason(error), urllib3.exceptions.NewConnectionError)


def _cause(error: Exception) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "The server does not answer in time."
    if isinstance(_reason(error), urllib3.exceptions.NameResolutionError):
        return "The server's name cannot be resolved."
    if isinstance(_reason(error), urllib3.exceptions.NewConnectionError):
        return "The server refuses the connection: ComfyUI does not run there, or starts up."
    if isinstance(error, ValueError):
        return f"The server's address or headers cannot be used: {error}"
    return "The connection broke before the answer was complete."


def _reason(error: Exception) -> object:
    return getattr(error.args[0], "reason", None) if error.args else None
