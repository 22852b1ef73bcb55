"""What the driver says to a ComfyUI server about one prompt, and how it reads the answers."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from generation.comfyui.errors import Refused
from generation.comfyui.protocol import History, OutputFile
from generation.comfyui.untrusted_json import line, listed, mapping, name
from generation.driver.flight import Flight
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.services import prompt_graphs
from generation.workflows import substitution as params
from generation.workflows.requirements import Lack

_NO_SUCH_CLASS = frozenset({"invalid_prompt", "missing_node_type"})
_POISONED = ("CUDA error", "illegal memory access", "device-side assert")
#: So many things that a server lacks are remembered of one refusal.
LACKS_MOST = 50
_NODE_ID = re.compile(r"#([^'\"]+)")


def marks(attempt: Attempt) -> dict[str, object]:
    """Return what the image says of itself in its metadata."""
    marks = {"prompt_id": str(attempt.prompt_id), "run": attempt.run_id, "seed": attempt.seed}
    return {"extra_pnginfo": {"madsea": marks}}


def left_file(flight: Flight) -> OutputFile:
    """Return where the attempt's file would lie, by its unique prefix. Source: protocol.md §9."""
    folder, _, stem = flight.prefix.rpartition("/")
    wanted = params.wanted_outputs(flight.attempt.graph)
    return OutputFile(wanted[0] if wanted else "", f"{stem}_00001_.png", folder, "output")


def drops_result(flight: Flight, outputs: Collection[str]) -> bool:
    """Tell whether a server took the prompt without the node of its result: partly accepted.

    `outputs` are the nodes that it is to run, empty when the server does not say.
    """
    wanted = params.wanted_outputs(flight.attempt.graph)
    return bool(outputs and wanted) and wanted[0] not in outputs


def node_failure(history: History) -> PlanFailure:
    """Return why a prompt failed, in the words of the node."""
    error = history.error
    if error is None:
        return failure("node_error", "The server says that the prompt failed, but not why.")
    where = f"{error.node_type} (node {error.node_id})"
    said = f"{where}: {error.exception_type}: {error.message}"
    return failure(_code(error.exception_type, error.message), said)


def _code(exception_type: str, message: str) -> str:
    """Return what kind of failure a node's exception is. Source: protocol.md §13, §16.32."""
    if "OutOfMemory" in exception_type or "out of memory" in message:
        return "out_of_memory"
    is_cuda = exception_type.endswith("AcceleratorError") or any(w in message for w in _POISONED)
    return "cuda_poisoned" if is_cuda else "node_error"


def misses_panel(error: Refused) -> bool:
    """Tell whether a server refuses a graph for a panel of ours that it does not have (any more).

    Source: protocol.md §4, §16.24.
    """
    nodes = map(mapping, error.node_errors.values())
    told = (mapping(each) for node in nodes for each in listed(node.get("errors")))
    return any(
        f"{prompt_graphs.FOLDER}/" in f"{each.get('details')}{_received(each)}" for each in told
    )


def _received(each: Mapping[str, Any]) -> object:
    return mapping(each.get("extra_info")).get("received_value", "")


def lacks(error: Refused, graph: Mapping[str, Any]) -> list[Lack]:
    """Return what a server refuses a graph for not having: a node class, or choices of its lists.

    Empty when it refuses it for anything else as well: another server would, too. A panel is no
    such thing: it is uploaded. Source: protocol.md §4.
    """
    if error.error_type in _NO_SUCH_CLASS:
        named = _NODE_ID.search(error.details)
        node = graph.get(named[1]) if named else None
        return [Lack(node["class_type"], "")] if node else []
    found: list[Lack] = []
    for node in map(mapping, error.node_errors.values()):
        for each in map(mapping, listed(node.get("errors"))):
            extra = mapping(each.get("extra_info"))
            value = name(extra, "received_value")
            if each.get("type") != "value_not_in_list" or value.startswith(
                f"{prompt_graphs.FOLDER}/"
            ):
                return []
            where = f"{node.get('class_type')}.{extra.get('input_name')}"
            found.append(Lack(value, line(where)))
    return found[:LACKS_MOST]
