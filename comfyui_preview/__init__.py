"""The preview server: a small ComfyUI-compatible server for a CPU without any model.

It speaks the real protocol and executes real graphs: image nodes for real, diffusion nodes as an
approximation, and a journal of everything it executed.
"""
