"""All nodes of a preview server: importing this module registers them."""

from generation.preview.nodes import diffusion, images, masks, save
from generation.preview.nodes.registry import NODES

__all__ = ["NODES", "diffusion", "images", "masks", "save"]
