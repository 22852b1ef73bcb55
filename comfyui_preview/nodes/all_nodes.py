"""All nodes of a preview server: importing this module registers them."""

from comfyui_preview.nodes import diffusion, images, masks, output_nodes
from comfyui_preview.nodes.registry import NODES

__all__ = ["NODES", "diffusion", "images", "masks", "output_nodes"]
