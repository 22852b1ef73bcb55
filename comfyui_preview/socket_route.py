"""GET /ws: a client's WebSocket, from its greeting to its end. Source: protocol §6.1."""

import json
import uuid

from aiohttp import WSMsgType, web

from comfyui_preview.routes import ENGINE, features
from comfyui_preview.shared_state import Engine


async def get_socket(request: web.Request) -> web.StreamResponse:
    """Greet with `status`, say which node of the client's own prompt runs, then listen."""
    engine = request.app[ENGINE]
    client_id = request.query.get("clientId") or uuid.uuid4().hex
    if fault := engine.faults.take("refuse_ws", client_id):
        return web.Response(status=int(fault.options.get("status", 403)))
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    if engine.faults.take("silent_ws", client_id) is None:
        engine.sockets.register(client_id, socket, request.transport)
        await _greet(engine, socket, client_id)
    try:
        await _listen(engine, socket, client_id)
    finally:
        engine.sockets.unregister(client_id)
    return socket


async def _greet(engine: Engine, socket: web.WebSocketResponse, client_id: str) -> None:
    status = {"status": engine.queue_status(), "sid": client_id}
    await socket.send_json({"type": "status", "data": status})
    node_id, owner = engine.current
    if node_id is not None and owner == client_id:
        await socket.send_json({"type": "executing", "data": {"node": node_id}})


async def _listen(engine: Engine, socket: web.WebSocketResponse, client_id: str) -> None:
    """Answer the feature handshake, which only the first text frame can be, and since 0.3.45."""
    is_first = engine.options.is_since("chosen")
    async for message in socket:
        if message.type != WSMsgType.TEXT or not is_first:
            continue
        is_first = False
        asked = _feature_flags(message.data)
        if asked is None:
            continue
        if asked.get("supports_preview_metadata"):
            engine.sockets.give_metadata_to(client_id)
        await socket.send_json({"type": "feature_flags", "data": features()})


def _feature_flags(text: str) -> dict[str, object] | None:
    try:
        frame = json.loads(text)
    except json.JSONDecodeError:
        return None
    if not isinstance(frame, dict) or frame.get("type") != "feature_flags":
        return None
    asked = frame.get("data")
    return asked if isinstance(asked, dict) else {}
