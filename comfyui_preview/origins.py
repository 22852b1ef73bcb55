"""Who may talk to a server on this machine: a browser page of another origin may not. §1."""

from urllib.parse import urlsplit

from aiohttp import web

from comfyui_preview.options import is_loopback
from comfyui_preview.routes import ENGINE, Handler


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 when Host is this machine and Origin is another; OPTIONS is answered 200."""
    if _is_foreign(request.headers.get("Host", ""), request.headers.get("Origin", "")):
        return web.Response(status=403)
    is_cross_site = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if is_cross_site and request.app[ENGINE].options.generation == "jobs":
        return web.Response(status=403)
    if request.method == "OPTIONS":
        return web.Response()
    return await handler(request)


def _is_foreign(host: str, origin: str) -> bool:
    """Names are compared as text; an origin without a port fits any."""
    here, there = urlsplit(f"//{host.lower()}"), urlsplit(origin.lower())
    if not there.netloc or not is_loopback(here.hostname or ""):
        return False
    return (here.hostname if there.port is None else here.netloc) != there.netloc
