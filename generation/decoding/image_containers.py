"""What a file of each format is made of: read from its parts in one pass, before any decoding.

Of each part it is known whether a picture needs it: what stands behind or beside the picture
(texts, places, previews, whatever is appended) is left out of `clean`.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generation.examined_images import Format, UnreadableImage
from wording import say

#: A text is read through if it unfolds to no more bytes.
UNFOLDED_MAX = 16 * 2**20
#: Pillow, and so ComfyUI, opens no PNG with a larger profile.
PROFILE_MAX = 2**20
UPRIGHT = 1
_ORIENTATION = 0x0112
_ENTRIES_MAX = 1000
#: EXIF's types of a text and of a short number.
_TEXT, _SHORT = 2, 3
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


@dataclass(frozen=True)
class Parts:
    """A file by its parts; width and height are those of the pixels as they are stored."""

    format: Format
    width_px: int
    height_px: int
    clean: bytes  #: the same picture without what it does not need; the file itself if it is so
    orientation: int = UPRIGHT  #: how the picture is to be turned: 1 to 8, as in EXIF
    marks: str = ""  #: see `examined_images.DecodedImage`
    is_animated: bool = False  #: an animation, of one frame


def damaged(detail: str = say("The image is damaged or cut off.")) -> UnreadableImage:
    """Return the refusal of a file that is not whole."""
    return UnreadableImage("truncated", detail)


def too_many(most: int) -> UnreadableImage:
    """Return the refusal of a file in more parts than a picture has."""
    return UnreadableImage(
        "too_many_parts", say("The file has more than {most:,} parts.", most=most)
    )


def animation(n_frames: int) -> UnreadableImage:
    """Return the refusal of a film."""
    detail = say(
        "The file is an animation of {n_frames:,} frames, not one image.", n_frames=n_frames
    )
    return UnreadableImage("unsupported_format", detail)


def joined(content: bytes, pieces: Iterable[bytes | memoryview]) -> bytes:
    """Return the pieces as one, or the file itself where nothing was left out."""
    whole = b"".join(pieces)
    return content if whole == content else whole


def is_profile(profile: bytes) -> bool:
    """Tell whether bytes are an ICC profile, and nothing beside it."""
    return profile[36:40] == b"acsp" and int.from_bytes(profile[:4], "big") == len(profile)


def orientation_of(exif: bytes) -> int:
    """Return how EXIF says that the picture is to be turned; broken EXIF says nothing."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        value = _orientation_in(tiff, order)
    except struct.error:
        return UPRIGHT
    return value if 1 <= value <= 8 else UPRIGHT


def exif_texts(exif: bytes) -> list[bytes]:
    """Return the texts of EXIF's first directory, each without its end; broken EXIF has none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:4])
    try:
        return [] if order is None else list(_texts_in(tiff, order))
    except struct.error:
        return []


def _texts_in(tiff: bytes, order: str) -> Iterator[bytes]:
    for _, kind, n_bytes, place in _entries(tiff, order):
        (start,) = struct.unpack_from(f"{order}I", tiff, place)
        if kind == _TEXT and n_bytes > 4 and start + n_bytes <= len(tiff):
            yield tiff[start : start + n_bytes].rstrip(b"\0")


def _orientation_in(tiff: bytes, order: str) -> int:
    for tag, kind, _, place in _entries(tiff, order):
        if tag == _ORIENTATION and kind == _SHORT:
            return int(struct.unpack_from(f"{order}H", tiff, place)[0])
    return UPRIGHT


def _entries(tiff: bytes, order: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield the entries of the first directory: tag, type, number, and where its four bytes are."""
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (n_entries,) = struct.unpack_from(f"{order}H", tiff, start)
    for number in range(min(n_entries, _ENTRIES_MAX)):
        place = start + 2 + 12 * number
        tag, kind, count = struct.unpack_from(f"{order}HHI", tiff, place)
        yield tag, kind, count, place + 8
