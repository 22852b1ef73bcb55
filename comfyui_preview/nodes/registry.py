"""Which function executes which node class, and what a node may ask of the server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from comfyui_preview.folders import Folders
from comfyui_preview.queue import Graph

# images: count, height, width, 3 channels of 0 to 255; masks: count, height, width
Images = NDArray[np.uint8]
Masks = NDArray[np.uint8]


class Steps(Protocol):
    """Where a sampler reports its steps; raises when the prompt is interrupted."""

    def __call__(self, value: int, maximum: int, picture: Images | None = None) -> None: ...


@dataclass(frozen=True)
class Context:
    """What a node may know beside its inputs. `graph` is what is written into its images."""

    folders: Folders
    graph: Graph
    extra_pnginfo: dict[str, Any]
    prompt_id: str
    steps: Steps
    shows_steps: bool
    finish: Callable[[], None]


@dataclass(frozen=True)
class NodeUi:
    """What an output node gives: entries such as {"images": [{filename, subfolder, type}]}."""

    ui: dict[str, Any]


NodeFunction = Callable[..., tuple[Any, ...] | NodeUi]


@dataclass(frozen=True)
class RegisteredNode:
    """A function for a node class; it gets the node's inputs by name."""

    function: NodeFunction
    wants_context: bool


NODES: dict[str, RegisteredNode] = {}


def node(class_type: str, *, context: bool = False) -> Callable[[NodeFunction], NodeFunction]:
    """Register a function for a node class; with `context` it gets the Context first."""

    def register(function: NodeFunction) -> NodeFunction:
        NODES[class_type] = RegisteredNode(function, context)
        return function

    return register
