"""What a streamed answer brought, for tests."""

import io
import zipfile
from typing import Any

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
