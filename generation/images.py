"""Whether bytes are an image: outputs of servers, uploads and panels are decoded before belief."""

import io
import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

from PIL import Image, UnidentifiedImageError

from generation.errors import BadImage

Format: TypeAlias = Literal["png", "jpg", "webp"]

# Pillow's own limit lies below what a studio may allow; ours is held before any decoding.
Image.MAX_IMAGE_PIXELS = 500_000_000

_FORMATS: dict[str, Format] = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp"}
_OPENED = ("PNG", "JPEG", "WEBP")  # an MPO is a JPEG that holds further pictures
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_PNG_END = b"IEND\xae\x42\x60\x82"
_OTHER_IMAGES = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"\0\0\1\0", b"<svg", b"v/1\1")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error)


class UnreadableImage(BadImage):
    """The file is not an image that can be used.

    `code` is one of empty, not_an_image, truncated, too_many_pixels, unsupported_format.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail, code=code)


@dataclass(frozen=True)
class DecodedImage:
    """What an image really is, whatever its name says."""

    format: Format
    width_px: int
    height_px: int
    marks: str = ""  #: what a server wrote into it of the prompt that rendered it, as text


def decode(content: bytes, *, max_pixels: int) -> DecodedImage:
    """Decode the whole image, and return what it is.

    PNG, JPEG and WebP; an animation is refused, since a plan is one image. The size in the header
    is looked at before anything is decoded. Raises UnreadableImage.
    """
    if not content:
        raise UnreadableImage("empty", "The file is empty.")
    with _open(content) as image:
        _check_size(image, max_pixels)
        _check_still(image)
        _decode(image, content)
        size = (image.width, image.height)
        return DecodedImage(_FORMATS[str(image.format)], *size, marks=_marks(image))


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=_OPENED)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise _unidentified(content) from error


def _marks(image: Image.Image) -> str:
    """Return a PNG's texts of its graph and of our own mark. Source: protocol.md §9."""
    return "".join(str(image.info.get(name, "")) for name in ("madsea", "prompt"))


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(
            f" It has {image.width} × {image.height}, {max_pixels:,} are allowed."
        )


def _check_still(image: Image.Image) -> None:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise UnreadableImage(
            "unsupported_format", f"The file is an animation of {frames} frames, not one image."
        )


def _decode(image: Image.Image, content: bytes) -> None:
    """Decode every pixel, and see that the file has its end: decoders forgive what is missing."""
    try:
        with Image.open(io.BytesIO(content), formats=_OPENED) as twin:
            twin.verify()
        image.load()
    except _BROKEN as error:
        raise UnreadableImage("truncated", "The image is damaged or cut off.") from error
    if not _has_end(str(image.format), content):
        raise UnreadableImage("truncated", "The end of the image is missing.")


def _has_end(kind: str, content: bytes) -> bool:
    """Look for the end mark of a JPEG or PNG, and for the length that a WebP tells."""
    if kind == "PNG":
        return _PNG_END in content
    if kind in {"JPEG", "MPO"}:
        return content.rfind(b"\xff\xd9") > content.find(b"\xff\xda")
    return kind != "WEBP" or int.from_bytes(content[4:8], "little") + 8 <= len(content)


def _unidentified(content: bytes) -> UnreadableImage:
    is_webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if is_webp or content.startswith(_STARTS):
        return UnreadableImage("truncated", "The image is damaged or cut off.")
    if content.startswith(_OTHER_IMAGES) or content[4:8] == b"ftyp":
        return UnreadableImage("unsupported_format", "The image is neither PNG, JPEG nor WebP.")
    return UnreadableImage("not_an_image", "The file is not an image.")


def _too_many_pixels(sizes: str = "") -> UnreadableImage:
    return UnreadableImage("too_many_pixels", f"The image has too many pixels.{sizes}")
