"""What goes over the wire: small images of one colour, and the graph of somebody else's prompt."""

import io
from typing import Any

from PIL import Image

FOREIGN: dict[str, Any] = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 36, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "foreign"}},
}


def png(color: str) -> bytes:
    """Return a PNG of one colour."""
    held = io.BytesIO()
    Image.new("RGB", (64, 36), color).save(held, "PNG")
    return held.getvalue()
