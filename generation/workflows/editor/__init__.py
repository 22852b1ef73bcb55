"""The format of ComfyUI's editor, turned into the graph that its page would export.

A document holds nodes with their links and the values of their widgets; subgraphs are definitions
with instances. Source: protocol.md §15.
"""

from generation.workflows.editor.convert import Conversion, convert, is_document

__all__ = ["Conversion", "convert", "is_document"]
