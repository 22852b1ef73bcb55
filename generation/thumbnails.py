"""Small pictures of published images, made on demand and kept under MADSEA_HOME/thumbnails."""

from generation import decoders, derived, served
from generation.errors import NotFound, Refusal
from generation.images import UnreadableImage
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
    place = derived.place("thumbnails", SERIES, version.sha256, f"-{width_px}.webp")
    kept = derived.kept(place)
    if kept is not None:
        return kept
    small = _made(version, width_px)
    derived.keep(place, small)
    return small


def _made(version: Version, width_px: int) -> bytes:
    try:
        return decoders.reduce(served.master(version), width_px)
    except UnreadableImage as error:
        raise NotFound(f"{version} has no thumbnail: {error}", code="no_thumbnail") from error
