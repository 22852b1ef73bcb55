"""What goes over the wire: small images of one colour, and the graph of somebody else's prompt."""

import io
from typing import Any

from PIL import Image

Graph = dict[str, dict[str, Any]]


def foreign_prompt(name: str) -> Graph:
    """Return the graph of a prompt that is not Madsea's; no two of them share a result."""
    size = {"width": 64, "height": 36, "batch_size": 1, "color": 0}
    saved = {"images": ["1", 0], "filename_prefix": f"foreign/{name}"}
    return {
        "1": {"class_type": "EmptyImage", "inputs": size},
        "2": {"class_type": "SaveImage", "inputs": saved},
    }


def png(color: str) -> bytes:
    """Return a PNG of one colour."""
    held = io.BytesIO()
    Image.new("RGB", (64, 36), color).save(held, "PNG")
    return held.getvalue()
