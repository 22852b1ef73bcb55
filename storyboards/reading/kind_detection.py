"""What kind of storyboard a file is, told by what it holds, and the reader of that kind."""

from pathlib import Path
from typing import Literal, TypeAlias

from storyboards.reading import csv_table, image_sequence, pdf, storyboarder
from storyboards.reading.archives import Archive, Folder, Zip
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import PictureFolder, Progress
from storyboards.reading.storyboard_model import Storyboard, UnreadableStoryboard
from wording import say

#: Of several pictures of a plan: the first, the last, or each as a board of its own.
Pictures: TypeAlias = Literal["first", "last", "all"]
#: So far into a file its mark may stand, as readers of PDF allow.
_MARK_WITHIN = 1024
#: How a zip begins, and one without files.
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")


def read(
    source: Path,
    into: Path,
    *,
    limits: ReadingLimits,
    pictures: Pictures = "first",
    on_progress: Progress | None = None,
) -> Storyboard:
    """Return a storyboard and write its pictures; each is a file `<sha256>.<suffix>` of `into`.

    Foreign files are read in a child process instead: `child_launch.read_in_child`.

    Raises:
        UnreadableStoryboard: it is none that can be read; `code` and words say why.
    """
    folder = PictureFolder(into, limits)
    _check_size(source, limits)
    storyboard = _read(source, folder, limits, pictures, on_progress or _untold)
    folder.forget_others({board.picture.sha256 for board in storyboard.boards if board.picture})
    return storyboard


def _read(
    source: Path, folder: PictureFolder, limits: ReadingLimits, taken: Pictures, told: Progress
) -> Storyboard:
    if not source.is_dir() and b"%PDF-" in _head(source):
        return pdf.read(source, folder, limits, told)
    archive = _archive(source, limits)
    if storyboarder.scenes(archive):
        return storyboarder.read(archive, folder, limits, told)
    table = csv_table.find(archive, limits)
    if table is not None:
        return csv_table.read(table, archive, folder, limits, told)
    return image_sequence.read(archive, folder, limits, told, taken=taken)


def _archive(source: Path, limits: ReadingLimits) -> Archive:
    """Return the files of a folder, of a zip, or of the folder around a project's own file."""
    if source.is_dir():
        return Folder(source, limits)
    if _head(source).startswith(_ZIPS):
        return Zip(source, limits)
    if source.suffix.casefold() == storyboarder.SUFFIX:
        return Folder(source.parent, limits, only=(source.name, "images/"))
    raise _unknown()


def _untold(done: int, whole: int) -> None:
    pass


def _head(source: Path) -> bytes:
    with source.open("rb") as handle:
        return handle.read(_MARK_WITHIN)


def _check_size(source: Path, limits: ReadingLimits) -> None:
    n_bytes = source.stat().st_size
    if not source.is_dir() and n_bytes > limits.file_bytes:
        raise UnreadableStoryboard(
            "too_large",
            say(
                "The file has {n_bytes:,.0f} MB; at most {file_bytes:,.0f} MB are read. "
                "Send it in parts.",
                n_bytes=n_bytes / 1e6,
                file_bytes=limits.file_bytes / 1e6,
            ),
            bytes=n_bytes,
            max_bytes=limits.file_bytes,
        )
    if not n_bytes:
        raise UnreadableStoryboard("empty", say("The file is empty."))


def _unknown() -> UnreadableStoryboard:
    return UnreadableStoryboard(
        "unknown_kind",
        say(
            "The file is neither a PDF, nor a Storyboarder project, nor a zip of one or of images."
        ),
    )
