import io

import pytest
from PIL import Image

from nomenclature.file_signatures import HEAD_BYTES, extension_of


@pytest.mark.parametrize(
    ("kind", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("GIF", None)]
)
def test_an_image_is_known_by_its_first_bytes(kind: str, extension: str | None) -> None:
    held = io.BytesIO()
    Image.new("RGB", (4, 4)).save(held, kind)

    assert extension_of(held.getvalue()[:HEAD_BYTES]) == extension


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\x00\x00\x00\x20ftypisom", "mp4"),
        (b"\x00\x00\x00\x20ftypmp42", "mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00", "mov"),
        (b"RIFF\x24\x00\x00\x00WAVE", None),
        (b"", None),
        (b"\x89PNG", None),
    ],
)
def test_a_video_and_what_is_nothing_are_told_apart(head: bytes, extension: str | None) -> None:
    assert extension_of(head) == extension
