"""Faults from outside: the middleware that strikes any request, and the route that sets them."""

import asyncio

from aiohttp import web

from comfyui_preview import endless_answers
from comfyui_preview.fault_kinds import KINDS
from comfyui_preview.routes import ENGINE, Handler, read_object
from comfyui_preview.shared_state import Engine

FAULTS_PATH = "/_preview/faults"
# a request that is never answered ends when the client or the server goes
FOREVER_S = 24 * 3600


@web.middleware
async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the faults that concern whole requests happen; they match `GET /path`."""
    engine, path = request.app[ENGINE], f"{request.method} {request.path}"
    if request.path == FAULTS_PATH:
        return await handler(request)
    if engine.faults.take("hang", path):
        await asyncio.sleep(FOREVER_S)
    if fault := engine.faults.take("delay", path):
        await asyncio.sleep(fault.seconds())
    if engine.faults.take("reset", path):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if engine.faults.take("endless", path):
        return await endless_answers.endless(request)
    response = _answer(engine, path) or await handler(request)
    return await _spoilt(engine, request, response)


async def _spoilt(
    engine: Engine, request: web.Request, response: web.StreamResponse
) -> web.StreamResponse:
    """The answer with another type, with odd numbers in it, or drop by drop."""
    path = f"{request.method} {request.path}"
    if fault := engine.faults.take("content_type", path):
        response.headers["Content-Type"] = fault.text("content_type", "text/html")
    if isinstance(response, web.Response) and engine.faults.take("not_numbers", path):
        endless_answers.add_odd_numbers(response)
    if fault := engine.faults.take("drip", path):
        return await endless_answers.drip(request, response, fault.seconds())
    return response


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
    return web.json_response({"kinds": KINDS, "active": engine.faults.active()})


async def post_faults(request: web.Request) -> web.Response:
    """`{"clear": [names] or true, "set": [{name, times, after, match, …}], "restart": true}`.

    With `"down_s": seconds` a restart takes so long, and connections are refused meanwhile.
    """
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
        engine.restart(float(body.get("down_s", 0)))
    return web.json_response({"active": engine.faults.active()})


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", FAULTS_PATH, get_faults),
    ("POST", FAULTS_PATH, post_faults),
]
