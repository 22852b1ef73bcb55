"""Why a connection to a ComfyUI server failed, in words: the libraries' failures given names."""

from http.client import BadStatusLine, HTTPException
from typing import TypeAlias

from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    URLSchemeUnknown,
)
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from generation.comfyui import tls
from wording import say

#: All that the HTTP library and what lies below it may raise.
FAILURES: TypeAlias = HTTPError | HTTPException | OSError | ValueError
#: Encrypted talk begins so, where plain HTTP was expected.
_TLS_RECORD = "\x15\x03"


def cause(error: BaseException, otherwise: str) -> str:
    """Return what went wrong in one sentence, `otherwise` where that is not known better.

    No text of the libraries is repeated: it may hold headers, and with them secrets.
    """
    chain = _chain(error)
    if why := next(filter(None, map(tls.reason, chain)), ""):
        return why
    if any(isinstance(each, NameResolutionError) for each in chain):
        return say("The server's name cannot be resolved.")
    if any(isinstance(each, NewConnectionError | ConnectionRefusedError) for each in chain):
        return say("The server refuses the connection: ComfyUI does not run there, or starts up.")
    if any(isinstance(each, PoolTimeoutError | TimeoutError) for each in chain):
        return say("The server does not answer in time.")
    if any(isinstance(each, BadStatusLine) and _TLS_RECORD in str(each) for each in chain):
        return say("The server speaks TLS at this port: its address begins with https://.")
    if isinstance(error, ValueError | URLSchemeUnknown | LocationParseError):
        return say("The server's address or headers cannot be used.")
    return otherwise


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and those that it came from, which the libraries keep in many places."""
    chain: list[BaseException] = []
    left: list[object] = [error]
    while left and len(chain) < 20:
        each = left.pop(0)
        if isinstance(each, BaseException) and each not in chain:
            chain.append(each)
            left += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return chain
