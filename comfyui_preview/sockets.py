"""The open WebSockets of a preview server, and the one sender that writes to them in order."""

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import WSCloseCode, web

from comfyui_preview import unasked_frames
from comfyui_preview.faults import Faults

PREVIEW_IMAGE = 1
PREVIEW_IMAGE_WITH_METADATA = 4
JPEG = 1

Message = tuple[str, Mapping[str, Any] | bytes, str | None]


class Sockets:
    """Sockets by client id, the newest winning; messages are sent one after the other.

    `publish` may be called from any thread. A message for a client without a socket is dropped,
    one for nobody in particular (client id None) goes to all. Source: protocol §6.1.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._by_client: dict[str, web.WebSocketResponse] = {}
        self._transports: dict[str, asyncio.Transport] = {}
        self._with_metadata: set[str] = set()
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        # a message per socket that is to be sent after the next one
        self._held_back: WeakKeyDictionary[web.WebSocketResponse, str] = WeakKeyDictionary()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop that sends; what is published before is dropped."""
        self._loop = loop

    def unbind(self) -> None:
        """Stop taking messages, before the loop ends."""
        self._loop = None

    def register(
        self, client_id: str, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        """Add a socket; one that had this client id is displaced, but stays open."""
        self._by_client[client_id] = socket
        if transport is not None:
            self._transports[client_id] = transport

    def unregister(self, client_id: str) -> None:
        """Remove the socket of a client id, even a newer one: the real server's known mistake."""
        self._by_client.pop(client_id, None)
        self._transports.pop(client_id, None)
        self._with_metadata.discard(client_id)

    def give_metadata_to(self, client_id: str) -> None:
        """This client negotiated previews that say which prompt they belong to."""
        self._with_metadata.add(client_id)

    def publish(self, kind: str, content: Mapping[str, Any], client_id: str | None) -> None:
        """Queue one JSON message."""
        self._put((kind, content, client_id))

    def publish_preview(self, jpeg: bytes, about: Mapping[str, Any], client_id: str | None) -> None:
        """Queue one preview image, with `about` for a client that negotiated it."""
        if client_id in self._with_metadata:
            words = json.dumps({**about, "image_type": "image/jpeg"}).encode()
            head = struct.pack(">II", PREVIEW_IMAGE_WITH_METADATA, len(words)) + words
        else:
            head = struct.pack(">II", PREVIEW_IMAGE, JPEG)
        self._put(("", head + jpeg, client_id))

    def _put(self, message: Message) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._messages.put_nowait, message)

    async def send_forever(self) -> None:
        """Send what is published, in order, to one socket after the other."""
        while True:
            kind, content, client_id = await self._messages.get()
            if fault := self._faults.take("blocked_sender", kind):
                await asyncio.sleep(fault.seconds())
            for socket in self._addressees(client_id):
                await self._send(socket, kind, content)

    def _addressees(self, client_id: str | None) -> list[web.WebSocketResponse]:
        if client_id is None:
            return list(self._by_client.values())
        socket = self._by_client.get(client_id)
        return [] if socket is None else [socket]

    async def _send(
        self, socket: web.WebSocketResponse, kind: str, content: Mapping[str, Any] | bytes
    ) -> None:
        try:
            if isinstance(content, bytes):
                await socket.send_bytes(content)
            else:
                await self._send_json(socket, kind, content)
        except ConnectionError:
            # the client is gone; the real server shrugs too
            return

    async def _send_json(
        self, socket: web.WebSocketResponse, kind: str, content: Mapping[str, Any]
    ) -> None:
        if self._faults.take("drop_message", kind):
            return
        if fault := self._faults.take("close_ws", kind):
            await self._close(socket, fault.count("code", WSCloseCode.INTERNAL_ERROR))
            return
        for odd in unasked_frames.frames_before(self._faults, kind, content):
            await (socket.send_str(odd) if isinstance(odd, str) else socket.send_bytes(odd))
        text = json.dumps({"type": kind, "data": content})
        if self._faults.take("reorder_message", kind):
            self._held_back[socket] = text
            return
        await socket.send_str(text)
        again = text if self._faults.take("duplicate_message", kind) else None
        for late in (again, self._held_back.pop(socket, None)):
            if late is not None:
                await socket.send_str(late)

    async def _close(self, socket: web.WebSocketResponse, code: int) -> None:
        """Close a socket with a code; 1006 stands for one that is cut without any."""
        if code != WSCloseCode.ABNORMAL_CLOSURE:
            await socket.close(code=code)
            return
        for client_id, known in self._by_client.items():
            if known is socket and client_id in self._transports:
                self._transports[client_id].abort()

    def cut_all(self) -> None:
        """Cut every socket without a word, as a killed server does; from any thread."""
        if self._loop is not None:
            for transport in list(self._transports.values()):
                self._loop.call_soon_threadsafe(transport.abort)

    async def close_all(self) -> None:
        """Close every socket, as when the server goes."""
        sockets, self._by_client = list(self._by_client.values()), {}
        for socket in sockets:
            await socket.close(code=WSCloseCode.GOING_AWAY)
