"""Answers that take for ever, never end, or hold numbers that JSON does not know. §18.3, 11, 41."""

import asyncio
import json
from pathlib import Path

from aiohttp import web

PIECES = 16
ENDLESS_PIECE = b" " * 65_536


class WholeFile(web.FileResponse):
    """A file as the answer, which says where it lies."""

    def __init__(self, path: Path, content_type: str) -> None:
        disposition = f'filename="{path.name}"'
        headers = {"Content-Disposition": disposition, "Content-Type": content_type}
        super().__init__(path, headers=headers)
        self.file = path


async def drip(
    request: web.Request, response: web.StreamResponse, pause_s: float
) -> web.StreamResponse:
    """Send an answer's body in pieces, a pause before each."""
    body = _body_of(response)
    dripping = web.StreamResponse(
        status=response.status, headers={"Content-Length": str(len(body))}
    )
    dripping.content_type = response.content_type
    await dripping.prepare(request)
    size = len(body) // PIECES + 1
    for start in range(0, len(body), size):
        await asyncio.sleep(pause_s)
        await dripping.write(body[start : start + size])
    return dripping


async def endless(request: web.Request) -> web.StreamResponse:
    """Send blanks until the client goes away."""
    flood = web.StreamResponse()
    await flood.prepare(request)
    while True:
        await flood.write(ENDLESS_PIECE)
        await asyncio.sleep(0)


def _body_of(response: web.StreamResponse) -> bytes:
    if isinstance(response, WholeFile):
        return response.file.read_bytes()
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b""


def add_odd_numbers(response: web.Response) -> None:
    """Put NaN and Infinity into an answered JSON object."""
    body = json.loads(response.body) if isinstance(response.body, bytes) else None
    if isinstance(body, dict):
        odd = {"not_a_number": float("nan"), "endless": [float("inf"), float("-inf")]}
        response.body = json.dumps(body | odd).encode()
