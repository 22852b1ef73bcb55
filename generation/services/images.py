"""Images that come in: decoded before they are believed, then staged."""

from pathlib import PurePath

from django.conf import settings

from generation import storage
from generation.errors import BadImage
from generation.images import DecodedImage, UnreadableImage, decode
from generation.services.versions import Image

#: The endings that a name may have for each format.
ENDINGS = {"png": {"png"}, "jpg": {"jpg", "jpeg"}, "webp": {"webp"}}


def stage(content: bytes, *, filename: str = "") -> Image:
    """Check and stage an image; a `filename` must end as the content really is.

    Raises:
        BadImage: empty, too big, no image, truncated, or of another format than its name says.
        StorageError: the projects folder cannot be written.
    """
    decoded = check(content, filename=filename)
    return Image(storage.stage(content), decoded)


def check(content: bytes, *, filename: str = "") -> DecodedImage:
    """Decode an image fully and return what it is.

    Raises:
        BadImage: as in `stage`.
    """
    limit = settings.MADSEA_IMAGE_MAX_BYTES
    if len(content) > limit:
        detail = f"The file has {len(content):,} bytes; at most {limit:,} are taken."
        raise BadImage(detail, code="too_large", attr="file")
    try:
        decoded = decode(content, max_pixels=settings.MADSEA_IMAGE_MAX_PIXELS)
    except UnreadableImage as error:
        raise BadImage(str(error), code=error.code, attr="file") from error
    _check_ending(filename, decoded.format)
    return decoded


def _check_ending(filename: str, found: str) -> None:
    ending = PurePath(filename).suffix.lower().removeprefix(".")
    if ending and ending not in ENDINGS[found]:
        raise BadImage(
            f"The name ends in .{ending:.16}, but the file is a {found.upper()} image.",
            code="wrong_extension",
            attr="file",
        )
