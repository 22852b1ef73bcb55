"""Images as people really send them, and as nobody should: made in memory, for tests."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw

SIZE = (64, 36)
GPS = b"51.5074N 0.1278W"
HTML = b"<html><script>alert(document.domain)</script></html>"
ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image in a format."""
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return what a file shows, however large it is."""
    Image.MAX_IMAGE_PIXELS = None
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def plain(kind: str = "PNG", size: tuple[int, int] = SIZE, mode: str = "RGB") -> bytes:
    """Return an image of one colour."""
    return encoded(Image.new(mode, size), kind)


def exif(orientation: int) -> Image.Exif:
    """Return EXIF that says how to turn a picture, and where it was taken."""
    held = Image.Exif()
    held[ORIENTATION] = orientation
    held[0x010E] = GPS.decode()
    return held


def turned(kind: str, orientation: int = 6) -> bytes:
    """Return a picture that lies on its side: white above, black below when upright."""
    image = Image.new("RGB", SIZE, "black")
    # Orientation 6: what is the left side of the file is the top of the picture.
    ImageDraw.Draw(image).rectangle((0, 0, SIZE[0] // 2, SIZE[1]), fill="white")
    return encoded(image, kind, exif=exif(orientation))


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """Return a chunk of a PNG."""
    crc = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + crc


def with_chunks(chunks: bytes, base: bytes | None = None) -> bytes:
    """Return a PNG with these chunks behind its header."""
    whole = plain() if base is None else base
    return whole[:33] + chunks + whole[33:]


def with_segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG with this segment at its beginning."""
    whole = plain("JPEG")
    segment = struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
    return whole[:2] + segment + whole[2:]


def with_riff(kind: bytes, content: bytes) -> bytes:
    """Return a WebP in its extended form with this chunk at its end."""
    held = encoded(Image.new("RGBA", SIZE, (9, 9, 9, 99)), "WEBP", exif=exif(1))
    padded = content + b"\0" * (len(content) % 2)
    held += kind + struct.pack("<I", len(content)) + padded
    return held[:4] + struct.pack("<I", len(held) - 8) + held[8:]


def film(kind: str, n_frames: int) -> bytes:
    """Return an animation; a WebP of one frame too."""
    frames = [Image.new("RGB", SIZE, (40 * n, 0, 0)) for n in range(n_frames)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def film_of_one() -> bytes:
    """Return an animated WebP of a single frame."""
    still = plain("WEBP")[12:]
    width, height = ((side - 1).to_bytes(3, "little") for side in SIZE)
    frame = bytes(6) + width + height + bytes(4) + still
    body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + width + height
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def apng_of_one() -> bytes:
    """Return an animated PNG whose one frame is the picture itself."""
    control = struct.pack(">IIIIIHHBB", 0, *SIZE, 0, 0, 1, 10, 0, 0)
    return with_chunks(chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", control))


def profile(n_bytes: int) -> bytes:
    """Return an ICC profile as large as this, as far as its header tells."""
    head = struct.pack(">I", n_bytes) + bytes(32) + b"acsp"
    return head + bytes(n_bytes - len(head))


def with_profile(n_bytes: int) -> bytes:
    """Return a PNG with an ICC profile of this size."""
    return with_chunks(chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile(n_bytes))))


def grey_of_16_bits(value: int = 0x8080) -> bytes:
    """Return a PNG of one grey, in 16 bits."""
    return encoded(Image.new("I;16", SIZE, value), "PNG")


def unfolding(width_px: int = 16000, height_px: int = 6000) -> bytes:
    """Return a WebP of some bytes that unfolds to a picture of this size."""
    return encoded(Image.new("RGB", (width_px, height_px), "red"), "WEBP", lossless=True, method=0)


def many_chunks(kind: bytes = b"tEXt", n_chunks: int = 400_000) -> bytes:
    """Return a PNG of so many empty chunks."""
    return with_chunks(chunk(kind) * n_chunks)


def endless_text(n_bytes: int = 2**30) -> bytes:
    """Return a PNG with a text that unfolds to so many bytes."""
    packer = zlib.compressobj()
    packed = b"".join(packer.compress(bytes(2**24)) for _ in range(n_bytes // 2**24))
    return with_chunks(chunk(b"zTXt", b"prompt\0\0" + packed + packer.flush()))


def endless_scans(n_scans: int = 20_000) -> bytes:
    """Return a progressive JPEG whose last scan stands there so many times."""
    whole = encoded(Image.new("L", (4000, 4000)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * n_scans + whole[-2:]


def claiming(width_px: int = 60_000, height_px: int = 60_000) -> bytes:
    """Return a PNG of a few bytes that claims a size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND")


#: Each with something in it that no picture needs.
DIRTY: dict[str, Callable[[], bytes]] = {
    "a PNG with a page behind it": lambda: plain() + HTML,
    "a JPEG with a page behind it": lambda: plain("JPEG") + HTML,
    "a WebP with a page behind it": lambda: plain("WEBP") + HTML,
    "a PNG with a place in its EXIF": lambda: turned("PNG", 1) + HTML,
    "a JPEG with a place in its EXIF": lambda: turned("JPEG", 1) + HTML,
    "a WebP with a place in its EXIF": lambda: turned("WEBP", 1) + HTML,
    "a PNG with a page in a text": lambda: with_chunks(chunk(b"tEXt", b"Comment\0" + HTML)),
    "a PNG with a page in a private chunk": lambda: with_chunks(chunk(b"htMl", HTML)),
    "a JPEG with a page in a comment": lambda: with_segment(0xFE, HTML),
    "a JPEG with a page in XMP": lambda: with_segment(
        0xE1, b"http://ns.adobe.com/xap/1.0/\0" + HTML
    ),
    "a JPEG with a page in a preview": lambda: with_segment(0xED, HTML),
    "a WebP with a page in a chunk": lambda: with_riff(b"html", HTML),
}
