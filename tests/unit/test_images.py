"""Which bytes are an image that can be published."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from generation.decoding import pillow_images
from generation.image_formats import DecodedImage, UnreadableImage


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
    assert examined(encoded(kind), max_pixels=64 * 36) == DecodedImage(name, 64, 36)  # type: ignore[arg-type]


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
