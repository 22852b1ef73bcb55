"""How many pixels an image claims to have, from its first bytes: what decoding it may take."""

from generation.decoding import jpeg, png, webp


def pixels(content: bytes) -> int | None:
    """Return how many pixels a file claims to have; None: that cannot be told at a glance."""
    if content.startswith(png.SIGNATURE):
        return int.from_bytes(content[16:20], "big") * int.from_bytes(content[20:24], "big")
    size = webp.first_size(content) if webp.is_webp(content) else jpeg.first_size(content)
    return None if size is None else size[0] * size[1]
