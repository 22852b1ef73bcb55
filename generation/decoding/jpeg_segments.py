"""A JPEG by its segments: marker, length, content; after each start of scan, its coded pixels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from generation.decoding.image_containers import (
    UPRIGHT,
    Parts,
    damaged,
    joined,
    orientation_of,
    too_many,
)
from generation.examined_images import UnreadableImage
from wording import say

SIGNATURE = b"\xff\xd8\xff"
SEGMENTS_MAX = 10_000
#: A progressive JPEG has some ten; each costs as much as a whole picture.
SCANS_MAX = 100
_GLANCED_AT = 256
_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APPS = range(0xE0, 0xF0)
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: The first marker that is neither a stuffed byte, a filler nor a restart.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_MARKER = re.compile(rb"\xff[^\x00\xff]")


@dataclass(frozen=True)
class _Segment:
    marker: int
    content: memoryview  #: without its length
    whole: memoryview  #: with its marker, and with the pixels of a scan


@dataclass
class _Reading:
    """What has been read so far."""

    kept: list[bytes | memoryview] = field(default_factory=list)
    size: tuple[int, int] | None = None  #: width, height
    orientation: int | None = None
    n_scans: int = 0


def read(content: bytes) -> Parts:
    """Return the parts of a JPEG's first picture; an MPO has further ones behind it.

    Raises:
        UnreadableImage: it is damaged, or in too many parts.
    """
    reading = _Reading()
    for segment in _segments(content):
        _take(reading, segment)
    if reading.size is None or not reading.n_scans:
        raise damaged()
    clean = joined(content, [b"\xff\xd8", *reading.kept, b"\xff\xd9"])
    return Parts("jpg", *reading.size, clean, reading.orientation or UPRIGHT)


def first_size(content: bytes) -> tuple[int, int] | None:
    """Return the size that a segment before the pixels tells; None: it is not among the first."""
    start = 2
    for _ in range(_GLANCED_AT):
        marker, frame = content[start + 1 : start + 2], content[start + 4 : start + 10]
        if len(frame) < 6 or content[start] != 0xFF:
            return None
        if marker[0] in _FRAMES:
            return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
        start += 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    return None


def _segments(content: bytes) -> Iterator[_Segment]:
    view = memoryview(content)
    start = 2
    for _ in range(SEGMENTS_MAX):
        marker_match = _MARKER.search(content, start)
        if marker_match is None:
            raise damaged(say("The end of the image is missing."))
        marker, start = content[marker_match.end() - 1], marker_match.start()
        if marker == _END:
            return
        if marker in _ALONE:
            start = marker_match.end()
            continue
        end = start + 2 + int.from_bytes(view[start + 2 : start + 4], "big")
        if end < start + 4 or end > len(content):
            raise damaged()
        behind = _end_of_scan(content, end) if marker == _SCAN else end
        yield _Segment(marker, view[start + 4 : end], view[start:behind])
        start = behind
    raise too_many(SEGMENTS_MAX)


def _end_of_scan(content: bytes, start: int) -> int:
    marker_match = _NEXT_MARKER.search(content, start)
    if marker_match is None:
        raise damaged(say("The end of the image is missing."))
    return marker_match.start()


def _take(reading: _Reading, segment: _Segment) -> None:
    if segment.marker in _APPS:
        reading.kept += _kept_of_app(reading, segment)
    elif segment.marker != _COMMENT:
        _take_picture(reading, segment)
        reading.kept.append(segment.whole)


def _take_picture(reading: _Reading, segment: _Segment) -> None:
    if segment.marker in _FRAMES:
        reading.size = _size(reading, segment.content)
    elif segment.marker == _SCAN:
        reading.n_scans += 1
        if reading.n_scans > SCANS_MAX:
            raise too_many(SCANS_MAX)
    elif segment.marker == _START:
        raise damaged()


def _size(reading: _Reading, frame: memoryview) -> tuple[int, int]:
    if reading.size is not None or len(frame) < 6:
        raise damaged()
    if frame[0] != 8:
        detail = say("The JPEG has {frame} bits a channel; 8 are taken.", frame=frame[0])
        raise UnreadableImage("unsupported_format", detail)
    return int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")


def _kept_of_app(reading: _Reading, segment: _Segment) -> list[bytes | memoryview]:
    """Return what a picture needs of an application's segment; take its orientation from EXIF."""
    content = bytes(segment.content)
    if segment.marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14:
        # Without the preview that may follow.
        return [b"\xff\xe0\x00\x10", content[:12], b"\0\0"]
    if segment.marker == 0xE2 and content.startswith(b"ICC_PROFILE\0"):
        return [segment.whole]
    if segment.marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12:
        return [b"\xff\xee\x00\x0e", content[:12]]
    if content.startswith(b"Exif\0") and reading.orientation is None:
        reading.orientation = orientation_of(content)
    return []
