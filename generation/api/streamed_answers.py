"""Answers that are sent piece by piece, and end when whoever asked leaves."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from django.http import StreamingHttpResponse


class UntilClientLeaves(StreamingHttpResponse):
    """Its pieces come from the event loop: no thread is held while it is sent."""


class MadeBehind(UntilClientLeaves):
    """An answer that is whole before its head is sent, made while no thread waits for it."""

    async def prepare(self) -> None:
        """Make it, or what is answered in its place; the web process waits for it."""
        raise NotImplementedError

    def become(self, content: bytes, content_type: str, status: int = HTTPStatus.OK) -> None:
        """Answer these bytes."""
        self.status_code = status
        self["Content-Type"] = content_type
        self["Content-Length"] = str(len(content))
        self.streaming_content: Any = _whole(content)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
