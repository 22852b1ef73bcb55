"""Folders that apps above the engine keep: hidden at the top of the root, with others in them.

They lie on the root's own volume, where every machine sees them; the audit passes them over.
"""

import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from generation import safe_open
from generation.storage import errors, volume_marks
from generation.storage.errors import StorageError
from generation.storage.files import absolute
from generation.storage.volume_marks import APP_FOLDERS, Marks, root
from wording import say


def put(folder: str, name: str, pieces: Iterable[bytes], marks: Marks) -> Path:
    """Write a new file into an app's folder, made where it is missing, synced; return its path.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
        WrongVolume: what is mounted there is not what the database knows.
    """
    _check(folder)
    try:
        with volume_marks.open_marked(folder, marks, make=True) as at:
            safe_open.write_pieces(at, name, pieces)
            safe_open.sync(at)
    except OSError as error:
        raise errors.storage_error(error, str(root() / folder)) from error
    return absolute(f"{folder}/{name}")


def names_in(top: str) -> dict[str, float]:
    """Return the folders that lie in an app's folder, each with when it was changed last.

    Raises:
        StorageError: it cannot be read.
    """
    _check(top)
    try:
        with safe_open.open_folder(root(), top) as at:
            names = os.listdir(at)  # noqa: PTH208 - pathlib lists no descriptor
            seen = {name: _folder_s(at, name) for name in names}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise errors.storage_error(error, str(root() / top)) from error
    return {name: changed for name, changed in seen.items() if changed is not None}


def _folder_s(at: int, name: str) -> float | None:
    with suppress(OSError):
        status = os.stat(name, dir_fd=at, follow_symlinks=False)
        return status.st_mtime if stat.S_ISDIR(status.st_mode) else None
    return None


def remove_tree(folder: str) -> None:
    """Remove a folder of an app with all that is in it; what is gone is no error.

    Raises:
        StorageError: it cannot be removed.
    """
    _check(folder)
    above, name = safe_open.split(folder)
    try:
        with safe_open.open_folder(root(), above) as at:
            shutil.rmtree(name, dir_fd=at)
    except FileNotFoundError:
        return
    except OSError as error:
        raise errors.storage_error(error, str(root() / folder)) from error


def _check(folder: str) -> None:
    pieces = folder.split("/")
    if pieces[0] not in APP_FOLDERS or {"", ".", ".."} & set(pieces):
        raise StorageError(say("{folder!r} is no folder of an app.", folder=folder))
