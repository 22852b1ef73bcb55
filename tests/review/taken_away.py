"""What was taken away, for tests: the bytes of a streamed answer, and what a file of them holds."""

import io
import zipfile
from typing import Any

import pypdfium2
from asgiref.sync import async_to_sync


def body(answer: Any) -> bytes:
    """Return all bytes of a streamed answer, as the event loop would send them."""

    async def gathered() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return bytes(async_to_sync(gathered)())


def unpacked(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip by their names, each held against its checksum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def text_of(pdf: bytes) -> list[str]:
    """Return the text of each page."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_range() for page in document]
