"""Images that come in: decoded before they are believed, then staged."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from django.conf import settings

from generation import image_decoding, safe_open, showable_files, storage
from generation.errors import BadImage
from generation.examined_images import Examined, UnreadableImage
from generation.services.publication import Image
from wording import say, words_of

#: The endings that a name may have for each format.
ENDINGS = {"png": {"png"}, "jpg": {"jpg", "jpeg"}, "webp": {"webp"}}


@dataclass(frozen=True)
class CheckedImage:
    """A file that is an image."""

    content: bytes
    examined: Examined


def check(content: bytes, *, filename: str = "", is_render: bool = False) -> CheckedImage:
    """Decode an image fully; a `filename` must end as the content really is.

    A render is served as it is.

    Raises:
        BadImage: empty, too big, no image, truncated, or of another format than its name says.
        Busy: too much is being decoded just now.
    """
    check_size(len(content))
    try:
        examined = image_decoding.examine(content, wants_served=not is_render)
    except UnreadableImage as error:
        raise BadImage(words_of(error), code=error.code, attr="file") from error
    _check_ending(filename, examined.decoded.format)
    return CheckedImage(content, examined)


def check_size(n_bytes: int) -> None:
    """Check how large a file is, before or after it is read.

    Raises:
        BadImage: it is larger than an image may be.
    """
    limit = settings.MADSEA_IMAGE_MAX_BYTES
    if n_bytes > limit:
        detail = say(
            "The file has {n_bytes:,} bytes; at most {limit:,} are taken.",
            n_bytes=n_bytes,
            limit=limit,
        )
        raise BadImage(detail, code="too_large", attr="file")


def content_of(file: Path) -> bytes:
    """Return a file's bytes; one that is too large, or would never end, is not read.

    Raises:
        BadImage: it is too large, or cannot be read.
    """
    limit = settings.MADSEA_IMAGE_MAX_BYTES
    try:
        with safe_open.open_plain(file) as handle:
            check_size(os.fstat(handle.fileno()).st_size)
            return handle.read(limit)
    except OSError as error:
        raise BadImage(error.strerror or str(error), code="unreadable", attr="file") from error


def stage(content: bytes, *, filename: str = "", to: storage.Target = storage.NO_TARGET) -> Image:
    """Check and stage an image; `to` is where it is to be published, on the same volume.

    Raises:
        BadImage, Busy: as in `check`.
        StorageError: the projects folder cannot be written.
    """
    return put(check(content, filename=filename), to)


def put(checked: CheckedImage, to: storage.Target = storage.NO_TARGET) -> Image:
    """Stage an image that was checked, on the volume where it is to be published.

    Raises:
        StorageError: the projects folder cannot be written.
    """
    examined = checked.examined
    return Image(storage.stage(checked.content, to), examined.decoded, examined.served)


def keep_served(image: Image) -> None:
    """Keep what is served of an image that was reserved; else the first who asks would wait."""
    if image.served is not None:
        showable_files.keep(image.staged.sha256, image.served)


def _check_ending(filename: str, found: str) -> None:
    ending = PurePath(filename).suffix.lower().removeprefix(".")
    if ending and ending not in ENDINGS[found]:
        raise BadImage(
            say(
                "The name ends in .{ending:.16}, but the file is a {format} image.",
                ending=ending,
                format=found.upper(),
            ),
            code="wrong_extension",
            attr="file",
        )
