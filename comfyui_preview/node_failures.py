"""How the failure of a node is told, and the failures that faults make."""

import struct
import traceback
import zlib
from typing import Any

from PIL import Image

from comfyui_preview.faults import Faults
from comfyui_preview.queue import Graph

# what a node may raise on bad input; Pillow raises SyntaxError for a broken PNG
NODE_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
OUT_OF_MEMORY = "torch.OutOfMemoryError"
CUDA_ERROR = "CUDA error: an illegal memory access was encountered"


class NodeFault(RuntimeError):
    """A failure that was asked for, told under the name of another class."""

    def __init__(self, type_name: str, message: str, traceback_lines: int = 0) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.traceback = [
            f"  Fichier « nœud_{number}.py », ligne {number}, dans échantillonner — 影"
            for number in range(traceback_lines)
        ]


def strike(faults: Faults, *subjects: str) -> None:
    """Raises NodeFault when a fault is meant for this node (its class, its prompt's id)."""
    if faults.take("poisoned", *subjects):
        raise NodeFault("torch.AcceleratorError", CUDA_ERROR)
    if faults.take("oom", *subjects):
        raise NodeFault(OUT_OF_MEMORY, "Allocation on device 0 would exceed allowed memory")
    if fault := faults.take("node_error", *subjects):
        message = fault.text("message", "the preview server was told to fail here")
        lines = fault.count("traceback_lines", 0)
        raise NodeFault(fault.text("type", "RuntimeError"), message, lines)


def execution_error(
    error: BaseException, graph: Graph, node_id: str, executed: list[str]
) -> dict[str, Any]:
    """The content of `execution_error`, without prompt id and time. Source: execution_error."""
    node = graph[node_id]
    return {
        "node_id": node_id,
        "node_type": node["class_type"],
        "executed": executed,
        "exception_message": f"{error}\n",
        "exception_type": _type_name(error),
        "traceback": [
            f'File "{frame.filename}", line {frame.lineno}, in {frame.name}'
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        + (error.traceback if isinstance(error, NodeFault) else []),
        "current_inputs": {name: [value] for name, value in node["inputs"].items()},
        "current_outputs": list(graph),
    }


def _type_name(error: BaseException) -> str:
    if isinstance(error, NodeFault):
        return error.type_name
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
