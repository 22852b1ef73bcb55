"""Files: staged on the volume where they are published, linked to their names, read, discarded."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from generation import safe_open
from generation.storage import errors, volume_marks
from generation.storage.errors import (
    FileGone,
    FolderGone,
    NameTaken,
    StagedFileGone,
    StorageError,
)
from generation.storage.volume_marks import (
    NO_MARKS,
    NO_TARGET,
    STAGING,
    UNBORN,
    Marks,
    Survey,
    Target,
    root,
)
from wording import say

#: After these a staged file is copied into the folder where its name is to be: another mount or
#: quota, or a file that belongs to another user.
_COPIED_AFTER = frozenset({errno.EXDEV, *errors.WITHOUT_LINKS})


@dataclass(frozen=True)
class StagedFile:
    """A whole file in staging: `path` is relative to the projects root, the hash is SHA-256."""

    path: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class Content:
    """What a file holds."""

    sha256: str
    n_bytes: int


def absolute(relative: str) -> Path:
    """Return the absolute path of a path below the root.

    Raises:
        StorageError: it leads outside the root.
    """
    full = Path(os.path.normpath(root() / relative))
    if not full.is_relative_to(root()):
        raise _outside(relative)
    return full


def _outside(relative: str) -> StorageError:
    return StorageError(say("{relative!r} is outside the projects folder.", relative=relative))


def _inside(relative: str) -> str:
    """Return a path below the root in its shortest form; one that leads out of it is refused."""
    shortest = os.path.normpath(relative)
    if shortest.startswith(("/", "../")) or shortest == "..":
        raise _outside(relative)
    return shortest


# Staging ------------------------------------------------------------------------------------------


def stage(content: bytes, to: Target = NO_TARGET) -> StagedFile:
    """Write bytes into the staging folder of the volume where they are to be published, synced.

    The file is made in the folder of its name, and moved to staging while it is empty: so it has
    the group, the mode and the access list that this folder gives to a new file.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
        WrongVolume, UnknownVolume: what is mounted there is not what the database knows.
    """
    name, seen = secrets.token_hex(16), Survey(to.marks)
    folder = _inside(to.folder) if to.folder else ""
    try:
        with volume_marks.open_marked(folder, to.marks, make=True, survey=seen) as target:
            above = f"{seen.top}/{STAGING}".lstrip("/")
            with _staging(above, to.marks) as staging:
                _write(target, staging, name, content)
    except OSError as error:
        found = errors.storage_error(error, str(root() / folder))
        found.n_bytes = len(content)
        raise found from error
    return StagedFile(f"{above}/{name}", hashlib.sha256(content).hexdigest(), len(content))


@contextmanager
def _staging(folder: str, marks: Marks) -> Iterator[int]:
    """Open a staging folder; what lies in its way is no plan's fault."""
    with ExitStack() as stack:
        try:
            at = stack.enter_context(volume_marks.open_marked(folder, marks, make=True))
        except (safe_open.NotPlain, NotADirectoryError) as error:
            raise StorageError(
                say(
                    "{root}: {reason}",
                    root=root() / folder,
                    reason=error.strerror or say("no folder"),
                )
            ) from error
        yield at


def _write(target: int, staging: int, name: str, content: bytes) -> None:
    unborn = UNBORN + name
    try:
        safe_open.make_empty(target, unborn)
        os.rename(unborn, name, src_dir_fd=target, dst_dir_fd=staging)
        safe_open.write_and_sync(staging, name, content)
        safe_open.sync(staging)
    except OSError:
        _remove(target, unborn)
        _remove(staging, name)
        raise


def _remove(at: int, name: str) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=at)


def discard(staging_path: str) -> None:
    """Remove a staged file; what is gone is no error, what cannot be removed is cleared later."""
    if not staging_path:
        return
    above, name = safe_open.split(_inside(staging_path))
    with suppress(OSError), safe_open.open_folder(root(), above) as folder:
        safe_open.check_plain(folder, name)
        os.unlink(name, dir_fd=folder)


# Publishing ---------------------------------------------------------------------------------------


def link(staging_path: str, final: str, sha256: str, marks: Marks = NO_MARKS) -> None:
    """Give a staged file its final name, without ever replacing a file.

    Doing it twice changes nothing: a file of the same content under the name is ours. The marks are
    looked for in the very folders that are written to.

    Raises:
        NameTaken: another file lies there.
        StagedFileGone: the staged file is gone, and the final one is not there either.
        NoHardLinks: the file system has none.
        StorageError: the folder cannot be written, or no plain file lies under a name.
        WrongVolume, UnknownVolume: what is mounted there is not what the database knows.
    """
    above, name = safe_open.split(_inside(final))
    try:
        with volume_marks.open_marked(above, marks, make=True) as folder:
            _link_once(_inside(staging_path), folder, name, sha256)
            safe_open.sync(folder)
    except OSError as error:
        if _is_gone(staging_path, marks):
            raise StagedFileGone(
                say("{final}: {reason}", final=final, reason=error.strerror or error)
            ) from error
        raise errors.storage_error(error, final) from error


def _link_once(staging_path: str, folder: int, name: str, sha256: str) -> None:
    above, source = safe_open.split(staging_path)
    try:
        with safe_open.open_folder(root(), above) as staging:
            safe_open.check_plain(staging, source)
            _link(staging, source, folder, name)
    except OSError as error:
        # A folder or a link under the name, or no staged file: nothing that can be compared.
        if (sha256_there := _hash_in(folder, name)) is None:
            raise
        if sha256_there == sha256:
            return
        if isinstance(error, FileExistsError):
            raise NameTaken(say("{name} exists with another content.", name=name)) from None
        raise


def _link(staging: int, source: str, folder: int, name: str) -> None:
    try:
        os.link(source, name, src_dir_fd=staging, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _COPIED_AFTER:
            raise
        _link_copy(staging, source, folder, name)


def _link_copy(staging: int, source: str, folder: int, name: str) -> None:
    """Link a copy that lies in the very folder: if that cannot be done either, nothing can be."""
    unborn = UNBORN + secrets.token_hex(16)
    try:
        with safe_open.file_in(staging, source) as handle:
            safe_open.write_new(folder, unborn, handle.read())
        os.link(unborn, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in errors.WITHOUT_LINKS and error.filename2 is not None:
            raise errors.no_hard_links(name) from error
        raise
    finally:
        _remove(folder, unborn)


def _hash_in(folder: int, name: str) -> str | None:
    """Return the SHA-256 of what lies under a name; None if it is no plain file."""
    try:
        with safe_open.file_in(folder, name) as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (safe_open.NotPlain, FileNotFoundError):
        return None


def _is_gone(relative: str, marks: Marks) -> bool:
    """Tell whether a staged file is certainly not there any more, its folder being readable."""
    above, name = safe_open.split(_inside(relative))
    with suppress(OSError), volume_marks.open_marked(above, marks) as folder:
        try:
            safe_open.check_plain(folder, name)
        except (safe_open.NotPlain, FileNotFoundError):
            return True
    return False


# Reading ------------------------------------------------------------------------------------------


def read_in_pieces(relative: str, marks: Marks = NO_MARKS) -> Content:
    """Return what a file holds, read in pieces.

    Raises:
        FileGone: it is not there, or is no plain file.
        StorageError: it cannot be read.
    """
    with open_pieces(relative, marks) as handle:
        digest = hashlib.file_digest(handle, "sha256")
        return Content(digest.hexdigest(), os.fstat(handle.fileno()).st_size)


def read(relative: str, *, max_bytes: int | None = None, marks: Marks = NO_MARKS) -> bytes:
    """Return a file's bytes; None as `max_bytes`: however many they are.

    Raises:
        FileGone: it is not there, is no plain file, or has grown beyond `max_bytes` (FolderGone:
            its folder is not there either).
        StorageError: it cannot be read.
        WrongVolume: what is mounted there is not what the database knows.
    """
    with open_pieces(relative, marks) as handle:
        n_bytes = os.fstat(handle.fileno()).st_size
        if max_bytes is not None and n_bytes > max_bytes:
            raise FileGone(
                say(
                    "{relative} has {n_bytes:,} bytes, and had at most {max_bytes:,}.",
                    relative=relative,
                    n_bytes=n_bytes,
                    max_bytes=max_bytes,
                )
            )
        return handle.read(n_bytes)


def try_to_read(relative: str, marks: Marks = NO_MARKS) -> None:
    """Try whether a file can be read now.

    Raises:
        StorageError: as in `read`.
    """
    with open_pieces(relative, marks) as handle:
        handle.read(1)


def is_there(relative: str) -> bool:
    """Tell whether a plain file lies under a name; no where that cannot be found out."""
    above, name = safe_open.split(_inside(relative))
    with suppress(OSError), safe_open.open_folder(root(), above) as folder:
        safe_open.check_plain(folder, name)
        return True
    return False


@contextmanager
def open_pieces(relative: str, marks: Marks = NO_MARKS) -> Iterator[BufferedReader]:
    """Open a file for reading, piece by piece.

    Raises:
        FileGone, StorageError, WrongVolume: as in `read`.
    """
    above, name = safe_open.split(_inside(relative))
    try:
        with (
            volume_marks.open_marked(above, marks) as folder,
            _file_in(folder, name, relative) as handle,
        ):
            yield handle
    except FileNotFoundError as error:
        raise FolderGone(say("{relative}: its folder is not there", relative=relative)) from error
    except safe_open.NotPlain as error:
        raise FileGone(
            say("{relative}: {reason}", relative=relative, reason=error.strerror or error)
        ) from error
    except OSError as error:
        raise errors.storage_error(error, relative) from error


@contextmanager
def _file_in(folder: int, name: str, relative: str) -> Iterator[BufferedReader]:
    try:
        with safe_open.file_in(folder, name) as handle:
            yield handle
    except FileNotFoundError as error:
        raise FileGone(
            say("{relative}: {reason}", relative=relative, reason=error.strerror or error)
        ) from error


def probe(to: Target, n_bytes: int = 1) -> None:
    """Try whether so much can be published in a folder now; nothing stays of it.

    Raises:
        StorageError: it cannot, for whatever reason `stage` or `link` would give.
    """
    staged = stage(bytes(n_bytes), to)
    twin = f"{staged.path}-twin"
    try:
        link(staged.path, twin, staged.sha256, to.marks)
    finally:
        discard(twin)
        discard(staged.path)
