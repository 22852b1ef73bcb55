"""Files that came together, as a folder or as its zip: read one by one, each within its bounds.

Nothing is unpacked to disk, no link is followed, and a name that leads out of the archive refuses
the whole of it.
"""

import json
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from generation import safe_open
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import UnreadableStoryboard
from wording import say

#: What systems and programs leave beside people's files.
_LITTER = ("__MACOSX/", ".", "Thumbs.db", "desktop.ini", "Icon\r")
_CENTRAL_DIRECTORY_END = b"PK\x05\x06"
_END_BYTES = 2**16 + 22
#: What an entry of a zip's directory takes at least and, with a long name, as a rule at most.
_ENTRY_BYTES = 46, 512
#: A small entry may be packed as well as it likes.
_SMALL_BYTES = 2**20
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class Archive(Protocol):
    """Files with relative names, `/` between folders."""

    name: str  #: how the folder or the zip is called, without a suffix

    def names(self) -> list[str]:
        """Return the names of all files but litter, in no order that means anything."""

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file; one that is larger is refused."""

    def changed(self, name: str) -> float:
        """Return when a file was changed last, in seconds."""


class Folder:
    """A folder of somebody's, or the part of it whose names begin as `only` says."""

    def __init__(self, path: Path, limits: ReadingLimits, only: tuple[str, ...] = ("",)) -> None:
        self.name = path.name
        self._path = path
        self._limits = limits
        self._left = limits.unpacked_bytes
        self._files: dict[str, float] = {}
        for name, changed in _walked(path):
            if name.startswith(only):
                self._files[name] = changed
            if len(self._files) > limits.archive_entries:
                raise too_many_entries(len(self._files), limits)

    def names(self) -> list[str]:
        """Return the names of all files but litter."""
        return list(self._files)

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file.

        Raises:
            UnreadableStoryboard: it is larger, or all files are together.
            OSError: it cannot be read, or is no plain file.
        """
        with safe_open.open_file(self._path, name) as handle:
            content = handle.read(most + 1)
        self._left -= len(content)
        _check(name, content, most, self._left, self._limits)
        return content

    def changed(self, name: str) -> float:
        """Return when a file was changed last, in seconds."""
        return self._files[name]


def _walked(root: Path) -> Iterator[tuple[str, float]]:
    """Yield the plain files of a folder and when they were changed; links are passed over."""
    for above, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            path = Path(above, file)
            status = path.lstat()
            name = path.relative_to(root).as_posix()
            if stat.S_ISREG(status.st_mode) and not is_litter(name):
                yield name, status.st_mtime


def is_litter(name: str) -> bool:
    """Tell whether a file is none of people's own."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(_LITTER)


class Zip:
    """A zip, of which nothing is unpacked but what is read."""

    def __init__(self, path: Path, limits: ReadingLimits) -> None:
        self._limits = limits
        self._left = limits.unpacked_bytes
        _check_directory(path, limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise broken_zip() from error
        entries = self._zip.infolist()
        if len(entries) > limits.archive_entries:
            raise too_many_entries(len(entries), limits)
        self._entries = dict(_usable(entries))
        self.name = _common_folder(self._entries) or path.stem

    def names(self) -> list[str]:
        """Return the names of all files but litter."""
        return list(self._entries)

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file.

        Raises:
            UnreadableStoryboard: it is larger, packed too well, damaged, or behind a password.
        """
        entry = self._entries[name]
        if entry.flag_bits & _ENCRYPTED:
            raise UnreadableStoryboard(
                "encrypted",
                say("The zip is protected by a password. Pack it without one, and send it again."),
            )
        try:
            with self._zip.open(entry) as handle:
                content = handle.read(most + 1)
        except _BROKEN as error:
            raise broken_zip(name) from error
        self._left -= len(content)
        _check(name, content, most, self._left, self._limits)
        self._check_ratio(entry, len(content))
        return content

    def changed(self, name: str) -> float:
        """Return when a file was changed last, in seconds from a day of no meaning."""
        year, month, day, hour, minute, second = self._entries[name].date_time
        days = (year * 12 + month) * 31 + day
        return float(((days * 24 + hour) * 60 + minute) * 60 + second)

    def _check_ratio(self, entry: zipfile.ZipInfo, n_bytes: int) -> None:
        most = self._limits.unpacking_ratio * max(entry.compress_size, 1)
        if n_bytes > _SMALL_BYTES and n_bytes > most:
            raise UnreadableStoryboard(
                "zip_bomb",
                say(
                    "{filename!r} of the zip unfolds to more than {unpacking_ratio} times its "
                    "size: it is not read.",
                    filename=entry.filename,
                    unpacking_ratio=self._limits.unpacking_ratio,
                ),
                file=entry.filename,
            )


def _check_directory(path: Path, limits: ReadingLimits) -> None:
    """Refuse a zip by the size of its list of files, before the list is read."""
    with path.open("rb") as handle:
        n_bytes = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, n_bytes - _END_BYTES))
        end = handle.read()
    at = end.rfind(_CENTRAL_DIRECTORY_END)
    if at < 0 or at + 16 > len(end):
        raise broken_zip()
    directory_bytes = int.from_bytes(end[at + 12 : at + 16], "little")
    least, most = _ENTRY_BYTES
    if directory_bytes > most * limits.archive_entries:
        raise too_many_entries(directory_bytes // least, limits)


def _usable(entries: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the files of a zip by their names; folders, links and litter are passed over."""
    for entry in entries:
        name = _name(entry)
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name.split("/")[0]:
            raise UnreadableStoryboard(
                "unsafe_path",
                say(
                    "The zip names a file that would lie outside of it, {name!r}: it is not read.",
                    name=name,
                ),
                file=name,
            )
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        if not entry.is_dir() and not is_link and not is_litter(name):
            yield name, entry


def _common_folder(names: Iterable[str]) -> str:
    """Return the folder that all files lie in; empty where there is none."""
    firsts = {name.partition("/")[0] if "/" in name else "" for name in names}
    return firsts.pop() if len(firsts) == 1 else ""


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry; old packers write UTF-8 without saying so."""
    name = entry.filename.replace("\\", "/")
    if entry.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _check(name: str, content: bytes, most: int, left: int, limits: ReadingLimits) -> None:
    if len(content) > most:
        raise UnreadableStoryboard(
            "too_large",
            say(
                "{name!r} has more than {most:,} MiB: it is not read.",
                name=name,
                most=most // 2**20,
            ),
            file=name,
            max_bytes=most,
        )
    if left < 0:
        whole = limits.unpacked_bytes // 2**20
        raise UnreadableStoryboard(
            "too_large",
            say(
                "The files have more than {whole:,} MiB together. Send them in parts.", whole=whole
            ),
            max_bytes=limits.unpacked_bytes,
        )


def broken_zip(name: str = "") -> UnreadableStoryboard:
    """Return the refusal of a zip that is damaged."""
    where = f" at {name!r}" if name else ""
    data = {"file": name} if name else {}
    sentence = say("The zip is damaged{where}. Pack it again, and send that.", where=where)
    return UnreadableStoryboard("broken", sentence, **data)


def too_many_entries(n_entries: int, limits: ReadingLimits) -> UnreadableStoryboard:
    """Return the refusal of a folder or a zip with too many files."""
    most = limits.archive_entries
    return UnreadableStoryboard(
        "too_many_files",
        say(
            "There are {n_entries:,} files or more; at most {most:,} are read. Send them in parts.",
            n_entries=n_entries,
            most=most,
        ),
        max_files=most,
    )


def json_of(content: bytes, name: str) -> Any:
    """Return what a JSON file says.

    Raises:
        UnreadableStoryboard: it is no JSON.
    """
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableStoryboard(
            "broken",
            say("{name!r} is damaged: it cannot be read as a Storyboarder project.", name=name),
            file=name,
        ) from error
