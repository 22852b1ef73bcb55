"""Texts that ComfyUI's own page resolves when it queues a prompt, and nobody does here."""

import re
from collections.abc import Iterator

from generation.comfyui.untrusted_json import as_list, as_mapping
from generation.workflows.definitions import Definitions
from generation.workflows.graph import Graph
from generation.workflows.remarks import Remark
from wording import say

#: What the page puts in where a file's name begins: a date, or a value of another node.
_TOKEN = re.compile(r"%(?:date:[^%]*|[^%.]+\.[^%.]+)%")
_PREFIX = "filename_prefix"


def remarks(graph: Graph, definitions: Definitions) -> Iterator[Remark]:
    """Yield what there is to say of each text that stays as it is written."""
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if not isinstance(value, str):
                continue
            if _is_dynamic(definitions, node["class_type"], name, value):
                detail = say(
                    "{name} of node {node_id} holds a dynamic prompt: {{a|b}} and comments "
                    "stay as they are written, since only ComfyUI's own page resolves them.",
                    name=name,
                    node_id=node_id,
                )
                yield Remark("dynamic_prompt", detail, node_id)
            if name == _PREFIX and (token := _TOKEN.search(value)):
                detail = say(
                    "{name} of node {node_id} holds {token:.64}, which only ComfyUI's own page "
                    "resolves. Files are named by their plans anyway.",
                    name=name,
                    node_id=node_id,
                    token=token[0],
                )
                yield Remark("token", detail, node_id)


def _is_dynamic(definitions: Definitions, kind: str, name: str, value: str) -> bool:
    groups = as_mapping(as_mapping(definitions.get(kind)).get("input"))
    specs = {**as_mapping(groups.get("optional")), **as_mapping(groups.get("required"))}
    parts = as_list(specs.get(name))
    options = as_mapping(parts[1]) if len(parts) > 1 else {}
    has_choice = "{" in value and "|" in value and "}" in value
    return bool(options.get("dynamicPrompts")) and (has_choice or "/*" in value or "//" in value)
