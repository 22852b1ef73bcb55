"""What an image that came in is, and why a file is none that can be used."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from generation.errors import BadImage

Format: TypeAlias = Literal["png", "jpg", "webp"]


class UnreadableImage(BadImage):
    """The file is not an image that can be used.

    `code` is one of empty, not_an_image, truncated, too_many_pixels, too_many_parts, too_costly,
    unsupported_format.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail, code=code)


@dataclass(frozen=True)
class DecodedImage:
    """What an image really is, whatever its name says; its size is that of the upright picture."""

    format: Format
    width_px: int
    height_px: int
    pixels_sha256: str  #: of what it shows: see `decoding.pixel_hash`
    marks: str = ""  #: what a server wrote into it of the prompt that rendered it, as text


@dataclass(frozen=True)
class Examined:
    """A file that was decoded whole; `served` is what is shown of it, None: the file itself."""

    decoded: DecodedImage
    served: bytes | None
