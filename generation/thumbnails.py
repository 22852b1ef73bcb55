"""Small pictures of published images, made on demand and kept under MADSEA_HOME/thumbnails."""

from generation import derived_files, image_decoding, served_files
from generation.errors import NotFound, Refusal
from generation.image_formats import UnreadableImage
from generation.models import Version

#: Few widths, so that nobody can fill the disk by asking for every one.
WIDTHS_PX = (160, 320, 640, 1280)
CONTENT_TYPE = "image/webp"
#: Counts how small pictures have been made.
SERIES = 2


def thumbnail(version: Version, width_px: int) -> bytes:
    """Return a WebP of at most that width, made now if it is not kept yet.

    Raises:
        Refusal: thumbnails of this width are not made.
        NotFound: the file is no image.
        FileGone: the file is gone.
        StorageError: it cannot be read.
        Busy: too much is being decoded just now.
    """
    if width_px not in WIDTHS_PX:
        known = ", ".join(str(width) for width in WIDTHS_PX)
        raise Refusal(f"Thumbnails are {known} pixels wide.", code="unknown_width", attr="w")
    place = derived_files.place("thumbnails", SERIES, version.sha256, f"-{width_px}.webp")
    kept = derived_files.kept(place)
    if kept is not None:
        return kept
    small = _made(version, width_px)
    derived_files.keep(place, small)
    return small


def _made(version: Version, width_px: int) -> bytes:
    try:
        return image_decoding.reduce(served_files.master(version), width_px)
    except UnreadableImage as error:
        raise NotFound(f"{version} has no thumbnail: {error}", code="no_thumbnail") from error
