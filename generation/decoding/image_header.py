"""The size that an image claims to have, from its first bytes: what decoding it may take."""

from generation.decoding import jpeg_segments, png_chunks, webp_chunks


def claimed_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height that a file claims to have; None: not to be told at a glance."""
    if content.startswith(png_chunks.SIGNATURE):
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    return (
        webp_chunks.first_size(content)
        if webp_chunks.is_webp(content)
        else jpeg_segments.first_size(content)
    )
