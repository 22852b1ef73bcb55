"""The scenario against two real ComfyUI servers: kills, cancels, and somebody else all along."""
