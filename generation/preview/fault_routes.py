"""Faults from outside: the middleware that strikes any request, and the route that sets them."""

import asyncio

from aiohttp import web

from generation.preview import faults
from generation.preview.engine import Engine
from generation.preview.routes import ENGINE, Handler, read_object

FAULTS_PATH = "/_preview/faults"
# a request that is never answered ends when the client or the server goes
FOREVER_S = 24 * 3600


@web.middleware
async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the faults that concern whole requests happen; their match is looked for in the path."""
    engine, path = request.app[ENGINE], request.path
    if path == FAULTS_PATH:
        return await handler(request)
    if engine.faults.take("hang", path):
        await asyncio.sleep(FOREVER_S)
    if fault := engine.faults.take("delay", path):
        await asyncio.sleep(fault.seconds())
    if engine.faults.take("reset", path):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    return _answer(engine, path) or await handler(request)


def _answer(engine: Engine, path: str) -> web.Response | None:
    if fault := engine.faults.take("answer", path):
        return web.Response(
            status=int(fault.options.get("status", 500)),
            text=fault.text("text", ""),
            content_type=fault.text("content_type", "text/plain"),
        )
    if fault := engine.faults.take("bad_json", path):
        return web.Response(text=fault.text("text", '{"tru'), content_type="application/json")
    return None


async def get_faults(request: web.Request) -> web.Response:
    """Every kind of fault with a sentence, and those that are switched on."""
    engine = request.app[ENGINE]
    return web.json_response({"kinds": faults.KINDS, "active": engine.faults.active()})


async def post_faults(request: web.Request) -> web.Response:
    """`{"clear": [names] or true, "set": [{name, times, after, match, …}], "restart": true}`."""
    engine, body = request.app[ENGINE], await read_object(request)
    clear = body.get("clear", [])
    if clear:
        engine.faults.clear(*(clear if isinstance(clear, list) else []))
    try:
        for fault in body.get("set", []):
            engine.faults.set(**fault)
    except (TypeError, ValueError) as unknown:
        return web.json_response({"error": str(unknown)}, status=400)
    if body.get("restart"):
        engine.lose_everything()
        engine.sockets.cut_all()
    return web.json_response({"active": engine.faults.active()})


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", FAULTS_PATH, get_faults),
    ("POST", FAULTS_PATH, post_faults),
]
