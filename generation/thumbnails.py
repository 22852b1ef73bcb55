"""Small pictures of published images, made on demand and kept under MADSEA_HOME/thumbnails."""

import secrets
from pathlib import Path

from django.conf import settings

from generation import decoders, storage
from generation.errors import NotFound, Refusal
from generation.images import UnreadableImage
from generation.models import Version

#: Few widths, so that nobody can fill the disk by asking for every one.
WIDTHS_PX = (160, 320, 640, 1280)
CONTENT_TYPE = "image/webp"
#: Counts how small pictures have been made; those that were made otherwise are not shown.
SERIES = 2


def thumbnail(version: Version, width_px: int) -> Path:
    """Return a WebP of at most that width, made now if it is not kept yet.

    Raises:
        Refusal: thumbnails of this width are not made.
        NotFound: the file is gone, or is no image.
        Busy: too much is being decoded just now.
    """
    if width_px not in WIDTHS_PX:
        known = ", ".join(str(width) for width in WIDTHS_PX)
        raise Refusal(f"Thumbnails are {known} pixels wide.", code="unknown_width", attr="w")
    kept = _place(version.sha256, width_px)
    if not kept.is_file():
        _make(version, kept, width_px)
    return kept


def _place(sha256: str, width_px: int) -> Path:
    folder = Path(settings.MADSEA_HOME) / "thumbnails" / f"{SERIES}" / sha256[:2]
    return folder / f"{sha256}-{width_px}.webp"


def _make(version: Version, target: Path, width_px: int) -> None:
    try:
        small = decoders.reduce(storage.read(version.path), width_px)
    except storage.FileGone:
        raise NotFound(f"{version} is no longer on disk.", code="file_missing") from None
    except UnreadableImage as error:
        raise NotFound(f"{version} has no thumbnail: {error}", code="no_thumbnail") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two requests may make the same one: each writes its own file, the last replaces the first.
    draft = target.with_suffix(f".{secrets.token_hex(4)}")
    draft.write_bytes(small)
    draft.replace(target)
