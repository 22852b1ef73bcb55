"""The parameters of a workflow: found in its graph, checked, and set before it is sent."""

import copy
from collections.abc import Mapping
from typing import cast

from generation.comfyui.definitions import (
    WIDGETS,
    Definitions,
    InputSpec,
    input_spec,
    shipped_definitions,
)
from generation.comfyui.errors import GraphError
from generation.comfyui.finding import Target, find_targets
from generation.comfyui.graph import Graph
from generation.comfyui.outputs import output_size, set_output_prefix, wanted_outputs
from generation.comfyui.requirements import Requirements, missing, requirements
from generation.comfyui.values import Kind, Parameter, ParameterProblem, check

__all__ = [
    "Parameter",
    "ParameterProblem",
    "Requirements",
    "apply",
    "check",
    "find",
    "missing",
    "output_size",
    "requirements",
    "set_output_prefix",
    "shipped_definitions",
    "wanted_outputs",
]

_SEED = "seed"
_SEEDS = frozenset({_SEED, "noise_seed"})


def find(graph: Graph, definitions: Definitions) -> dict[str, Parameter]:
    """Return the parameters of the graph by name, their bounds from the definitions.

    Raises GraphError when a title that begins with `@` cannot be understood, or names inputs of
    different types.
    """
    targets = find_targets(graph, definitions)
    return {name: _parameter(graph, definitions, name, of) for name, of in targets.items()}


def apply(graph: Graph, values: Mapping[str, object], parameters: Mapping[str, Parameter]) -> Graph:
    """Return a copy of the graph with the values set; they are believed to have been checked.

    A list is wrapped as `{"__value__": […]}`, or it would be taken for a link. Raises GraphError
    when the graph has no such parameter. Source: protocol.md §3.1.
    """
    changed = copy.deepcopy(graph)
    for name, value in values.items():
        if name not in parameters:
            raise GraphError("unknown_parameter", f"The workflow has no parameter {name!r}.")
        for node_id, target in parameters[name].targets:
            changed[node_id]["inputs"][target] = _literal(value, parameters[name].type)
    return changed


def _literal(value: object, kind: Kind) -> object:
    if isinstance(value, list):
        return {"__value__": copy.deepcopy(value)}
    if kind == "SEED" and isinstance(value, str):
        return int(value)
    return float(value) if kind == "FLOAT" and isinstance(value, int) else value


def _parameter(
    graph: Graph, definitions: Definitions, name: str, targets: tuple[Target, ...]
) -> Parameter:
    """Join what the targets take: the tightest bounds, the options that all of them have."""
    specs = [_spec(graph, definitions, target) for target in targets]
    kinds = {_kind(spec, target) for spec, target in zip(specs, targets, strict=True)}
    if len(kinds) > 1:
        nodes = ", ".join(f"{node_id}.{target}" for node_id, target in targets)
        raise GraphError("mixed_types", f"@{name} names inputs of different types: {nodes}.")
    node_id, target = targets[0]
    kind = kinds.pop()
    return Parameter(
        name=name,
        # A title may call the value of any whole number so: what is called a seed is one.
        type="SEED" if name == _SEED and kind == "INT" else kind,
        targets=targets,
        minimum=max((spec.minimum for spec in specs if spec.minimum is not None), default=None),
        maximum=min((spec.maximum for spec in specs if spec.maximum is not None), default=None),
        step=specs[0].step,
        default=graph[node_id]["inputs"][target],
        options=_options(specs),
    )


def _spec(graph: Graph, definitions: Definitions, target: Target) -> InputSpec:
    """Return what the input takes; for a node that is not defined, what its value tells."""
    node_id, name = target
    node = graph[node_id]
    spec = input_spec(definitions, node["class_type"], name)
    return spec if spec and spec.kind in WIDGETS else InputSpec(_guess(node["inputs"][name]))


def _guess(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "INT"
    return "FLOAT" if isinstance(value, float) else "STRING"


def _kind(spec: InputSpec, target: Target) -> Kind:
    if spec.is_upload:
        return "IMAGE"
    if spec.kind == "INT" and (spec.is_seed or target[1] in _SEEDS):
        return "SEED"
    return cast(Kind, spec.kind)


def _options(specs: list[InputSpec]) -> tuple[str, ...] | None:
    lists = [spec.options for spec in specs if spec.options is not None and not spec.is_upload]
    if not lists:
        return None
    return tuple(option for option in lists[0] if all(option in other for other in lists[1:]))
