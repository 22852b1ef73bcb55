"""Staging folders, one on each volume: what was left in them, and clearing it away."""

import os
import stat
import time
from collections.abc import Container, Iterator

from generation import safe_open
from generation.storage import errors, volume_marks
from generation.storage.files import discard
from generation.storage.volume_marks import STAGING, UNBORN, Marks, root

#: A staging folder lies at the top of a volume, and volumes may begin down to a task's folder.
_DEPTH = 4


def left_over(age_s: float, marks: Marks = volume_marks.NO_MARKS) -> list[str]:
    """Return what has been lying in staging folders for so long, as paths relative to the root.

    Raises:
        StorageError: a folder cannot be read.
        WrongVolume: what is mounted there is not what the database knows.
    """
    until = time.time() - age_s
    try:
        volume_marks.survey("", marks)
        return [path for folder in _folders("") for path in _old_in(folder, until)]
    except OSError as error:
        raise errors.storage_error(error, str(root())) from error


def _folders(folder: str, depth: int = 0) -> Iterator[str]:
    """Yield the folder and those below it that can have a staging folder."""
    yield folder
    if depth == _DEPTH:
        return
    try:
        with safe_open.open_folder(root(), folder) as at:
            names = os.listdir(at)  # noqa: PTH208 - pathlib lists no descriptor
            below = sorted(name for name in names if _is_folder(at, name, depth))
    except (FileNotFoundError, safe_open.NotPlain):
        return
    for name in below:
        yield from _folders(f"{folder}/{name}".lstrip("/"), depth + 1)


def _is_folder(at: int, name: str, depth: int) -> bool:
    if name.startswith("."):
        return False
    try:
        # A project's folder may be a link.
        return stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=depth == 0).st_mode)
    except OSError:
        return False


def _old_in(folder: str, until: float) -> Iterator[str]:
    """Yield what is old in a folder's staging, and what was never born in the folder itself."""
    staging = f"{folder}/{STAGING}".lstrip("/")
    for where, prefix in ((staging, ""), (folder, UNBORN)):
        yield from (f"{where}/{name}".lstrip("/") for name in _old_files(where, prefix, until))


def _old_files(folder: str, prefix: str, until: float) -> list[str]:
    """Return the names of a folder's old files that begin so; none where there is no folder."""
    try:
        with safe_open.open_folder(root(), folder) as at:
            files = list(safe_open.plain_files(at))
    except FileNotFoundError:
        return []
    return [name for name, status in files if name.startswith(prefix) and status.st_mtime <= until]


def clear(old: list[str], *, kept: Container[str]) -> int:
    """Remove what is old and not to be kept; return how many files."""
    left = [path for path in old if path not in kept]
    for path in left:
        discard(path)
    return len(left)
