"""The workflow that ComfyUI has written into a picture: its texts `prompt` and `workflow`.

In a PNG they are chunks of text, in a WebP entries of its EXIF that begin with the text's name and
a colon. Source: protocol.md §9; the tags of a WebP are those that ComfyUI's own nodes write.
"""

from collections.abc import Iterator

from generation.decoding import png_chunks, webp_chunks
from generation.decoding.image_containers import exif_texts
from generation.examined_images import UnreadableImage
from wording import say

NAMES = ("prompt", "workflow")


def is_picture(content: bytes) -> bool:
    """Tell whether bytes begin as a picture does that may carry a workflow."""
    return content.startswith(png_chunks.SIGNATURE) or webp_chunks.is_webp(content)


def read(content: bytes, most: int) -> dict[str, str]:
    """Return the texts by their names; `most` is how many bytes each may unfold to.

    Raises:
        UnreadableImage: the file is damaged, or a text in it is broken or longer.
    """
    texts: dict[str, str] = {}
    for name, text in _texts(content, most):
        if text is None or len(text) > most:
            detail = say(
                "The text “{name}” in the picture is broken, or longer than {most:,} bytes.",
                name=name,
                most=most,
            )
            raise UnreadableImage("too_large", detail)
        texts.setdefault(name, _decoded(text))
    return texts


def _texts(content: bytes, most: int) -> Iterator[tuple[str, bytes | None]]:
    if webp_chunks.is_webp(content):
        yield from _of_webp(content)
    elif content.startswith(png_chunks.SIGNATURE):
        yield from png_chunks.texts(content, NAMES, most)
    else:
        raise UnreadableImage("unsupported_format", say("Only a PNG or a WebP carries a workflow."))


def _of_webp(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    for chunk in webp_chunks.chunks(content):
        if chunk.kind != b"EXIF":
            continue
        for entry in exif_texts(chunk.content):
            name, colon, text = entry.partition(b":")
            known = name.decode("ascii", "replace")
            if colon and known in NAMES:
                yield known, text


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")
