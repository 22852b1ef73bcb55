"""What can be made again from published files: in a hidden folder of the root, for all machines.

It lies on the root's own volume. The audit passes it over, and a back-up may leave it out.
"""

import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress

from generation import safe_open
from generation.storage import errors, volume_marks
from generation.storage.errors import StorageError
from generation.storage.files import absolute
from generation.storage.volume_marks import DERIVED, Marks, root
from wording import say

#: Of a file that is being written: whoever lists the folder passes it over while it is young.
DRAFT = ".draft-"


def keep(folder: str, files: dict[str, bytes], marks: Marks) -> None:
    """Write files into a folder, by their names, each whole or not at all; the last one counts.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
        WrongVolume: what is mounted there is not what the database knows.
    """
    try:
        with volume_marks.open_marked(_path(folder), marks, make=True) as at:
            for name, content in files.items():
                _replace(at, name, content)
            safe_open.sync(at)
    except OSError as error:
        raise errors.storage_error(error, str(root() / _path(folder))) from error


def _replace(at: int, name: str, content: bytes) -> None:
    draft = f"{DRAFT}{secrets.token_hex(8)}"
    try:
        safe_open.write_new(at, draft, content)
        os.replace(draft, name, src_dir_fd=at, dst_dir_fd=at)
    except OSError:
        with suppress(OSError):
            os.unlink(draft, dir_fd=at)
        raise


def read_kept(folder: str, name: str, max_bytes: int) -> bytes | None:
    """Return what a file of a folder holds; None: there is none, or it cannot be read."""
    with suppress(OSError), safe_open.open_file(root(), f"{_path(folder)}/{name}") as handle:
        return handle.read(max_bytes)
    return None


def names_in(folder: str = "") -> dict[str, float]:
    """Return what lies in a folder, files and folders, each with when it was changed last.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with safe_open.open_folder(root(), _path(folder)) as at:
            names = os.listdir(at)  # noqa: PTH208 - pathlib lists no descriptor
            return {name: _changed_s(at, name) for name in names}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise errors.storage_error(error, str(root() / _path(folder))) from error


def _changed_s(at: int, name: str) -> float:
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=at, follow_symlinks=False).st_mtime
    return 0.0


def forget(folder: str, names: Iterable[str]) -> int:
    """Remove files of a folder; return how many. What is gone, or is no file, is let be.

    Raises:
        StorageError: the folder cannot be written.
    """
    n_removed = 0
    try:
        with safe_open.open_folder(root(), _path(folder)) as at:
            for name in names:
                n_removed += _unlink(at, name)
    except FileNotFoundError:
        return n_removed
    except OSError as error:
        raise errors.storage_error(error, str(root() / _path(folder))) from error
    return n_removed


def _unlink(at: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        status = os.stat(name, dir_fd=at, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(name, dir_fd=at)
            return True
    return False


def remove(folder: str) -> None:
    """Remove a folder with all that is in it; what is gone is no error.

    Raises:
        StorageError: it cannot be removed.
    """
    above, name = safe_open.split(_path(folder))
    try:
        with safe_open.open_folder(root(), above) as at:
            shutil.rmtree(name, dir_fd=at)
    except FileNotFoundError:
        return
    except OSError as error:
        raise errors.storage_error(error, str(root() / _path(folder))) from error


def _path(folder: str) -> str:
    path = f"{DERIVED}/{folder}".rstrip("/")
    if not absolute(path).is_relative_to(root() / DERIVED):
        raise StorageError(say("{folder!r} is no folder of what is derived.", folder=folder))
    return path
