"""Small pictures of published images, made on demand and kept under MADSEA_HOME/thumbnails."""

import io
import secrets
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from generation import storage
from generation.errors import NotFound, Refusal
from generation.models import Version

#: Few widths, so that nobody can fill the disk by asking for every one.
WIDTHS_PX = (160, 320, 640, 1280)
CONTENT_TYPE = "image/webp"
_QUALITY = 80


def thumbnail(version: Version, width_px: int) -> Path:
    """Return a WebP of at most that width, made now if it is not kept yet.

    Raises:
        Refusal: thumbnails of this width are not made.
        NotFound: the file is gone, or is no image.
    """
    if width_px not in WIDTHS_PX:
        known = ", ".join(str(width) for width in WIDTHS_PX)
        raise Refusal(f"Thumbnails are {known} pixels wide.", code="unknown_width", attr="w")
    kept = _place(version.sha256, width_px)
    if not kept.is_file():
        _make(_content(version), kept, width_px)
    return kept


def _content(version: Version) -> bytes:
    try:
        return storage.read(version.path)
    except storage.FileGone:
        raise NotFound(f"{version} is no longer on disk.", code="file_missing") from None


def _place(sha256: str, width_px: int) -> Path:
    folder = Path(settings.MADSEA_HOME) / "thumbnails" / sha256[:2]
    return folder / f"{sha256}-{width_px}.webp"


def _make(content: bytes, target: Path, width_px: int) -> None:
    try:
        with Image.open(io.BytesIO(content)) as opened:
            small = _reduced(opened, width_px)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise NotFound(f"There is no thumbnail: {error}", code="no_thumbnail") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two requests may make the same one: each writes its own file, the last replaces the first.
    draft = target.with_suffix(f".{secrets.token_hex(4)}")
    small.save(draft, "WEBP", quality=_QUALITY)
    draft.replace(target)


def _reduced(opened: Image.Image, width_px: int) -> Image.Image:
    opened.draft("RGB", (width_px, opened.height))
    upright = ImageOps.exif_transpose(opened)
    upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    upright.thumbnail((width_px, upright.height))
    return upright
