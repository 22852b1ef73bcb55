"""Result files: the only module that writes below the projects root.

A file is staged (written, synced, hashed) in a hidden folder on the same file system, and later
linked to its final name without replacing anything there.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from django.conf import settings

from generation import beneath
from generation.errors import MadseaError

STAGING = ".staging"


class StorageError(MadseaError):
    """The projects folder cannot be written."""

    code = "storage"


class StagedFileGone(StorageError):
    """The staged file is not there any more: somebody has removed it."""

    code = "staged_file_gone"


class FileGone(StorageError):
    """The file is not there any more: somebody has removed it, or put something else there."""

    code = "file_gone"


class NameTaken(MadseaError):
    """Another file lies under the name."""

    code = "name_taken"


@dataclass(frozen=True)
class Staged:
    """A whole file in staging: `path` is relative to the projects root, the hash is SHA-256."""

    path: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    sha256: str
    n_bytes: int


def root() -> Path:
    """Return the projects root."""
    return Path(settings.MADSEA_PROJECTS_ROOT)


def absolute(relative: str) -> Path:
    """Return the absolute path of a path below the root.

    Raises:
        StorageError: it leads outside the root.
    """
    full = Path(os.path.normpath(root() / relative))
    if not full.is_relative_to(root()):
        raise StorageError(f"{relative!r} is outside the projects folder.")
    return full


def _inside(relative: str) -> str:
    """Return a path below the root in its shortest form; one that leads out of it is refused."""
    return absolute(relative).relative_to(root()).as_posix()


def stage(content: bytes) -> Staged:
    """Write bytes into staging and sync them to the disk.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    name = secrets.token_hex(16)
    relative = f"{STAGING}/{name}"
    try:
        with beneath.folder(root(), STAGING, make=True) as folder:
            beneath.write_new(folder, name, content)
            beneath.sync(folder)
    except OSError as error:
        discard(relative)
        raise StorageError(f"{root() / STAGING}: {error.strerror or error}") from error
    return Staged(relative, hashlib.sha256(content).hexdigest(), len(content))


def link(staging_path: str, final: str, sha256: str) -> None:
    """Give a staged file its final name, without ever replacing a file.

    Doing it twice changes nothing: a file of the same content under the name is ours.

    Raises:
        NameTaken: another file lies there.
        StagedFileGone: the staged file is gone, and the final one is not there either.
        StorageError: the folder cannot be written, or no plain file lies under a name.
    """
    above, name = beneath.split(_inside(final))
    try:
        with beneath.folder(root(), above, make=True) as folder:
            _link_once(_inside(staging_path), folder, name, sha256)
            beneath.sync(folder)
    except OSError as error:
        known = StagedFileGone if _is_gone(staging_path) else StorageError
        raise known(f"{final}: {error.strerror or error}") from error


def _link_once(staging_path: str, folder: int, name: str, sha256: str) -> None:
    above, source = beneath.split(staging_path)
    try:
        with beneath.folder(root(), above) as staging:
            beneath.check_plain(staging, source)
            os.link(source, name, src_dir_fd=staging, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        # A folder or a link under the name, or no staged file: nothing that can be compared.
        if (found := _hash_in(folder, name)) is None:
            raise
        if found == sha256:
            return
        if isinstance(error, FileExistsError):
            raise NameTaken(f"{name} exists with another content.") from None
        raise


def _hash_in(folder: int, name: str) -> str | None:
    """Return the SHA-256 of what lies under a name; None if it is no plain file."""
    try:
        with beneath.file_in(folder, name) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (beneath.NotPlain, FileNotFoundError):
        return None


def _is_gone(relative: str) -> bool:
    """Tell whether a staged file is certainly not there any more, its folder being readable."""
    above, name = beneath.split(_inside(relative))
    with suppress(OSError), beneath.folder(root(), above) as folder:
        try:
            beneath.check_plain(folder, name)
        except (beneath.NotPlain, FileNotFoundError):
            return True
    return False


def discard(staging_path: str) -> None:
    """Remove a staged file; what is gone is no error, what cannot be removed is cleared later."""
    if not staging_path:
        return
    above, name = beneath.split(_inside(staging_path))
    with suppress(OSError), beneath.folder(root(), above) as folder:
        beneath.check_plain(folder, name)
        os.unlink(name, dir_fd=folder)


def look(relative: str) -> Content:
    """Return what a file holds, read in pieces.

    Raises:
        FileGone: it is not there, or is no plain file.
        StorageError: it cannot be read.
    """
    with _opened(relative) as handle:
        digest = hashlib.file_digest(handle, "sha256")
        return Content(digest.hexdigest(), os.fstat(handle.fileno()).st_size)


def read(relative: str, *, max_bytes: int | None = None) -> bytes:
    """Return a file's bytes; None as `max_bytes`: however many they are.

    Raises:
        FileGone: it is not there, or is no plain file.
        StorageError: it cannot be read, or is larger than `max_bytes`.
    """
    with _opened(relative) as handle:
        n_bytes = os.fstat(handle.fileno()).st_size
        if max_bytes is not None and n_bytes > max_bytes:
            raise StorageError(f"{relative} has {n_bytes:,} bytes, at most {max_bytes:,} are read.")
        return handle.read(n_bytes)


@contextmanager
def _opened(relative: str) -> Iterator[BufferedReader]:
    try:
        with beneath.file(root(), _inside(relative)) as handle:
            yield handle
    except (beneath.NotPlain, FileNotFoundError) as error:
        raise FileGone(f"{relative}: {error.strerror or error}") from error
    except OSError as error:
        raise StorageError(f"{relative}: {error.strerror or error}") from error


def staged_before(age_s: float) -> list[str]:
    """Return what has been lying in staging for so long, as paths relative to the root.

    Raises:
        StorageError: the folder cannot be read.
    """
    now = time.time()
    try:
        with beneath.folder(root(), STAGING) as folder:
            old = [n for n, status in beneath.plain_files(folder) if now - status.st_mtime >= age_s]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{root() / STAGING}: {error.strerror or error}") from error
    return [f"{STAGING}/{name}" for name in old]
