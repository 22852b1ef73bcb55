"""Frames that nobody asked for: what faults put before a message. §18.22, 23."""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from comfyui_preview.faults import Faults

FOREIGN = '{"type":"crystools.monitor","data":{}}'
#: more than aiohttp and most clients take by default
LARGE_BYTES = 4 * 1024 * 1024 + 1
PREVIEW_IMAGE, JPEG = 1, 1


def frames_before(faults: Faults, kind: str, content: Mapping[str, Any]) -> Iterator[str | bytes]:
    """The text and binary frames to be sent before a message of this type."""
    if fault := faults.take("foreign_message", kind):
        yield fault.text("text", FOREIGN)
    if faults.take("odd_frames", kind):
        yield from _odd()
    if fault := faults.take("huge_progress", kind):
        yield _huge(fault.count("nodes", 5000), content.get("prompt_id"))


def _odd() -> Iterator[bytes]:
    yield b""
    yield b"\0\0"
    yield struct.pack(">I", PREVIEW_IMAGE)
    yield struct.pack(">II", 4, 0xFFFF_FFFF) + b"{"
    yield struct.pack(">I", 77) + os.urandom(64)
    yield struct.pack(">II", PREVIEW_IMAGE, JPEG) + os.urandom(LARGE_BYTES)


def _huge(n_nodes: int, prompt_id: object) -> str:
    nodes = {
        f"12:{number}": {
            "value": 1.0,
            "max": 1.0,
            "state": "finished",
            "node_id": f"12:{number}",
            "prompt_id": prompt_id,
            "display_node_id": "12",
            "parent_node_id": "12",
            "real_node_id": f"12:{number}",
        }
        for number in range(n_nodes)
    }
    return json.dumps({"type": "progress_state", "data": {"prompt_id": prompt_id, "nodes": nodes}})
