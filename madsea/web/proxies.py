"""What proxies change of a request, put right before anything reads it.

Where a client is, whether it speaks TLS and which host it asked for is taken from what a proxy of
MADSEA_TRUSTED_PROXIES forwards, and from nobody else. The path below which Madsea is served is a
setting (MADSEA_PATH) and never believed from a request; a proxy may cut that path off or leave it.
"""

from collections.abc import Iterable
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

Scope = dict[str, Any]
Headers = Iterable[tuple[bytes, bytes]]


class Proxied:
    """An ASGI application that sees a request as its client has sent it."""

    def __init__(self, application: Any, trusted: list[str], path: str) -> None:
        self._believing = ProxyHeadersMiddleware(application, trusted)
        self._path = path

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer it."""
        if scope["type"] == "http":
            scope = self._as_sent(scope)
        await self._believing(scope, receive, send)  # type: ignore[arg-type]

    def _as_sent(self, scope: Scope) -> Scope:
        at, below = _below(self._path, scope)
        seen = {**scope, "root_path": at, "path": at + below}
        peer = (scope.get("client") or (None,))[0]
        if peer in self._believing.trusted_hosts:
            seen["headers"] = _with_forwarded_host(scope["headers"])
        return seen


def _below(path: str, scope: Scope) -> tuple[str, str]:
    """Return the path of Madsea and what of the request's is below it, whoever cut it off."""
    asked = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
    if asked == path or asked.startswith(f"{path}/"):
        asked = asked.removeprefix(path)
    return path, asked or "/"


def _with_forwarded_host(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Put the host that a proxy forwards in the place of the one that it asked for itself."""
    given = list(headers)
    forwarded = [value for name, value in given if name == b"x-forwarded-host"]
    # What stands before the last comma is what its client said to the proxy.
    host = forwarded[-1].rpartition(b",")[2].strip() if forwarded else b""
    if not host:
        return given
    return [(name, value) for name, value in given if name != b"host"] + [(b"host", host)]
