"""The routes of a preview server that take and give files. Source: protocol §12."""

import json
import mimetypes
from io import BytesIO
from pathlib import Path

from aiohttp import BodyPartReader, web
from PIL import Image

from comfyui_preview.endless_answers import WholeFile
from comfyui_preview.faulty_outputs import another_image
from comfyui_preview.folders import Escape
from comfyui_preview.routes import ENGINE, Handler, server_error

IMAGE_FORMATS = {"webp": "WEBP", "jpeg": "JPEG"}
NOT_AN_IMAGE = b"<!doctype html><title>Sign in</title><h1>Sign in</h1>"


class UploadForm:
    """The parts of an upload: text fields, and the one file."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.content: bytes | None = None


async def _read_form(request: web.Request) -> UploadForm:
    form = UploadForm()
    if not request.content_type.startswith("multipart/"):
        return form
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.filename:
            form.filename, form.content = part.filename, bytes(await part.read())
        else:
            form.fields[part.name or ""] = await part.text()
    return form


async def post_upload(request: web.Request) -> web.Response:
    """Store a file: any kind of file; the answer says under which name."""
    engine, form = request.app[ENGINE], await _read_form(request)
    if form.content is None or not form.filename:
        return web.Response(status=400)
    if engine.faults.take("disk_full", form.filename):
        raise server_error()
    kind, subfolder = form.fields.get("type", "input"), form.fields.get("subfolder", "")
    overwrite = form.fields.get("overwrite", "") in ("true", "1")
    try:
        name = engine.folders.upload(kind, subfolder, form.filename, form.content, overwrite)
    except Escape:
        return web.Response(status=400)
    except KeyError as unknown:
        raise server_error() from unknown
    if engine.faults.take("forget_upload", name):
        engine.folders.resolve(kind, subfolder, name).unlink()
    return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


async def post_mask(request: web.Request) -> web.Response:
    """Store a mask: the picture it refers to, with the mask's transparency."""
    engine, form = request.app[ENGINE], await _read_form(request)
    if form.content is None or not form.filename or "original_ref" not in form.fields:
        return web.Response(status=400)
    reference = json.loads(form.fields["original_ref"])
    kind, subfolder = form.fields.get("type", "input"), form.fields.get("subfolder", "")
    try:
        original = engine.folders.resolve(
            reference.get("type", "output"), reference.get("subfolder", ""), reference["filename"]
        )
        content = _masked(original, form.content)
        name = engine.folders.upload(kind, subfolder, form.filename, content, overwrite=True)
    except (Escape, KeyError, OSError):
        return web.Response(status=400)
    return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


def _masked(original: Path, mask: bytes) -> bytes:
    with Image.open(original) as opened, Image.open(BytesIO(mask)) as alpha:
        picture = opened.convert("RGBA")
        picture.putalpha(alpha.convert("RGBA").getchannel("A").resize(picture.size))
    return _encoded(picture, "PNG")


def _encoded(picture: Image.Image, image_format: str, quality: int = 90) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, image_format, quality=quality)
    return buffer.getvalue()


async def get_view(request: web.Request) -> web.StreamResponse:
    """A file of one of the folders; the name is reduced to its last part."""
    query, engine = request.query, request.app[ENGINE]
    name, kind = query.get("filename"), query.get("type", "output")
    if name is None:
        return web.Response(status=404)
    if not name or name.startswith("/") or ".." in name:
        return web.Response(status=400)
    name = Path(name).name
    try:
        path = engine.folders.resolve(kind, query.get("subfolder", ""), name)
    except KeyError:
        return web.Response(status=400)
    except Escape:
        return web.Response(status=403)
    if not path.is_file() or engine.faults.take("view_404", name):
        return web.Response(status=404)
    return _spoilt(request, path) or _recoded(request, path) or _whole(path)


def _whole(path: Path) -> web.StreamResponse:
    return WholeFile(path, _type_of(path))


def _type_of(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _spoilt(request: web.Request, path: Path) -> web.Response | None:
    """The file as a fault wants it; None when all is well."""
    faults = request.app[ENGINE].faults
    if faults.take("view_empty", path.name):
        return web.Response(body=b"", content_type=_type_of(path))
    if faults.take("view_truncated", path.name):
        content = path.read_bytes()
        return web.Response(body=content[: len(content) // 2], content_type=_type_of(path))
    if faults.take("view_not_an_image", path.name):
        return web.Response(body=NOT_AN_IMAGE, content_type="text/html")
    if faults.take("view_wrong_image", path.name):
        return web.Response(body=another_image(path), content_type="image/png")
    if faults.take("view_wrong_size", path.name):
        return web.Response(body=another_image(path, shrunk=2), content_type="image/png")
    return None


def _recoded(request: web.Request, path: Path) -> web.Response | None:
    """The image in another format or one channel of it; None when the query asks for neither."""
    channel = request.query.get("channel", "rgba")
    wanted, _, quality = request.query.get("preview", "").partition(";")
    if wanted in IMAGE_FORMATS:
        with Image.open(path) as opened:
            share = int(quality) if quality.isdigit() else 90
            body = _encoded(opened.convert("RGB"), IMAGE_FORMATS[wanted], share)
        return web.Response(body=body, content_type=f"image/{wanted}")
    if channel not in ("rgb", "a"):
        return None
    with Image.open(path) as opened:
        rgba = opened.convert("RGBA")
    body = _encoded(rgba.convert("RGB") if channel == "rgb" else rgba.getchannel("A"), "PNG")
    return web.Response(body=body, content_type="image/png")


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/view", get_view),
    ("POST", "/upload/image", post_upload),
    ("POST", "/upload/mask", post_mask),
]
