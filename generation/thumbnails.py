"""Small pictures of published images: all widths of one at once, made behind, and kept.

They lie below the projects root, where every machine sees them (`storage.derived_files`). Who asks
for one that is not made yet is told to come again.
"""

from generation import image_decoding, showable_files, storage
from generation.errors import Busy, NotFound, Refusal
from generation.models import Version
from generation.models.version import Derived
from wording import say

#: Few widths, so that nobody can fill the disk by asking for every one.
WIDTHS_PX = (160, 320, 640, 1280)
CONTENT_TYPE = "image/webp"
#: Counts how small pictures have been made: what was made otherwise is not found.
SERIES = 3
FOLDER = f"thumbnails-{SERIES}"
MAX_BYTES = 2**24


class Pending(Busy):
    """The small picture is not made yet: ask again in a few seconds."""

    code = "thumbnail_pending"


def thumbnail(version: Version, width_px: int) -> bytes:
    """Return a WebP of at most that width.

    Raises:
        Refusal: thumbnails of this width are not made.
        NotFound: the file is gone, or no image.
        Pending: it is not made yet.
    """
    if width_px not in WIDTHS_PX:
        known = ", ".join(str(width) for width in WIDTHS_PX)
        raise Refusal(
            say("Thumbnails are {known} pixels wide.", known=known), code="unknown_width", attr="w"
        )
    content = read_kept(version, width_px)
    if content is not None:
        return content
    if version.derived == Derived.NONE:
        raise NotFound(say("{version} has no thumbnail.", version=version), code="no_thumbnail")
    raise Pending


def make(version: Version, marks: storage.Marks) -> None:
    """Make and keep all thumbnails of a version; those of the same file that are there are left.

    Raises:
        UnreadableImage: the file is no image that can be used.
        FileGone: it is no longer on disk, or has become another file.
        StorageError: it cannot be read, or nothing can be kept.
        Busy: too much is being decoded just now.
    """
    at = folder(version.sha256)
    names = [name(version.sha256, width_px) for width_px in WIDTHS_PX]
    if all(storage.derived_files.read_kept(at, file_name, 1) for file_name in names):
        return
    whole = showable_files.master(version, marks)
    if showable_files.hash_of(whole) != version.sha256:
        raise storage.FileGone(
            say("{version} is not the file that was published.", version=version)
        )
    small = image_decoding.reduce(whole, *WIDTHS_PX)
    storage.derived_files.keep(at, dict(zip(names, small, strict=True)), marks)


def read_kept(version: Version, width_px: int) -> bytes | None:
    """Return a thumbnail that is made already; None: it is not, or cannot be read."""
    return storage.derived_files.read_kept(
        folder(version.sha256), name(version.sha256, width_px), MAX_BYTES
    )


def folder(sha256: str) -> str:
    """Return the folder that holds the thumbnails of a file, and of others that begin like it."""
    return f"{FOLDER}/{sha256[:2]}"


def name(sha256: str, width_px: int) -> str:
    """Return what the thumbnail of a file is called."""
    return f"{sha256}-{width_px}.webp"
