"""A hash of what a picture shows: the same for every file that decodes to these pixels."""

from hashlib import sha256

from PIL import Image

#: How many rows are hashed at a time: a large picture is not copied as a whole.
_ROWS = 64
#: What is not made into red, green, blue and opacity in one step.
_BY_WAY_OF_RGB = frozenset({"CMYK", "YCbCr", "LAB", "HSV", "F"})


def pixels_sha256(upright: Image.Image) -> str:
    """Return the SHA-256 of a decoded picture's size and pixels, in red, green, blue and opacity.

    Grey of more than eight bits is taken as it is. How the file held them (palette, compression,
    what stands beside the picture) makes no difference.
    """
    depth = "I" if upright.mode.startswith("I") else "RGBA"
    digest = sha256(f"{upright.width}x{upright.height} {depth} ".encode())
    for top in range(0, upright.height, _ROWS):
        rows = upright.crop((0, top, upright.width, min(top + _ROWS, upright.height)))
        if rows.mode in _BY_WAY_OF_RGB:
            rows = rows.convert("RGB")
        digest.update(rows.convert(depth).tobytes())
    return digest.hexdigest()
