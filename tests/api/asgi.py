"""Requests to the web process's own handler, as an ASGI server hands them on."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from madsea.web.threaded_asgi_handler import ThreadedHandler


@dataclass
class Asked:
    """One request: what was sent of its body by the time that it was answered, and the answer."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    n_received: int = 0

    @property
    def status(self) -> int:
        """Return the status of the answer."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the answer."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def content(self) -> bytes:
        """Return the body of the answer."""
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def code(self) -> str:
        """Return what the error's document calls it."""
        return str(json.loads(self.content)["code"])


async def ask(
    handler: ThreadedHandler,
    path: str,
    parts: Sequence[bytes] = (b"",),
    *,
    method: str = "POST",
    length: int | None = None,
    client: str = "127.0.0.1",
    pause_s: float = 0,
    **headers: str,
) -> Asked:
    """Send a request whose body comes in parts; without a length it comes in chunks."""
    asked, left = Asked(), list(parts)
    given = {"host": "localhost", "content-type": "application/json"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    given |= {"transfer-encoding": "chunked"} if length is None else {"content-length": str(length)}

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s)
        asked.n_received += len(left[0])
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        asked.sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "client": (client, 1234),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    await handler(scope, receive, send)
    return asked


def post(handler: ThreadedHandler, path: str, parts: Sequence[bytes] = (b"",), **how: Any) -> Asked:
    """Send one request and return what became of it."""
    return asyncio.run(ask(handler, path, parts, **how))
