"""The values of a workflow's parameters, set in its graph before it is sent."""

import copy
from collections.abc import Mapping

from generation.workflows.definitions import shipped_definitions
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.output_names import output_size, set_output_prefix, wanted_outputs
from generation.workflows.parameters import Kind, Parameter, ParameterProblem, Scaled, check
from generation.workflows.requirements import Requirements, missing, requirements
from wording import say

__all__ = [
    "Parameter",
    "ParameterProblem",
    "Requirements",
    "apply",
    "check",
    "missing",
    "output_size",
    "requirements",
    "set_output_prefix",
    "shipped_definitions",
    "wanted_outputs",
]


def apply(graph: Graph, values: Mapping[str, object], parameters: Mapping[str, Parameter]) -> Graph:
    """Return the graph with the values set; they are believed to have been checked.

    Nodes in which nothing is set are those of the graph itself: neither is to be written to.
    A list is wrapped as `{"__value__": […]}`, or it would be taken for a link. Raises GraphError
    when the graph has no such parameter. Source: protocol.md §3.1.
    """
    changed = dict(graph)
    for name, value in values.items():
        if name not in parameters:
            raise GraphError(
                "unknown_parameter", say("The workflow has no parameter {name!r}.", name=name)
            )
        for target in parameters[name].targets:
            _set(graph, changed, target, _literal(value, parameters[name].type))
        for follower in parameters[name].scaled:
            _scale(graph, changed, follower, value)
    return changed


def _set(graph: Graph, changed: Graph, target: tuple[str, str], value: object) -> None:
    """Set an input in a copy of its node, made when it is the first that changes there."""
    node_id, name = target
    if changed[node_id] is graph[node_id]:
        node = graph[node_id].copy()
        node["inputs"] = node["inputs"].copy()
        changed[node_id] = node
    changed[node_id]["inputs"][name] = value


def _scale(graph: Graph, changed: Graph, follower: Scaled, value: object) -> None:
    """Move an input as far as the parameter moved from its value in the file."""
    node_id, name = follower.target
    own = graph[node_id]["inputs"][name]
    if isinstance(own, int | float) and isinstance(value, int | float):
        moved = own * value / follower.base
        rounded = max(1, round(moved)) if isinstance(own, int) else moved
        _set(graph, changed, follower.target, rounded)


def _literal(value: object, kind: Kind) -> object:
    if isinstance(value, list):
        return {"__value__": copy.deepcopy(value)}
    if kind == "SEED" and isinstance(value, str):
        return int(value)
    return float(value) if kind == "FLOAT" and isinstance(value, int) else value
