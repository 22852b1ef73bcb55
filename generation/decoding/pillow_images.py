"""Decoding with Pillow: what an image is, what is served of it, small pictures, a sketch.

Runs in a child process (`decoding.child_main`): nothing here is safe beside anything else.
"""

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image, ImageMath, UnidentifiedImageError

from generation.decoding import image_header, jpeg_segments, png_chunks, webp_chunks
from generation.decoding.image_containers import UPRIGHT, Parts, damaged
from generation.decoding.pixel_hash import pixels_sha256
from generation.examined_images import DecodedImage, Examined, UnreadableImage
from wording import say

# Sizes and lengths are bounded before Pillow sees anything.
Image.MAX_IMAGE_PIXELS = None

_OPENED = ("PNG", "JPEG", "WEBP")
_OTHER_IMAGES = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"\0\0\1\0", b"<svg", b"v/1\1")
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError),
    *(OverflowError, AttributeError, ZeroDivisionError, struct.error),
)
#: Transposing by what EXIF says.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: How many times as high as it is wide a small picture may be.
_HEIGHTS_MAX = 4
_QUALITY = 80
#: What is measured of a picture is taken from so many pixels.
SKETCH_SIZE = (64, 36)
#: What is transparent is neither black nor white.
_BEHIND = (128, 128, 128, 255)


def examine(content: bytes, *, max_pixels: int, wants_served: bool = True) -> Examined:
    """Decode the whole image, and return what it is and what of it is served.

    PNG, JPEG and WebP; an animation of several frames is refused, since a plan is one image. What
    is served as it is (a render) is not cleaned: `wants_served`.

    Raises:
        UnreadableImage: it is none that can be used.
    """
    parts = _parts(content, max_pixels)
    image = _loaded(parts)
    upright = _upright(image, parts)
    pixels = pixels_sha256(upright)
    decoded = DecodedImage(parts.format, upright.width, upright.height, pixels, parts.marks)
    if not wants_served:
        return Examined(decoded, None)
    shown = _encoded(upright, parts) if _is_rewritten(image, parts) else parts.clean
    return Examined(decoded, None if shown is content else shown)


def reduce(content: bytes, *, widths_px: Sequence[int], max_pixels: int) -> list[bytes]:
    """Return WebPs of an image, each of at most its width; a very high one is narrower.

    It is decoded once; each is made of the next larger one.

    Raises:
        UnreadableImage: it is none that can be used.
    """
    parts = _parts(content, max_pixels)
    made: dict[int, bytes] = {}
    try:
        small = _decoded_for(parts, max(widths_px))
        for width_px in sorted(widths_px, reverse=True):
            small.thumbnail((width_px, width_px * _HEIGHTS_MAX))
            made[width_px] = _saved(small, "WEBP", quality=_QUALITY)
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise damaged() from error
    return [made[width_px] for width_px in widths_px]


def sketch(content: bytes, *, max_pixels: int) -> bytes:
    """Return an image in `SKETCH_SIZE`, stretched to it: red, green and blue, row by row.

    Raises:
        UnreadableImage: it is none that can be used.
    """
    parts = _parts(content, max_pixels)
    try:
        image = _decoded_for(parts, SKETCH_SIZE[0]).convert("RGBA")
        ground = Image.new("RGBA", image.size, _BEHIND)
        shown = Image.alpha_composite(ground, image).convert("RGB")
        return shown.resize(SKETCH_SIZE, Image.Resampling.BOX).tobytes()
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise damaged() from error


def _decoded_for(parts: Parts, width_px: int) -> Image.Image:
    """Return an image upright and in eight bits, as large as small pictures of it take."""
    image = Image.open(io.BytesIO(parts.clean), formats=_OPENED)
    # A JPEG is decoded no larger than it takes, whichever way it is turned.
    side_px = width_px * _HEIGHTS_MAX
    image.draft(None, (side_px, side_px))
    upright = _in_eight_bits(_upright(image, parts))
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _parts(content: bytes, max_pixels: int) -> Parts:
    claimed = image_header.claimed_size(content)
    if claimed is not None:
        check_size(claimed, max_pixels)
    parts = _read(content)
    check_size((parts.width_px, parts.height_px), max_pixels)
    return parts


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Check how large a picture is.

    Raises:
        UnreadableImage: it has more pixels than are allowed.
    """
    width_px, height_px = size
    if width_px * height_px > max_pixels:
        raise UnreadableImage(
            "too_many_pixels",
            say(
                "The image has too many pixels. It has {width_px} × {height_px}, "
                "{max_pixels:,} are allowed.",
                width_px=width_px,
                height_px=height_px,
                max_pixels=max_pixels,
            ),
        )


def _read(content: bytes) -> Parts:
    if not content:
        raise UnreadableImage("empty", say("The file is empty."))
    if content.startswith(png_chunks.SIGNATURE):
        return png_chunks.read(content)
    if content.startswith(jpeg_segments.SIGNATURE):
        return jpeg_segments.read(content)
    if webp_chunks.is_webp(content):
        return webp_chunks.read(content)
    if content.startswith(_OTHER_IMAGES) or content[4:8] == b"ftyp":
        raise UnreadableImage("unsupported_format", say("The image is neither PNG, JPEG nor WebP."))
    raise UnreadableImage("not_an_image", say("The file is not an image."))


def _loaded(parts: Parts) -> Image.Image:
    """Decode every pixel."""
    try:
        image = Image.open(io.BytesIO(parts.clean), formats=_OPENED)
        is_as_said = image.size == (parts.width_px, parts.height_px)
        if is_as_said:
            image.load()
    except (UnidentifiedImageError, *_BROKEN) as error:
        raise damaged() from error
    if not is_as_said:
        raise damaged(say("The image says that it has two different sizes."))
    return image


def _is_rewritten(image: Image.Image, parts: Parts) -> bool:
    """Tell whether some readers would show the image turned, or white, or moving."""
    return parts.orientation != UPRIGHT or parts.is_animated or image.mode.startswith("I")


def _upright(image: Image.Image, parts: Parts) -> Image.Image:
    turn = _TURNS.get(parts.orientation)
    return image if turn is None else image.transpose(turn)


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Return grey of 16 bits in 8: converting cuts off what is brighter than 255 instead."""
    if not image.mode.startswith("I"):
        return image
    wide = image.convert("I")
    grey = _calculated(wide, lambda value: (value + 128) / 257)
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    return Image.merge("LA", (grey, _calculated(wide, lambda value: (value != clear) * 255)))


def _calculated(wide: Image.Image, of: Callable[[Any], Any]) -> Image.Image:
    """Return grey of 8 bits, calculated of each pixel."""
    grey: Image.Image = ImageMath.lambda_eval(
        lambda given: given["convert"](of(given["wide"]), "L"), wide=wide
    )
    return grey


def _encoded(upright: Image.Image, parts: Parts) -> bytes:
    """Return an image as every reader shows it, in the format of its file."""
    profile = upright.info.get("icc_profile")
    upright = _in_eight_bits(upright)
    if parts.format == "png":
        return _saved(upright, "PNG", compress_level=4, icc_profile=profile)
    if parts.format == "jpg":
        return _saved(upright, "JPEG", quality=95, subsampling=0, icc_profile=profile)
    is_exact = b"VP8L" in parts.clean[:64]
    return _saved(upright, "WEBP", lossless=is_exact, quality=90, method=1, icc_profile=profile)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()
