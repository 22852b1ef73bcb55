"""The pictures of a storyboard as files: each written once, named by what it holds."""

import io
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import PictureFile, UnreadableStoryboard
from wording import say

# Sizes are bounded before Pillow decodes anything.
Image.MAX_IMAGE_PIXELS = None

_FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError)
#: The width at which a picture is looked at to see whether something is drawn.
_GLANCE_PX = 200
#: How many of 256 shades lie between the darkest and the lightest pixel of a blank board at most.
_BLANK_SHADES = 12


class BadPicture(Exception):
    """A picture that cannot be used; `code` is that of the board's doubt."""

    def __init__(self, code: str, **data: int) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


class PictureFolder:
    """Where the pictures of one storyboard are written."""

    def __init__(self, into: Path, limits: ReadingLimits) -> None:
        self._into = into
        self._limits = limits
        self._known: dict[str, tuple[PictureFile, bool]] = {}
        self._n_bytes = 0

    def put(self, content: bytes) -> tuple[PictureFile, bool]:
        """Write a picture, unless it is there; return it, and whether nothing is drawn on it.

        Raises:
            BadPicture: it is damaged, too large, or neither JPEG, PNG nor WebP.
            UnreadableStoryboard: all pictures together are too large.
        """
        digest = sha256(content).hexdigest()
        if digest not in self._known:
            self._known[digest] = self._write(content, digest)
        return self._known[digest]

    def put_image(self, image: Image.Image) -> tuple[PictureFile, bool]:
        """Write a picture that no file holds as it is, as PNG; see `put`."""
        held = io.BytesIO()
        image.save(held, "PNG", compress_level=1)
        return self.put(held.getvalue())

    def forget_others(self, used: set[str]) -> None:
        """Remove the pictures that no board shows: logos, and what lies under others."""
        for digest, (picture, _) in self._known.items():
            if digest not in used:
                (self._into / f"{digest}.{picture.suffix}").unlink(missing_ok=True)

    def _write(self, content: bytes, digest: str) -> tuple[PictureFile, bool]:
        if len(content) > self._limits.picture_bytes:
            raise BadPicture("picture_too_large", max_bytes=self._limits.picture_bytes)
        picture, is_blank = self._examined(content, digest)
        self._n_bytes += len(content)
        if self._n_bytes > self._limits.written_bytes:
            raise UnreadableStoryboard(
                "too_large",
                say(
                    "The pictures of the storyboard are too large together: at most "
                    "{written_bytes:,} MiB are read.",
                    written_bytes=self._limits.written_bytes // 2**20,
                ),
                max_bytes=self._limits.written_bytes,
            )
        (self._into / f"{digest}.{picture.suffix}").write_bytes(content)
        return picture, is_blank

    def _examined(self, content: bytes, digest: str) -> tuple[PictureFile, bool]:
        try:
            image = Image.open(io.BytesIO(content), formats=tuple(_FORMATS))
            check_size(image.size, self._limits)
            kind = _FORMATS[image.format or ""]
            picture = PictureFile(digest, kind, image.width, image.height)
            return picture, judge_blank(image)
        except UnidentifiedImageError as error:
            raise BadPicture("picture_unknown") from error
        except _BROKEN as error:
            raise BadPicture("picture_damaged") from error


def check_size(size: tuple[int, int], limits: ReadingLimits) -> None:
    """Check how many pixels a picture has.

    Raises:
        BadPicture: it has more than are allowed, or none.
    """
    width, height = size
    if not width or not height:
        raise BadPicture("picture_damaged")
    if width * height > limits.picture_pixels:
        raise BadPicture(
            "picture_too_large", width=width, height=height, max_pixels=limits.picture_pixels
        )


def judge_blank(image: Image.Image) -> bool:
    """Decode a picture, a JPEG no larger than needed; tell whether nothing is drawn on it."""
    image.draft("L", (_GLANCE_PX, _GLANCE_PX))
    shown = image if image.mode.startswith("I") else on_white(image).convert("L")
    darkest, lightest = shown.getextrema()
    # Grey of more than eight bits has 257 times as many shades.
    depth = 257 if shown.mode.startswith("I") else 1
    return (int(lightest) - int(darkest)) / depth <= _BLANK_SHADES  # type: ignore[arg-type]


def on_white(image: Image.Image) -> Image.Image:
    """Return a picture without transparency, on a white ground."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    ground.alpha_composite(layer)
    return ground.convert("RGB")


#: Says how far a read has come: how many pages, boards or files are read, and of how many.
Progress = Callable[[int, int], None]
