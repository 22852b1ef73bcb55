"""The HTTP routes of a preview server. Source: protocol §2."""

import json
import platform
import random
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from comfyui_preview import definitions, faulty_definitions, prompt_intake
from comfyui_preview.options import Options
from comfyui_preview.queue import Item
from comfyui_preview.shared_state import Engine

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ENGINE = web.AppKey("engine", Engine)
SERVER_ERROR = "500 Internal Server Error\n\nServer got itself in trouble"
MAX_UPLOAD_BYTES = 100 * 1024 * 1024
PRETENDED_RAM_BYTES = 16 * 1024**3


def server_error() -> web.HTTPInternalServerError:
    """What a real server answers when it trips over a request."""
    return web.HTTPInternalServerError(text=SERVER_ERROR)


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPInternalServerError for anything else."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise server_error()
    return body


async def read_json(request: web.Request) -> Any:
    """The JSON of a request, whatever its content type. Raises HTTPInternalServerError."""
    try:
        return json.loads(await request.text())
    except (UnicodeDecodeError, json.JSONDecodeError) as malformed:
        raise server_error() from malformed


def _cut(request: web.Request) -> web.Response:
    """Cut the connection; what is answered afterwards reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def get_prompt(request: web.Request) -> web.Response:
    """How many prompts wait or run."""
    return web.json_response(request.app[ENGINE].queue_status())


async def post_prompt(request: web.Request) -> web.Response:
    """Queue a prompt."""
    engine = request.app[ENGINE]
    body = await read_json(request)
    if engine.faults.take("reset_before_queueing"):
        return _cut(request)
    try:
        answer = prompt_intake.submit(engine, body)
    except (AttributeError, TypeError, ValueError) as malformed:
        raise server_error() from malformed
    if engine.faults.take("reset_after_queueing"):
        return _cut(request)
    if engine.faults.take("error_500_after_queueing"):
        raise server_error()
    return web.json_response(answer.body, status=answer.status)


async def get_queue(request: web.Request) -> web.Response:
    """What runs and what waits, the latter in no order."""
    engine = request.app[ENGINE]
    running, pending = engine.queue.running(), engine.queue.pending()
    if fault := engine.faults.take("crowded_queue"):
        pending += [_foreign(number) for number in range(fault.count("count", 1000))]
        random.shuffle(pending)
    return web.json_response({"queue_running": running, "queue_pending": pending})


def _foreign(number: int) -> Item:
    """A prompt of somebody else, to be shown only."""
    return (number - 500, str(uuid.uuid4()), {"1": {"class_type": "SaveImage"}}, {}, ["1"])


async def post_queue(request: web.Request) -> web.Response:
    """Delete waiting prompts, by id or all."""
    engine, body = request.app[ENGINE], await read_object(request)
    if body.get("clear"):
        engine.queue.clear()
    for prompt_id in body.get("delete", []):
        engine.delete(prompt_id)
    return web.Response()


async def get_history(request: web.Request) -> web.Response:
    """All that has ended, oldest first; `offset` is known since 0.3.60."""
    engine = request.app[ENGINE]
    try:
        limits = {name: int(text) for name, text in request.query.items()}
    except ValueError as malformed:
        raise server_error() from malformed
    offset = limits.get("offset", -1) if engine.options.is_since("targeted") else -1
    history = engine.queue.history(limits.get("max_items"), offset)
    return web.json_response(history)


async def get_history_entry(request: web.Request) -> web.Response:
    """What has ended under one id: an empty object when nothing has."""
    prompt_id = request.match_info["prompt_id"]
    entry = request.app[ENGINE].queue.entry(prompt_id)
    return web.json_response({} if entry is None else {prompt_id: entry})


async def post_history(request: web.Request) -> web.Response:
    """Delete history entries, by id or all."""
    queue, body = request.app[ENGINE].queue, await read_object(request)
    if body.get("clear"):
        queue.forget_history()
    for prompt_id in body.get("delete", []):
        queue.forget(prompt_id)
    return web.Response()


async def post_interrupt(request: web.Request) -> web.Response:
    """Stop what runs, or only the prompt that is named; until 0.3.56 the body is not read."""
    engine = request.app[ENGINE]
    if not engine.options.is_since("targeted"):
        engine.interrupt(None)
        return web.Response()
    text = await request.text()
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        body = {}
    if not isinstance(body, dict):
        raise server_error()
    engine.interrupt(body.get("prompt_id"))
    return web.Response()


async def post_free(request: web.Request) -> web.Response:
    """Forget cached results before the next prompt, and end a lack of memory."""
    engine, body = request.app[ENGINE], await read_object(request)
    if body.get("free_memory"):
        engine.free_memory.set()
    if body.get("unload_models") or body.get("free_memory"):
        engine.faults.clear("oom")
    return web.Response()


async def get_object_info(request: web.Request) -> web.Response:
    """The definitions of all nodes, or of one class: an empty object when it is unknown."""
    engine = request.app[ENGINE]
    images = engine.folders.input_images()
    wanted = request.match_info.get("node_class")
    shown = {
        name: definitions.with_input_images(definition, images)
        for name, definition in engine.definitions.items()
        if wanted in (None, name)
    }
    return web.json_response(faulty_definitions.shown_definitions(engine.faults, shown))


async def get_system_stats(request: web.Request) -> web.Response:
    """Versions, memory and devices."""
    options = request.app[ENGINE].options
    memory = {"vram_total": PRETENDED_RAM_BYTES, "vram_free": PRETENDED_RAM_BYTES}
    torch = {f"torch_{name}": amount for name, amount in memory.items()}
    device = {"name": "cpu (preview)", "type": "cpu", "index": None, **memory, **torch}
    system = {
        "os": "posix" if sys.platform != "win32" else "nt",
        "ram_total": PRETENDED_RAM_BYTES,
        "ram_free": PRETENDED_RAM_BYTES,
        "comfyui_version": options.comfyui_version,
        **_required(options),
        "python_version": platform.python_version(),
        "pytorch_version": "none (Madsea preview)",
        "embedded_python": False,
        "argv": ["madsea-preview"],
    }
    return web.json_response({"system": system, "devices": [device]})


def _required(options: Options) -> dict[str, str]:
    """What goes with the server: told of the frontend since 0.3.46, of templates since 0.3.61."""
    frontend = {"required_frontend_version": "1.27.10"} if options.is_since("chosen") else {}
    if not options.is_since("targeted"):
        return frontend
    templates = {"installed_templates_version": "0.1.95", "required_templates_version": "0.1.95"}
    return frontend | templates


async def get_models(request: web.Request) -> web.Response:
    """The folders of models, or the files in one; 404 for an unknown folder."""
    folder = request.match_info.get("folder")
    if folder is None:
        return web.json_response(definitions.MODEL_FOLDERS)
    if folder not in definitions.MODEL_FOLDERS:
        return web.Response(status=404)
    return web.json_response(list(request.app[ENGINE].options.models.get(folder, [])))


async def get_features(request: web.Request) -> web.Response:
    """What the server can do beyond the oldest protocol; unknown before 0.3.45."""
    if not request.app[ENGINE].options.is_since("chosen"):
        return web.Response(status=404)
    return web.json_response(features())


def features() -> dict[str, Any]:
    """The server's feature flags."""
    return {"supports_preview_metadata": True, "max_upload_size": MAX_UPLOAD_BYTES}


async def get_embeddings(request: web.Request) -> web.Response:
    """The names of the embeddings, without suffix."""
    return web.json_response(list(request.app[ENGINE].options.models.get("embeddings", [])))


async def get_nothing(_: web.Request) -> web.Response:
    """An empty list: extensions."""
    return web.json_response([])


async def get_unknown(_: web.Request) -> web.Response:
    """Nothing is here."""
    return web.Response(status=404)


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/prompt", get_prompt),
    ("POST", "/prompt", post_prompt),
    ("GET", "/queue", get_queue),
    ("POST", "/queue", post_queue),
    ("GET", "/history", get_history),
    ("GET", "/history/{prompt_id}", get_history_entry),
    ("POST", "/history", post_history),
    ("POST", "/interrupt", post_interrupt),
    ("POST", "/free", post_free),
    ("GET", "/object_info", get_object_info),
    ("GET", "/object_info/{node_class}", get_object_info),
    ("GET", "/system_stats", get_system_stats),
    ("GET", "/models", get_models),
    ("GET", "/models/{folder}", get_models),
    ("GET", "/embeddings", get_embeddings),
    ("GET", "/extensions", get_nothing),
    ("GET", "/features", get_features),
]
