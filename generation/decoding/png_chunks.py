"""A PNG by its chunks: length, type, content, CRC-32."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from generation.decoding.image_containers import (
    PROFILE_MAX,
    UNFOLDED_MAX,
    UPRIGHT,
    Parts,
    animation,
    damaged,
    is_profile,
    joined,
    orientation_of,
    too_many,
)
from generation.examined_images import UnreadableImage
from wording import say

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNKS_MAX = 32_768
_CHUNK_BYTES = 2048  #: of a larger file, the least bytes per chunk on average
#: In more pieces than this, the pixels are put together before they are decoded.
_PIECES_MAX = 4096
_NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
#: What a picture looks otherwise without, and how long it may be.
_LOOKS = {
    b"gAMA": range(4, 5),
    b"cHRM": range(32, 33),
    b"sRGB": range(1, 2),
    b"sBIT": range(1, 5),
    b"pHYs": range(9, 10),
    b"cICP": range(4, 5),
    b"mDCV": range(24, 25),
    b"cLLI": range(8, 9),
    b"iCCP": range(1, 64 * 2**20),
}
#: What is clear: one grey, one colour, or as much as the palette has.
_CLEAR = {0: range(2, 3), 2: range(6, 7), 3: range(1, 257)}
#: The texts that hold the graph of a render, and our own mark. Source: protocol.md §9.
_MARKS = (b"madsea", b"prompt")
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
#: So long is the name of a text at most, with its end.
_NAME_MAX = 80


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    content: memoryview
    whole: memoryview  #: with its length, type and CRC

    def is_intact(self) -> bool:
        crc = zlib.crc32(self.content, zlib.crc32(self.kind))
        return crc == int.from_bytes(self.whole[-4:], "big")


@dataclass
class _Reading:
    """What has been read so far."""

    kept: list[_Chunk] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    marks: dict[bytes, bytes] = field(default_factory=dict)
    orientation: int = UPRIGHT


def read(content: bytes) -> Parts:
    """Return a PNG's parts.

    Raises:
        UnreadableImage: it is damaged, an animation, or in too many parts.
    """
    reading = _Reading()
    for chunk in _chunks(content):
        if chunk.kind in _NEEDED:
            _take_needed(reading, chunk)
        elif chunk.is_intact():
            _take_other(reading, chunk)
        reading.seen.add(chunk.kind)
    if b"IDAT" not in reading.seen:
        raise damaged()
    width_px, height_px = struct.unpack_from(">II", reading.kept[0].content)
    marks = b"".join(reading.marks.get(name, b"") for name in _MARKS)
    return Parts(
        "png",
        width_px,
        height_px,
        _clean(content, reading.kept),
        reading.orientation,
        marks.decode("utf-8", "replace"),
    )


def texts(content: bytes, names: Iterable[str], most: int) -> Iterator[tuple[str, bytes | None]]:
    """Yield the texts of these names; None for one that is broken or unfolds to more bytes.

    Raises:
        UnreadableImage: the file is damaged, or in too many parts.
    """
    wanted = {name.encode(): name for name in names}
    for chunk in _chunks(content):
        name = bytes(chunk.content[:_NAME_MAX]).partition(b"\0")[0]
        if chunk.kind in _TEXTS and name in wanted and chunk.is_intact():
            yield wanted[name], _text(chunk.kind, bytes(chunk.content[len(name) + 1 :]), most)


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the end mark; what is appended is none of the picture."""
    view = memoryview(content)
    start = len(SIGNATURE)
    most = max(CHUNKS_MAX, len(content) // _CHUNK_BYTES)
    for _ in range(most):
        if start + 12 > len(content):
            raise damaged(say("The end of the image is missing."))
        end = start + 12 + int.from_bytes(view[start : start + 4], "big")
        if end > len(content):
            raise damaged()
        chunk = _Chunk(
            bytes(view[start + 4 : start + 8]), view[start + 8 : end - 4], view[start:end]
        )
        yield chunk
        if chunk.kind == b"IEND":
            return
        start = end
    raise too_many(most)


def _take_needed(reading: _Reading, chunk: _Chunk) -> None:
    is_first = not reading.seen
    is_twice = chunk.kind in reading.seen and chunk.kind != b"IDAT"
    if not chunk.is_intact() or is_first != (chunk.kind == b"IHDR") or is_twice:
        raise damaged()
    if chunk.kind == b"IHDR" and len(chunk.content) != 13:
        raise damaged()
    reading.kept.append(chunk)


def _take_other(reading: _Reading, chunk: _Chunk) -> None:
    kind, content = chunk.kind, chunk.content
    if kind == b"tRNS" or kind in _LOOKS:
        _take_look(reading, chunk)
    elif kind in _TEXTS:
        _take_text(reading, kind, bytes(content))
    elif kind == b"eXIf" and kind not in reading.seen:
        reading.orientation = orientation_of(bytes(content))
    elif kind == b"acTL" and b"IDAT" not in reading.seen:
        _refuse_film(int.from_bytes(content[:4], "big"))
    elif kind == b"fdAT":
        raise animation(2)
    elif not kind[:1].islower():
        detail = say(
            "The PNG needs a decoder that knows {chunk}.", chunk=kind.decode("ascii", "replace")
        )
        raise UnreadableImage("unsupported_format", detail)


def _refuse_film(n_frames: int) -> None:
    if n_frames > 1:
        raise animation(n_frames)


def _take_look(reading: _Reading, chunk: _Chunk) -> None:
    is_misplaced = chunk.kind in reading.seen or b"IDAT" in reading.seen
    if is_misplaced or len(chunk.content) not in _lengths(reading, chunk.kind):
        return
    if chunk.kind != b"iCCP" or _holds_profile(bytes(chunk.content)):
        reading.kept.append(chunk)


def _lengths(reading: _Reading, kind: bytes) -> range:
    if kind != b"tRNS":
        return _LOOKS[kind]
    colour_type = reading.kept[0].content[9] if reading.kept else 0
    return _CLEAR.get(colour_type, range(0))


def _holds_profile(content: bytes) -> bool:
    name, _, packed = content.partition(b"\0")
    profile = _unfolded(packed[1:], PROFILE_MAX)
    return len(name) < 80 and profile is not None and is_profile(profile)


def _unfolded(packed: bytes, most: int) -> bytes | None:
    """Return what was packed; None: it is broken, too much, or something stands behind it."""
    unpacker = zlib.decompressobj()
    try:
        unfolded = unpacker.decompress(packed, most)
    except zlib.error:
        return None
    return unfolded if unpacker.eof and not unpacker.unused_data else None


def _take_text(reading: _Reading, kind: bytes, content: bytes) -> None:
    name, _, rest = content.partition(b"\0")
    if name not in _MARKS or name in reading.marks:
        return
    # What is too long to be read through is not known: it says nothing.
    reading.marks[name] = _text(kind, rest, UNFOLDED_MAX) or b""


def _text(kind: bytes, rest: bytes, most: int) -> bytes | None:
    if kind == b"zTXt":
        return _unfolded(rest[1:], most)
    if kind == b"tEXt":
        return rest if len(rest) <= most else None
    # iTXt: whether it is packed, how, its language, its name in that language, the text.
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    if rest[:1] == b"\1":
        return _unfolded(text, most)
    return text if len(text) <= most else None


def _clean(content: bytes, kept: list[_Chunk]) -> bytes:
    pixels = [chunk for chunk in kept if chunk.kind == b"IDAT"]
    if len(pixels) <= _PIECES_MAX:
        return joined(content, [SIGNATURE, *(chunk.whole for chunk in kept)])
    before = [chunk.whole for chunk in kept if chunk.kind not in {b"IDAT", b"IEND"}]
    return b"".join([SIGNATURE, *before, *_as_one(pixels), kept[-1].whole])


def _as_one(pixels: list[_Chunk]) -> list[bytes]:
    whole = b"".join(chunk.content for chunk in pixels)
    crc = zlib.crc32(whole, zlib.crc32(b"IDAT"))
    return [struct.pack(">I4s", len(whole), b"IDAT"), whole, struct.pack(">I", crc)]
