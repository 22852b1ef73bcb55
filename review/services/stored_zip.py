"""A zip archive whose length is known before its first byte: its entries are stored as they are.

Each entry's checksum follows its bytes, so that every file is read once. Sizes and places beyond
4 GiB, and more than 65,535 entries, are told in the fields of zip64.
Source: PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

_LOCAL, _DESCRIPTOR, _CENTRAL = b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02"
_END, _END_64, _END_64_AT = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFFFFFF
#: Names are UTF-8, and checksum and sizes follow the bytes.
_FLAGS = 0x0800 | 0x0008
_PLAIN, _ZIP64 = 20, 45
#: Made on Unix, a plain file that everybody may read.
_MADE_BY, _MODE = 3 << 8, 0o100644 << 16


class NotAsPromised(Exception):
    """An entry has other bytes than was said: what was sent until now is no whole archive."""


@dataclass(frozen=True)
class ZipEntry:
    """A file of an archive: `pieces` reads its `n_bytes` bytes, one piece after the other."""

    name: str
    n_bytes: int
    made_at: datetime
    pieces: Callable[[], Iterable[bytes]]

    @property
    def is_large(self) -> bool:
        """Whether its size takes the fields of zip64."""
        return self.n_bytes >= _MOST_32


def length(entries: Sequence[ZipEntry]) -> int:
    """Return how many bytes an archive of these entries has."""
    n_bytes = 0
    index = 0
    for entry in entries:
        index += len(_central(entry, n_bytes, 0))
        n_bytes += len(_local(entry)) + entry.n_bytes + len(_descriptor(entry, 0))
    return n_bytes + index + len(_end(len(entries), n_bytes, index))


def pieces(entries: Iterable[ZipEntry]) -> Iterator[bytes]:
    """Yield the archive, a piece at a time.

    Raises:
        NotAsPromised: an entry has more bytes, or fewer, than it said.
    """
    at = 0
    index: list[bytes] = []
    for entry in entries:
        head = _local(entry)
        yield head
        checksum, n_bytes = 0, 0
        for piece in entry.pieces():
            checksum, n_bytes = zlib.crc32(piece, checksum), n_bytes + len(piece)
            if n_bytes <= entry.n_bytes:
                yield piece
        if n_bytes != entry.n_bytes:
            raise NotAsPromised(f"{entry.name} has {n_bytes:,} bytes, and had {entry.n_bytes:,}")
        foot = _descriptor(entry, checksum)
        yield foot
        index.append(_central(entry, at, checksum))
        at += len(head) + n_bytes + len(foot)
    listed = b"".join(index)
    yield listed + _end(len(index), at, len(listed))


def _local(each: ZipEntry) -> bytes:
    name = each.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, 0, 0) if each.is_large else b""
    size = _MOST_32 if each.is_large else 0
    needed = _ZIP64 if each.is_large else _PLAIN
    lengths = (len(name), len(extra))
    head = struct.pack("<HHHHHLLLHH", needed, _FLAGS, 0, *_moment(each), 0, size, size, *lengths)
    return _LOCAL + head + name + extra


def _descriptor(each: ZipEntry, checksum: int) -> bytes:
    form = "<LQQ" if each.is_large else "<LLL"
    return _DESCRIPTOR + struct.pack(form, checksum, each.n_bytes, each.n_bytes)


def _central(each: ZipEntry, at: int, checksum: int) -> bytes:
    name = each.name.encode()
    wide = [each.n_bytes, each.n_bytes] if each.is_large else []
    wide += [at] if at >= _MOST_32 else []
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size = min(each.n_bytes, _MOST_32)
    needed = _ZIP64 if wide else _PLAIN
    head = struct.pack("<HHHHHH", _MADE_BY | needed, needed, _FLAGS, 0, *_moment(each))
    sizes = struct.pack("<LLLHH", checksum, size, size, len(name), len(extra))
    rest = struct.pack("<HHHLL", 0, 0, 0, _MODE, min(at, _MOST_32))
    return _CENTRAL + head + sizes + rest + name + extra


def _end(n_entries: int, at: int, n_bytes: int) -> bytes:
    counts = [min(n_entries, _MOST_16)] * 2
    places = min(n_bytes, _MOST_32), min(at, _MOST_32)
    end = _END + struct.pack("<HHHHLLH", 0, 0, *counts, *places, 0)
    if n_entries < _MOST_16 and at < _MOST_32 and n_bytes < _MOST_32:
        return end
    versions, numbers = (_ZIP64, _ZIP64, 0, 0), (n_entries, n_entries, n_bytes, at)
    wide = _END_64 + struct.pack("<QHHLLQQQQ", 44, *versions, *numbers)
    return wide + _END_64_AT + struct.pack("<LQL", 0, at + n_bytes, 1) + end


def _moment(each: ZipEntry) -> tuple[int, int]:
    """Return time and day as MS-DOS keeps them: two seconds at a time, from 1980 on."""
    at = each.made_at
    day = (max(at.year - 1980, 0) << 9) | (at.month << 5) | at.day
    return (at.hour << 11) | (at.minute << 5) | (at.second // 2), day
