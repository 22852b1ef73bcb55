"""Opening what lies below a root without following links: others can put links there.

One link counts as what it leads to: a folder directly below the root, which is a project that its
administrator keeps on another volume. Below it and in hidden folders no link is followed, and
nothing is opened but folders and plain files. Each step is opened from the one before, so that
nobody can put a link in between.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

#: Is given each folder on the way, the root first: its path below the root, and its descriptor.
Visit = Callable[[str, int], None]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without waiting: a pipe that took the file's place a moment ago would be waited for.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotPlain(OSError):
    """A link, a pipe, a device or a folder lies where a plain file or a folder should."""

    def __init__(self, name: str, *, is_link: bool) -> None:
        what = "a link, which is not followed" if is_link else "no plain file"
        super().__init__(errno.ELOOP if is_link else errno.EINVAL, f"{name} is {what}")


def _see_nothing(path: str, at: int) -> None:
    pass


@contextmanager
def open_folder(
    root: Path, relative: str = "", *, make: bool = False, visit: Visit = _see_nothing
) -> Iterator[int]:
    """Open a folder below the root and yield its descriptor; `make`: make what is missing of it.

    The root itself is never made: it may be a share that is not mounted.

    Raises:
        OSError: there is none, or (NotPlain) a link lies in the way.
    """
    at = os.open(root, _FOLDER)
    path = ""
    names = [name for name in relative.split("/") if name not in ("", ".")]
    try:
        visit("", at)
        for depth, name in enumerate(names):
            if make:
                _make(at, name)
            above, at = at, _step(at, name, may_be_link=depth == 0 and not name.startswith("."))
            os.close(above)
            path = f"{path}/{name}" if path else name
            visit(path, at)
        yield at
    finally:
        os.close(at)


def _make(at: int, name: str) -> None:
    try:
        os.mkdir(name, dir_fd=at)
    except FileExistsError:
        return
    sync(at)


def _step(at: int, name: str, *, may_be_link: bool) -> int:
    if name == "..":
        raise NotPlain(name, is_link=False)
    try:
        return os.open(name, _FOLDER if may_be_link else _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR} and _is_link(at, name):
            raise NotPlain(name, is_link=True) from error
        raise


def _is_link(at: int, name: str) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)


@contextmanager
def open_file(root: Path, relative: str) -> Iterator[BufferedReader]:
    """Open a plain file below the root for reading.

    Raises:
        OSError: there is none, it cannot be read, or (NotPlain) it is none.
    """
    above, name = split(relative)
    with open_folder(root, above) as at, file_in(at, name) as handle:
        yield handle


@contextmanager
def file_in(at: int, name: str) -> Iterator[BufferedReader]:
    """Open a plain file of an open folder for reading.

    Raises:
        OSError: as in `open_file`.
    """
    check_plain(at, name)
    with os.fdopen(os.open(name, _FILE, dir_fd=at), "rb") as handle:
        if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            raise NotPlain(name, is_link=False)
        yield handle


@contextmanager
def open_plain(path: Path) -> Iterator[BufferedReader]:
    """Open somebody's file, links followed, but nothing that is no plain file.

    Raises:
        OSError: there is none, it cannot be read, or (NotPlain) it is none.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise NotPlain(path.name, is_link=False)
    with os.fdopen(os.open(path, _FILE & ~os.O_NOFOLLOW), "rb") as handle:
        if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            raise NotPlain(path.name, is_link=False)
        yield handle


def read_following_links(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of somebody's file, links followed; one that is larger is not read.

    Raises:
        OSError: it cannot be read, is larger, or (NotPlain) is no plain file.
    """
    with open_plain(path) as handle:
        n_bytes = os.fstat(handle.fileno()).st_size
        if n_bytes > max_bytes:
            raise OSError(errno.EFBIG, f"it has {n_bytes:,} bytes; at most {max_bytes:,} are read")
        return handle.read(max_bytes)


def check_plain(at: int, name: str) -> os.stat_result:
    """Return what an open folder's plain file is, without opening it: a device would be started.

    Raises:
        OSError: there is none, or (NotPlain) it is none.
    """
    status = os.stat(name, dir_fd=at, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise NotPlain(name, is_link=stat.S_ISLNK(status.st_mode))
    return status


def make_empty(at: int, name: str) -> None:
    """Make an empty file in an open folder; it is on the disk once it is written and synced.

    Raises:
        OSError: something of this name is there, or the disk does not take it.
    """
    os.close(os.open(name, _NEW_FILE, 0o666, dir_fd=at))


def write_new(at: int, name: str, content: bytes) -> None:
    """Write a new file into an open folder and sync it to the disk.

    Raises:
        OSError: something of this name is there, or the disk does not take it.
    """
    _write(os.open(name, _NEW_FILE, 0o666, dir_fd=at), content)


def write_pieces(at: int, name: str, pieces: Iterable[bytes]) -> None:
    """Write a new file of an open folder piece by piece and sync it; a failed one is removed.

    Raises:
        OSError: something of this name is there, or the disk does not take it.
    """
    descriptor = os.open(name, _NEW_FILE, 0o666, dir_fd=at)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            for piece in pieces:
                handle.write(piece)
            handle.flush()
            os.fsync(handle.fileno())
    except BaseException:
        os.unlink(name, dir_fd=at)
        raise


def write_and_sync(at: int, name: str, content: bytes) -> None:
    """Write into an empty file of an open folder and sync it to the disk.

    Raises:
        OSError: there is none, or the disk does not take it.
    """
    _write(os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at), content)


def _write(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def plain_files(at: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the plain files of an open folder by name; one that goes meanwhile is left out."""
    for name in sorted(os.listdir(at)):
        try:
            yield name, check_plain(at, name)
        except (NotPlain, FileNotFoundError):
            continue


def sync(at: int) -> None:
    """Sync an open folder to the disk."""
    try:
        os.fsync(at)
    except OSError as error:
        # Some network file systems know no sync of folders.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise


def split(relative: str) -> tuple[str, str]:
    """Return the folder and the name of a relative path."""
    above, _, name = relative.rpartition("/")
    return above, name
