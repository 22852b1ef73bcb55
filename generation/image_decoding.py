"""Whatever enters as an image is decoded by this process' children, within the settings' limits."""

import os
from pathlib import Path

from django.conf import settings

from generation.decoding import image_header
from generation.decoding.pool import DecodingLimits, Pool
from generation.examined_images import Examined

#: From here on an image is decoded alone on its machine.
LARGE_PX = 16_000_000

_pools: list[Pool] = []


def examine(content: bytes, *, wants_served: bool = True) -> Examined:
    """Decode an image whole; return what it is and, unless it is served as it is, what is served.

    Raises:
        UnreadableImage: it is none that can be used, or costs too much to decode.
        Busy: too much is being decoded just now.
    """
    is_large = _is_large(content)
    answer = _pool().ask(content, _limits(), is_large=is_large, wants_served=wants_served)
    return answer.examined()


def reduce(content: bytes, *widths_px: int) -> list[bytes]:
    """Return WebPs of an image, each of at most its width.

    Raises:
        UnreadableImage: it is none that can be used, or costs too much to decode.
        Busy: too much is being decoded just now.
    """
    is_large = _is_large(content)
    return _pool().ask(content, _limits(), is_large=is_large, widths_px=widths_px).reduced()


def sketch(content: bytes) -> bytes:
    """Return an image as `decoding.pillow_images.SKETCH_SIZE` pixels of red, green and blue.

    Raises:
        UnreadableImage: it is none that can be used, or costs too much to decode.
        Busy: too much is being decoded just now.
    """
    return _pool().ask(content, _limits(), is_large=_is_large(content), is_sketched=True).sketch()


def workflow_texts(content: bytes, *, most_bytes: int) -> dict[str, str]:
    """Return the texts `prompt` and `workflow` that ComfyUI has written into a PNG or WebP.

    Raises:
        UnreadableImage: it is none, damaged, or a text in it has more than `most_bytes`.
        Busy: too much is being decoded just now.
    """
    return _pool().ask(content, _limits(), is_large=False, text_bytes=most_bytes).texts()


def warm_up() -> None:
    """Have a child ready for images that will come."""
    _pool().warm_up()


def _is_large(content: bytes) -> bool:
    size = image_header.claimed_size(content)
    return size is None or size[0] * size[1] > LARGE_PX


def _limits() -> DecodingLimits:
    return DecodingLimits(
        memory_bytes=settings.MADSEA_DECODE_MEMORY_MIB * 2**20,
        cpu_s=settings.MADSEA_DECODE_S,
        max_pixels=settings.MADSEA_IMAGE_MAX_PIXELS,
        lock=Path(settings.MADSEA_HOME) / "decoding.lock",
    )


def _pool() -> Pool:
    if not _pools:
        _pools.append(Pool(settings.MADSEA_DECODERS))
    return _pools[0]


def _forget() -> None:
    for pool in _pools:
        pool.forget()
    _pools.clear()


# A forked process starts children of its own; those it has inherited would outlive their parent.
os.register_at_fork(after_in_child=_forget)
