"""Uploads and panels that are no usable image: refused, and no file is left behind."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rest_framework.test import APIClient

from generation.models import Batch
from generation.states import Mode, RunState
from tests import factories
from tests.api.calls import URL, panel, upload


def places(answer: Any) -> list[tuple[str | None, str]]:
    return [(line["attr"], line["code"]) for line in answer.json()["errors"]]


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def bomb() -> bytes:
    """A PNG of a few kilobytes that says it has 40,000 by 40,000 pixels."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif() -> bytes:
    held = io.BytesIO()
    Image.new("P", (8, 8)).save(held, "GIF")
    return held.getvalue()


NO_IMAGES = {
    "empty": (b"", "mine.png"),
    "truncated": (factories.png(640, 360)[:-20], "mine.png"),
    "a text": (b"hello", "mine.png"),
    "a bomb": (bomb(), "mine.png"),
    "a JPEG named PNG": (factories.jpeg(), "mine.png"),
    "a PNG named JPEG": (factories.png(), "mine.jpg"),
    "a PNG named TXT": (factories.png(), "mine.txt"),
    "a GIF": (gif(), "mine.gif"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "mine.svg"),
}


@pytest.mark.parametrize(("content", "filename"), NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_an_upload_that_is_no_usable_image_is_refused(
    api: APIClient, projects_root: Path, content: bytes, filename: str
) -> None:
    batch = factories.batch([RunState.WAITING], mode=Mode.MANUEL)

    answer = upload(api, batch, content, filename)

    assert answer.status_code == 400
    assert answer.json()["attr"] == "file"
    assert batch.runs.get().state == RunState.WAITING
    assert [path for path in projects_root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("content", "filename"), NO_IMAGES.values(), ids=NO_IMAGES.keys())
def test_a_panel_that_is_no_usable_image_is_refused(
    api: APIClient, content: bytes, filename: str
) -> None:
    answer = panel(api, content, file=factories.sent(content, filename))

    assert answer.status_code == 400
    assert answer.json()["attr"] == "file"


def test_an_upload_without_a_file_is_refused(api: APIClient, batch: Batch) -> None:
    body = {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": "0010"}

    answer = api.post(f"{URL}/upload", body, format="multipart")

    assert places(answer) == [("file", "required")]


def test_an_upload_whose_file_is_a_text_field_is_refused(api: APIClient, batch: Batch) -> None:
    body = {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": "0010", "file": "x"}

    answer = api.post(f"{URL}/upload", body, format="multipart")

    assert places(answer) == [("file", "invalid")]


@pytest.mark.parametrize("limit_bytes", [100, -(2**20) + 10])
def test_an_upload_that_is_too_large_is_refused(
    api: APIClient, batch: Batch, settings: Any, limit_bytes: int
) -> None:
    settings.MADSEA_IMAGE_MAX_BYTES = limit_bytes

    answer = upload(api, batch, factories.png(640, 360))

    assert answer.status_code in {400, 413}
    assert answer.json()["code"] == "too_large"


def test_an_upload_to_an_unknown_batch_is_not_found(api: APIClient) -> None:
    answer = upload(api, Batch(public_id="abc123"), factories.png())

    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_batch"
