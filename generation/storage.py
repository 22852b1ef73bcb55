"""Result files: the only module that writes below the projects root.

A file is staged (written, synced, hashed) in a hidden folder on the same file system, and later
linked to its final name without replacing anything there.
"""

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from generation.errors import MadseaError

STAGING = ".staging"


class StorageError(MadseaError):
    """The projects folder cannot be written."""

    code = "storage"


class StagedFileGone(StorageError):
    """The staged file is not there any more: somebody has removed it."""

    code = "staged_file_gone"


class NameTaken(MadseaError):
    """Another file lies under the name."""

    code = "name_taken"


@dataclass(frozen=True)
class Staged:
    """A whole file in staging: `path` is relative to the projects root, the hash is SHA-256."""

    path: str
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


def stage(content: bytes) -> Staged:
    """Write bytes into staging and sync them to the disk.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    relative = f"{STAGING}/{secrets.token_hex(16)}"
    target = absolute(relative)
    try:
        _make_folder(target.parent)
        _write_synced(target, content)
        _sync_folder(target.parent)
    except OSError as error:
        discard(relative)
        raise StorageError(f"{target.parent}: {error.strerror or error}") from error
    return Staged(relative, hashlib.sha256(content).hexdigest(), len(content))


def _write_synced(target: Path, content: bytes) -> None:
    with target.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def link(staging_path: str, final: str, sha256: str) -> None:
    """Give a staged file its final name, without ever replacing a file.

    Doing it twice changes nothing: a file of the same content under the name is ours.

    Raises:
        NameTaken: another file lies there.
        StagedFileGone: the staged file is gone, and the final one is not there either.
        StorageError: the folder cannot be written.
    """
    source, target = absolute(staging_path), absolute(final)
    try:
        _make_folder(target.parent)
        _link_once(source, target, sha256)
        _sync_folder(target.parent)
    except OSError as error:
        known = StagedFileGone if _is_gone(source) else StorageError
        raise known(f"{final}: {error.strerror or error}") from error


def _link_once(source: Path, target: Path, sha256: str) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        # A folder or a dead link under the name, or no staged file: nothing that can be compared.
        if not target.is_file():
            raise
        if hash_of(target) == sha256:
            return
        if isinstance(error, FileExistsError):
            raise NameTaken(f"{target.name} exists with another content.") from None
        raise


def _is_gone(path: Path) -> bool:
    """Tell whether a file is certainly not there, its folder being readable."""
    return path.parent.is_dir() and not path.exists()


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for parent in folder.parents:
        _sync_folder(parent)
        if parent == root():
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no sync of folders.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


def discard(staging_path: str) -> None:
    """Remove a staged file; what is gone is no error, what cannot be removed is cleared later."""
    if staging_path:
        with suppress(OSError):
            absolute(staging_path).unlink(missing_ok=True)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read(relative: str) -> bytes:
    """Return a file's bytes.

    Raises:
        StorageError: it is not there or cannot be read.
    """
    try:
        return absolute(relative).read_bytes()
    except OSError as error:
        raise StorageError(f"{relative}: {error.strerror or error}") from error


def staged_before(age_s: float) -> list[str]:
    """Return what has been lying in staging for so long, as paths relative to the root.

    Raises:
        StorageError: the folder cannot be read.
    """
    folder = root() / STAGING
    try:
        ages = list(_ages(folder)) if folder.is_dir() else []
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}") from error
    return [f"{STAGING}/{name}" for name, since_s in ages if since_s >= age_s]


def _ages(folder: Path) -> Iterator[tuple[str, float]]:
    now = time.time()
    for file in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):
            yield file.name, now - file.stat().st_mtime
