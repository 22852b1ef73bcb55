"""Which bytes are an image that can be published."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from generation.decoding import pillow_images
from generation.examined_images import DecodedImage, UnreadableImage


def encoded(kind: str, size: tuple[int, int] = (64, 36), **options: Any) -> bytes:
    target = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(target, kind, **options)
    return target.getvalue()


def animation(kind: str) -> bytes:
    frames = [Image.effect_noise((8, 8), 80 + i).convert("RGB") for i in range(3)]
    target = io.BytesIO()
    frames[0].save(target, kind, save_all=True, append_images=frames[1:])
    return target.getvalue()


def bomb(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    sealed = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + sealed + b"\0\0\0\0IDAT"


def examined(content: bytes, *, max_pixels: int) -> DecodedImage:
    return pillow_images.examine(content, max_pixels=max_pixels).decoded


def code(content: bytes, max_pixels: int = 1_000_000) -> str:
    with pytest.raises(UnreadableImage) as refused:
        examined(content, max_pixels=max_pixels)
    assert refused.value.detail
    return refused.value.code


@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("MPO", "jpg")]
)
def test_an_image_is_what_it_is(kind: str, name: str) -> None:
    decoded = examined(encoded(kind), max_pixels=64 * 36)

    assert (decoded.format, decoded.width_px, decoded.height_px) == (name, 64, 36)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("missing", [1, 2, 12, 100, 1000])
def test_a_cut_off_image_is_truncated(kind: str, missing: int) -> None:
    assert code(encoded(kind)[:-missing]) == "truncated"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_only_the_first_bytes_are_truncated(kind: str) -> None:
    assert code(encoded(kind)[:12]) == "truncated"


def test_a_flipped_bit_of_a_png_is_seen() -> None:
    content = bytearray(encoded("PNG"))
    content[len(content) // 2] ^= 1
    assert code(bytes(content)) == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_follows_an_image_does_no_harm(kind: str) -> None:
    assert examined(encoded(kind) + b"\0" * 50, max_pixels=10_000).width_px == 64


def test_an_empty_file_is_empty() -> None:
    assert code(b"") == "empty"


@pytest.mark.parametrize("content", [b"<html>", b"{}", b"\0" * 100, b"x", b"%PDF-1.7"])
def test_something_else_is_not_an_image(content: bytes) -> None:
    assert code(content) == "not_an_image"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO"])
def test_another_format_is_unsupported(kind: str) -> None:
    assert code(encoded(kind)) == "unsupported_format"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_not_one_image(kind: str) -> None:
    assert code(animation(kind)) == "unsupported_format"


@pytest.mark.parametrize(
    "size", [(2000, 2000), (20_000, 20_000), (30_000, 30_000), (60_000, 60_000)]
)
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert code(bomb(*size), max_pixels=1_000_000) == "too_many_pixels"


def test_the_limit_itself_is_allowed() -> None:
    content = encoded("PNG", (100, 100))
    assert examined(content, max_pixels=10_000).height_px == 100
    assert code(content, max_pixels=9_999) == "too_many_pixels"


def pixels(content: bytes) -> str:
    return examined(content, max_pixels=1_000_000).pixels_sha256


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


TWO_COLORED = Image.new("RGB", (70, 130), "teal")
TWO_COLORED.paste("white", (3, 60, 40, 129))


@pytest.mark.parametrize(
    "content",
    [
        saved(TWO_COLORED, compress_level=0),
        saved(TWO_COLORED.convert("RGBA")),
        saved(TWO_COLORED.quantize(4)),
        saved(TWO_COLORED, "WEBP", lossless=True),
        saved(TWO_COLORED.rotate(90, expand=True), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12"
              b"\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    ],
    ids=["unpacked", "with opacity", "with a palette", "as a WebP", "turned by its EXIF"],
)  # fmt: skip
def test_files_that_show_the_same_have_the_same_hash_of_pixels(content: bytes) -> None:
    assert pixels(content) == pixels(saved(TWO_COLORED))


@pytest.mark.parametrize(
    "other",
    [TWO_COLORED.rotate(90, expand=True), TWO_COLORED.point(lambda value: value ^ 1)],
    ids=["turned", "one shade off"],
)
def test_files_that_show_something_else_have_another_hash_of_pixels(other: Image.Image) -> None:
    assert pixels(saved(other)) != pixels(saved(TWO_COLORED))


def test_greys_that_differ_below_eight_bits_have_another_hash_of_pixels() -> None:
    one, other = (saved(Image.new("I;16", (8, 8), value)) for value in (1000, 1001))

    assert pixels(one) != pixels(other)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_pictures_of_every_mode_have_a_hash_of_pixels(mode: str) -> None:
    content = saved(TWO_COLORED.convert(mode), "JPEG" if mode == "CMYK" else "PNG")

    assert len(pixels(content)) == 64
