"""Volumes: the projects root, and each disk below it that is another one; each carries a mark.

A share that is not mounted leaves an empty folder. What would be written there is gone after the
mount, so whoever writes, reads or deletes looks for the marks on the way down, in the very folders
that it opens.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from generation import safe_open
from generation.extension_points import Registry
from generation.storage import errors
from generation.storage.errors import UnknownVolume, WrongVolume
from wording import say

STAGING = ".staging"
MARK = ".madsea-volume"
#: What is made of published files, and can be made again.
DERIVED = ".derived"
#: A file that is being made where it will be published.
UNBORN = ".madsea-new-"
_WORDS = (
    "Madsea knows this volume by the following line. Do not remove or copy this file: without it\n"
    "nothing is published here.\n"
)
_MARK_BYTES = 1024
_INFO_BYTES = 1024

#: The marks that the database knows: by each volume's path below the root, the root's own is "".
Marks = Mapping[str, str]
NO_MARKS: Marks = {}


@dataclass(frozen=True)
class Target:
    """Where a file is to be published: a folder below the root, and the marks on the way."""

    folder: str = ""
    marks: Marks = field(default_factory=dict)


NO_TARGET = Target()

#: The hidden folders at the top of the projects root that apps above the engine keep files in.
APP_FOLDERS: Registry[str] = Registry()


def root() -> Path:
    """Return the projects root."""
    return Path(settings.MADSEA_PROJECTS_ROOT)


class _Own:
    """The names of what Madsea puts beside the files for itself."""

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        return name in {STAGING, MARK, DERIVED, *APP_FOLDERS} or name.startswith(UNBORN)


OWN = _Own()


class Survey:
    """Looks at each folder on the way down; `top` is the volume that the last one lies on.

    Raises:
        WrongVolume: a mark is missing, or is another's.
        UnknownVolume: a volume begins that the marks do not name; never where they name none.
    """

    def __init__(self, marks: Marks) -> None:
        self.top = ""
        self._marks = marks
        self._volume: tuple[int, bytes] | None = None

    def __call__(self, path: str, at: int) -> None:
        """Take a folder's path and descriptor."""
        volume = _volume(at)
        is_new = volume != self._volume
        if is_new:
            self.top, self._volume = path, volume
        if path in self._marks:
            _verify(path, self._marks[path], _mark_in(at))
        elif is_new and self._marks:
            raise UnknownVolume(path)


def _volume(at: int) -> tuple[int, bytes]:
    """Return the identity of a volume; a folder mounted twice is two, as links see it."""
    return os.fstat(at).st_dev, _mount(at)


def _mount(at: int) -> bytes:
    # Linux says so; elsewhere the device has to do. Asked for each folder on each way down.
    try:
        info = os.open(f"/proc/self/fdinfo/{at}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        lines = os.read(info, _INFO_BYTES).splitlines()
    finally:
        os.close(info)
    return next((line for line in lines if line.startswith(b"mnt_id:")), b"")


def _verify(path: str, wanted: str, found: str) -> None:
    if found == wanted:
        return
    if found:
        detail = say(
            "{where} carries another mark: it is not the volume that Madsea knows. Nothing is"
            " written there.",
            where=_called(path),
        )
    else:
        detail = say(
            "{where} carries no mark of Madsea's: its volume is not mounted. Nothing is written"
            " there.",
            where=_called(path),
        )
    raise WrongVolume(path, detail)


def _mark_in(at: int) -> str:
    try:
        with safe_open.file_in(at, MARK) as handle:
            lines = handle.read(_MARK_BYTES).decode("ascii", "replace").splitlines()
    except (safe_open.NotPlain, FileNotFoundError):
        return ""
    return lines[-1].strip() if lines else ""


@contextmanager
def open_marked(
    folder: str, marks: Marks, *, make: bool = False, survey: Survey | None = None
) -> Iterator[int]:
    """Open a folder below the root whose volumes carry their marks; yield its descriptor.

    Raises:
        OSError: there is none.
        WrongVolume: a mark is missing, or is another's.
        UnknownVolume: it lies on a volume that the marks do not name.
    """
    if make:
        _check_mounted(folder, marks)
    try:
        with safe_open.open_folder(root(), folder, make=make, visit=survey or Survey(marks)) as at:
            yield at
    except FileNotFoundError:
        _check_mounted(folder, marks)
        raise


def _check_mounted(folder: str, marks: Marks) -> None:
    """Refuse a folder when one of the volumes on the way is not there at all."""
    for path in sorted(marks):
        is_on_the_way = not path or folder == path or folder.startswith(f"{path}/")
        if is_on_the_way and not (root() / path).is_dir():
            detail = say("{where} is not there: its volume is not mounted.", where=_called(path))
            raise WrongVolume(path, detail)


def _called(path: str) -> str:
    return str(root() / path) if path else say("The projects folder {root}", root=root())


def survey(folder: str, marks: Marks) -> None:
    """Look for the marks on the way to a folder, as far as it exists.

    Raises:
        WrongVolume, UnknownVolume: as in `open_marked`.
        StorageError: it cannot be read.
    """
    try:
        with suppress(FileNotFoundError), open_marked(folder, marks):
            pass
    except OSError as error:
        raise errors.storage_error(error, str(root() / folder)) from error


def read_mark(path: str = "") -> str:
    """Return the mark of the volume at a path below the root; empty when it has none.

    Raises:
        StorageError: there is no such folder, or it cannot be read.
    """
    try:
        with safe_open.open_folder(root(), path) as at:
            return _mark_in(at)
    except OSError as error:
        raise errors.storage_error(error, str(root() / path)) from error


def make_root() -> None:
    """Make a projects root that is missing.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        root().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.storage_error(error, str(root())) from error


def make_mark(path: str = "") -> str:
    """Mark the volume at a path below the root, making a root that is missing; return its mark.

    One that has a mark keeps it: of two processes at once, both get the first one's.

    Raises:
        StorageError: it cannot be written.
    """
    draft = f"{UNBORN}{secrets.token_hex(8)}"
    if not path:
        make_root()
    try:
        with safe_open.open_folder(root(), path) as at:
            if mark := _mark_in(at):
                return mark
            safe_open.write_new(at, draft, f"{_WORDS}{secrets.token_hex(16)}\n".encode())
            _give_name(at, draft)
            safe_open.sync(at)
            return _mark_in(at)
    except OSError as error:
        raise errors.storage_error(error, str(root() / path)) from error


def _give_name(at: int, draft: str) -> None:
    try:
        os.link(draft, MARK, src_dir_fd=at, dst_dir_fd=at)
    except FileExistsError:
        # Somebody was faster, or something that is no file lies there.
        safe_open.check_plain(at, MARK)
    except OSError as error:
        if error.errno in errors.WITHOUT_LINKS:
            raise errors.no_hard_links(str(root())) from error
        raise
    finally:
        os.unlink(draft, dir_fd=at)


def is_empty(path: str = "") -> bool:
    """Tell whether nothing but hidden files lies in a volume.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with safe_open.open_folder(root(), path) as at:
            names = os.listdir(at)  # noqa: PTH208 - pathlib lists no descriptor
    except OSError as error:
        raise errors.storage_error(error, str(root() / path)) from error
    return all(name.startswith(".") or name == "lost+found" for name in names)
