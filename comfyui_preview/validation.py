"""The checks of POST /prompt: which outputs of a graph can run, and what is wrong with the rest."""

import traceback
from dataclasses import dataclass, field
from typing import Any

from comfyui_preview import input_checks
from comfyui_preview.definitions import Definitions, inputs_of
from comfyui_preview.folders import Folders
from comfyui_preview.input_checks import NodeError
from comfyui_preview.options import Generation
from comfyui_preview.queue import Graph

# what a broken graph makes a check trip over
TRIPS = (AttributeError, IndexError, KeyError, TypeError, ValueError)


@dataclass
class Verdict:
    """What POST /prompt is told: outputs to run, or `error`; and errors by node id in any case."""

    outputs: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None
    node_errors: dict[str, Any] = field(default_factory=dict)


class Malformed(TypeError):
    """A payload that makes a real server answer 500."""


def error(kind: str, message: str, details: str = "", **extra: Any) -> dict[str, Any]:
    """The `error` of a refused prompt. Source: protocol §4."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def validate(graph: Any, targets: list[str] | None, server: "ValidationContext") -> Verdict:
    """Check a whole graph; literal inputs are rewritten to the type that their node wants.

    Raises Malformed for what is no graph at all. Source: protocol §3.4, §4.
    """
    refused = _check_classes(graph, server)
    if refused is not None:
        return Verdict(error=refused)
    wanted = [
        node_id
        for node_id, node in graph.items()
        if server.definitions[node["class_type"]]["output_node"]
        and (targets is None or node_id in targets)
    ]
    if not wanted:
        return Verdict(error=error("prompt_no_outputs", "Prompt has no outputs"))
    return _Check(graph, server).verdict(wanted)


@dataclass(frozen=True)
class ValidationContext:
    """What a server checks graphs against."""

    definitions: Definitions
    folders: Folders
    generation: Generation


def _check_classes(graph: Any, server: ValidationContext) -> dict[str, Any] | None:
    if not isinstance(graph, dict):
        raise Malformed("the prompt is no object")
    for node_id, node in graph.items():
        if node is None or isinstance(node, bool | int | float):
            raise Malformed(f"node {node_id} is no object")
        if "class_type" not in node:
            return _no_class(node_id, node, server)
        if not isinstance(node, dict):
            raise Malformed(f"node {node_id} is no object")
        if node["class_type"] not in server.definitions:
            return _unknown_class(node_id, node, server)
    return None


def _no_class(node_id: str, node: Any, server: ValidationContext) -> dict[str, Any]:
    message = "Cannot execute because a node is missing the class_type property."
    if server.generation != "jobs":
        return error("invalid_prompt", message, f"Node ID '#{node_id}'")
    extra = {"node_id": node_id, "class_type": None, "node_title": _title(node)}
    return error("missing_node_type", message, f"Node ID '#{node_id}'", **extra)


def _unknown_class(node_id: str, node: dict[str, Any], server: ValidationContext) -> dict[str, Any]:
    kind = node["class_type"]
    if server.generation != "jobs":
        message = f"Cannot execute because node {kind} does not exist."
        return error("invalid_prompt", message, f"Node ID '#{node_id}'")
    message = f"Node '{_title(node) or kind}' not found. The custom node may not be installed."
    extra = {"node_id": node_id, "class_type": kind, "node_title": _title(node)}
    return error("missing_node_type", message, f"Node ID '#{node_id}'", **extra)


def _title(node: Any) -> str | None:
    return (node.get("_meta") or {}).get("title") if isinstance(node, dict) else None


class _Check:
    """The walk from each output up through its links; each node is checked once."""

    def __init__(self, graph: Graph, server: ValidationContext) -> None:
        self._graph = graph
        self._server = server
        self._errors: dict[str, list[NodeError]] = {}
        self._valid: dict[str, bool] = {}
        self._dependents: dict[str, list[str]] = {}
        self._output = ""

    def verdict(self, wanted: list[str]) -> Verdict:
        """Which of the wanted outputs can run; refused when none can."""
        good = [output_id for output_id in wanted if self._check_output(output_id)]
        node_errors = {
            node_id: {
                "errors": errors,
                "dependent_outputs": self._dependents.get(node_id, []),
                "class_type": self._graph[node_id]["class_type"],
            }
            for node_id, errors in self._errors.items()
        }
        if good:
            return Verdict(outputs=good, node_errors=node_errors)
        own = [fault for output_id in wanted for fault in self._errors.get(output_id, [])]
        details = "\n".join(f"* {fault['message']}: {fault['details']}" for fault in own)
        told = error(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", details
        )
        return Verdict(error=told, node_errors=node_errors)

    def _check_output(self, output_id: str) -> bool:
        self._output = output_id
        try:
            return self._check_node(output_id)
        except TRIPS as trip:
            told = input_checks.failed_check("exception_during_validation", "", trip)
            told["extra_info"]["traceback"] = traceback.format_tb(trip.__traceback__)
            self._add(output_id, [told])
            return False

    def _check_node(self, node_id: str) -> bool:
        """Check a node and all its ancestors; raises what a broken link trips over."""
        if node_id in self._valid:
            self._note_dependent(node_id)
            return self._valid[node_id]
        # met again while it is being checked: a cycle, which 0.3.64 refuses without a word
        self._valid[node_id] = False
        node = self._graph[node_id]
        definition = self._server.definitions[node["class_type"]]
        given: dict[str, Any] = node["inputs"]
        errors: list[NodeError] = []
        ancestors_valid = True
        for name, spec in inputs_of(definition).items():
            required = name in definition["input"].get("required", {})
            if name not in given:
                errors += [input_checks.missing_input(name)] if required else []
                continue
            if isinstance(given[name], list):
                faults, sound = self._check_link(name, spec, given[name])
                errors += faults
                ancestors_valid = ancestors_valid and sound
                continue
            errors += input_checks.check_literal(given, name, spec, self._server)
        errors += input_checks.check_image(node["class_type"], given, self._server.folders)
        self._add(node_id, errors)
        self._valid[node_id] = ancestors_valid and not errors
        return self._valid[node_id]

    def _check_link(self, name: str, spec: list[Any], link: Any) -> tuple[list[NodeError], bool]:
        """The errors of a link itself, and whether what it leads to is valid."""
        if len(link) != 2:
            return [input_checks.bad_link(name, spec, link)], False
        source = self._server.definitions[self._graph[link[0]]["class_type"]]
        received = source["output"][link[1]]
        if not input_checks.types_fit(received, spec[0]):
            return [input_checks.type_mismatch(name, spec, link, received)], False
        try:
            return [], self._check_node(link[0])
        except TRIPS as trip:
            told = input_checks.failed_check("exception_during_inner_validation", name, trip, spec)
            told["extra_info"]["traceback"] = traceback.format_tb(trip.__traceback__)
            told["extra_info"]["linked_node"] = link
            self._add(link[0], [told])
            return [], False

    def _add(self, node_id: str, errors: list[NodeError]) -> None:
        if errors:
            self._errors.setdefault(node_id, []).extend(errors)
            self._note_dependent(node_id)

    def _note_dependent(self, node_id: str) -> None:
        if node_id in self._errors:
            known = self._dependents.setdefault(node_id, [])
            known += [] if self._output in known else [self._output]
