"""A graph that Madsea has rendered, turned back to what its workflow's file says."""

import copy
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from generation.models import Attempt
from generation.workflows.graph import Graph
from generation.workflows.output_names import BESIDE, FOLDER

_PREFIX = re.compile(
    rf"{FOLDER}/(?P<prompt_id>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
)
_PANEL = re.compile(rf"{FOLDER}/[0-9a-f]{{64}}\.(?:png|jpg|webp)")
#: What ComfyUI's own nodes call what they save, where the workflow is not known any more.
_DEFAULT = "ComfyUI"


def turned_back(graph: Graph) -> Graph:
    """Return a graph with its own output prefixes and panel's name; one of others as it is.

    Values that were asked for stay: they are what the picture was made with.
    """
    prompt_ids = {match for node in graph.values() if (match := _prompt_id(node["inputs"]))}
    if not prompt_ids:
        return graph
    original = _original(prompt_ids)
    changed = copy.deepcopy(graph)
    for node_id, node in changed.items():
        own = original.get(node_id, {})
        is_same = own.get("class_type") == node["class_type"]
        node["inputs"] = _inputs(node["inputs"], own["inputs"] if is_same else {})
    return changed


def _prompt_id(inputs: Mapping[str, Any]) -> str | None:
    prefix = inputs.get("filename_prefix")
    match = _PREFIX.fullmatch(prefix.removesuffix(BESIDE)) if isinstance(prefix, str) else None
    return match["prompt_id"] if match else None


def _original(prompt_ids: set[str]) -> Mapping[str, Any]:
    """Return the graph that the attempt was made from; empty where it is not known here."""
    attempts = Attempt.objects.filter(prompt_id__in=[UUID(prompt_id) for prompt_id in prompt_ids])
    related = attempts.select_related("run__own_workflow", "run__batch__workflow").defer("graph")
    attempt = related.first()
    workflow = attempt.run.workflow if attempt else None
    return workflow.graph if workflow else {}


def _inputs(inputs: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(inputs)
    if _prompt_id(inputs):
        changed["filename_prefix"] = own.get("filename_prefix", _DEFAULT)
    for name, value in inputs.items():
        if isinstance(value, str) and _PANEL.fullmatch(value):
            changed[name] = own.get(name, value.removeprefix(f"{FOLDER}/"))
    return changed
