"""Output nodes: images written into the output or temp folder, each marked as a preview."""

import json
import struct
import zlib
from io import BytesIO
from random import choices
from string import ascii_lowercase
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfyui_preview.folders import SavePlace
from comfyui_preview.nodes.array_conversions import to_pillow
from comfyui_preview.nodes.preview_mark import marked
from comfyui_preview.nodes.registry import Context, Images, NodeUi, node

PREVIEW_KEY = "madsea_preview"
PREVIEW_TEXT = "an approximation made without a model by Madsea's preview server"
# a higher level saves a fifth of the bytes for three times the time
COMPRESS_LEVEL = 1
END_CHUNK_BYTES = 12
SMALL = (64, 36)


@node("SaveImage", context=True)
def save_image(context: Context, images: Images, filename_prefix: str) -> NodeUi:
    """Saves each image as `<prefix>_<counter>_.png` in the output folder."""
    return _save(context, images, "output", filename_prefix)


@node("PreviewImage", context=True)
def preview_image(context: Context, images: Images) -> NodeUi:
    """Saves each image in the temp folder."""
    return _save(context, images, "temp", "ComfyUI_temp_" + "".join(choices(ascii_lowercase, k=5)))  # noqa: S311


def _save(context: Context, images: Images, kind: str, prefix: str) -> NodeUi:
    place = context.folders.place(kind, prefix, (images.shape[2], images.shape[1]))
    texts = _texts(context)
    if kind == "output":
        context.finish()
    for index, image in enumerate(images):
        picture = marked(to_pillow(image))
        picture.save(place.folder / place.name(index), pnginfo=texts, compress_level=COMPRESS_LEVEL)
    return _shown(kind, place, len(images))


def save_ready_made(context: Context, filename_prefix: str) -> NodeUi:
    """Saves one small ready-made image, unlike any other by a text in it."""
    place = context.folders.place("output", filename_prefix, SMALL)
    context.finish()
    path = place.folder / place.name(0)
    path.write_bytes(_ready_made(f"{context.prompt_id} {path.name}"))
    return _shown("output", place, 1)


def _shown(kind: str, place: SavePlace, count: int) -> NodeUi:
    about: list[dict[str, Any]] = [
        {"filename": place.name(index), "subfolder": place.subfolder, "type": kind}
        for index in range(count)
    ]
    return NodeUi({"images": about})


def _texts(context: Context) -> PngInfo:
    texts = PngInfo()
    texts.add_text("prompt", json.dumps(context.graph))
    for key, value in context.extra_pnginfo.items():
        texts.add_text(key, json.dumps(value))
    texts.add_text(PREVIEW_KEY, PREVIEW_TEXT)
    return texts


def _ready_made(text: str) -> bytes:
    chunk = b"tEXt" + PREVIEW_KEY.encode() + b"\0" + text.encode()
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return _SMALL_PNG[:-END_CHUNK_BYTES] + whole + _SMALL_PNG[-END_CHUNK_BYTES:]


def _encoded(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


_SMALL_PNG = _encoded(Image.new("RGB", SMALL, (222, 184, 120)))
