"""A WebP by its chunks: type, length, content, and a byte that makes the length even."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from generation.decoding.image_containers import (
    UPRIGHT,
    Parts,
    animation,
    damaged,
    is_profile,
    joined,
    orientation_of,
    too_many,
)
from wording import say

CHUNKS_MAX = 10_000
_PROFILE, _ALPHA, _FILM = 0x20, 0x10, 0x02
_PIXELS = frozenset({b"VP8 ", b"VP8L"})


@dataclass(frozen=True)
class Chunk:
    """One part of the file."""

    kind: bytes
    content: bytes


@dataclass
class _Reading:
    """What has been read so far."""

    kept: list[Chunk] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)  #: the canvas', then the picture's
    orientation: int = UPRIGHT
    n_frames: int = 0


def is_webp(content: bytes) -> bool:
    """Tell whether bytes begin as a WebP does."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def first_size(content: bytes) -> tuple[int, int] | None:
    """Return the size that the first chunk tells; None: it tells none."""
    kind, first = content[12:16], content[20:30]
    if kind not in {b"VP8X", *_PIXELS} or len(first) < 10:
        return None
    return _canvas(first, 4) if kind == b"VP8X" else _size(Chunk(kind, first))


def read(content: bytes) -> Parts:
    """Return a WebP's parts.

    Raises:
        UnreadableImage: it is damaged, an animation, or in too many parts.
    """
    reading = _Reading()
    for chunk in chunks(content):
        _take(reading, chunk)
    if reading.n_frames > 1:
        raise animation(reading.n_frames)
    if not reading.sizes or not (reading.n_frames or _has_pixels(reading)):
        raise damaged()
    # Whatever a header claims, the largest is what a decoder may have to hold.
    width_px, height_px = (max(sides) for sides in zip(*reading.sizes, strict=True))
    clean = joined(content, _pieces(reading))
    is_film = bool(reading.n_frames)
    return Parts("webp", width_px, height_px, clean, reading.orientation, is_animated=is_film)


def _has_pixels(reading: _Reading) -> bool:
    return sum(chunk.kind in _PIXELS for chunk in reading.kept) == 1


def chunks(content: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a WebP.

    Raises:
        UnreadableImage: it is damaged, or in too many parts.
    """
    whole = int.from_bytes(content[4:8], "little") + 8
    if whole > len(content):
        raise damaged(say("The end of the image is missing."))
    start = 12
    for _ in range(CHUNKS_MAX):
        if start + 8 > whole:
            return
        end = start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")
        if end > whole:
            raise damaged()
        yield Chunk(content[start : start + 4], content[start + 8 : end])
        start = end + (end - start) % 2
    raise too_many(CHUNKS_MAX)


def _take(reading: _Reading, chunk: Chunk) -> None:
    if chunk.kind == b"VP8X" and not reading.kept:
        reading.sizes.append(_canvas(chunk.content, 4))
    elif chunk.kind in _PIXELS:
        reading.sizes.append(_size(chunk))
    elif chunk.kind == b"ANMF":
        reading.n_frames += 1
        reading.sizes.append(_canvas(chunk.content, 6))
    elif chunk.kind == b"EXIF":
        reading.orientation = orientation_of(chunk.content)
        return
    elif chunk.kind not in {b"ANIM", b"ALPH"} and not _is_profile(chunk):
        return
    reading.kept.append(chunk)


def _is_profile(chunk: Chunk) -> bool:
    return chunk.kind == b"ICCP" and is_profile(chunk.content)


def _canvas(content: bytes, start: int) -> tuple[int, int]:
    if len(content) < start + 6:
        raise damaged()
    sides = content[start : start + 3], content[start + 3 : start + 6]
    width_px, height_px = (int.from_bytes(side, "little") + 1 for side in sides)
    return width_px, height_px


def _size(chunk: Chunk) -> tuple[int, int]:
    content = chunk.content
    if len(content) < 10:
        raise damaged()
    if chunk.kind == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width_px, height_px = (int.from_bytes(content[at : at + 2], "little") for at in (6, 8))
    return width_px & 0x3FFF, height_px & 0x3FFF


def _pieces(reading: _Reading) -> Iterator[bytes]:
    kinds = {chunk.kind for chunk in reading.kept}
    pieces = [piece for chunk in reading.kept for piece in _written(chunk, kinds)]
    yield b"RIFF" + (4 + sum(map(len, pieces))).to_bytes(4, "little") + b"WEBP"
    yield from pieces


def _written(chunk: Chunk, kinds: set[bytes]) -> list[bytes]:
    content = chunk.content
    if chunk.kind == b"VP8X":
        gone = 0 if b"ICCP" in kinds else _PROFILE
        flags = content[0] & (_PROFILE | _ALPHA | _FILM) & ~gone
        content = bytes([flags, 0, 0, 0]) + content[4:10]
    padding = b"\0" * (len(content) % 2)
    return [chunk.kind, len(content).to_bytes(4, "little"), content, padding]
