"""POST /prompt: from a JSON body to a queued prompt, or to the words in which it is refused."""

import uuid
from dataclasses import dataclass
from typing import Any

from comfyui_preview import faulty_definitions
from comfyui_preview.progress import now_ms
from comfyui_preview.shared_state import Engine
from comfyui_preview.validation import Malformed, ValidationContext, Verdict, error, validate


@dataclass(frozen=True)
class HttpAnswer:
    """What POST /prompt answers."""

    status: int
    body: dict[str, Any]


def submit(engine: Engine, body: Any) -> HttpAnswer:
    """Queue a prompt or refuse it.

    Raises Malformed, TypeError or ValueError where a real server answers 500.
    Source: protocol §3, §4.
    """
    if not isinstance(body, dict | list):
        raise Malformed("the body is no object")
    number = _number(engine, body)
    if "prompt" not in body or not isinstance(body, dict):
        words = "No prompt provided"
        return _refused(Verdict(error=error("no_prompt", words, words)))
    prompt_id = _prompt_id(engine, body)
    if prompt_id is None:
        words = "prompt_id must be a canonical lowercase UUID"
        return _refused(Verdict(error=error("invalid_prompt_id", words, words)))
    verdict = _verdict(engine, body)
    prefixes = _prefixes(body["prompt"])
    if verdict.error is not None:
        kind = verdict.error["type"]
        engine.journal.write("refused", prompt_id=prompt_id, error=kind, prefixes=prefixes)
        return _refused(verdict)
    extra_data = _extra_data(engine, body)
    engine.journal.write("accepted", prompt_id=prompt_id, number=number, prefixes=prefixes)
    engine.queue.put((number, prompt_id, body["prompt"], extra_data, verdict.outputs))
    accepted = {"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors}
    return HttpAnswer(200, accepted)


def _refused(verdict: Verdict) -> HttpAnswer:
    return HttpAnswer(400, {"error": verdict.error, "node_errors": verdict.node_errors})


def _number(engine: Engine, body: Any) -> float:
    if "number" in body and isinstance(body, dict):
        return float(body["number"])
    number = engine.queue.next_number()
    return -number if isinstance(body, dict) and body.get("front") else number


def _prompt_id(engine: Engine, body: dict[str, Any]) -> str | None:
    """The id to use; None when a server of the jobs era refuses the one that was sent.

    Before 0.3.45 the one that was sent is not looked at.
    """
    if not engine.options.is_since("chosen"):
        return str(uuid.uuid4())
    if engine.options.generation != "jobs":
        return str(body.get("prompt_id", uuid.uuid4()))
    given = body.get("prompt_id")
    if given is None:
        return str(uuid.uuid4())
    return given if is_canonical(given) else None


def _prefixes(graph: object) -> list[str]:
    """The file name prefixes in a graph: for the journal, as the id may be of nobody's choosing.

    Of what is refused, anything may be in a graph's place.
    """
    nodes = graph.values() if isinstance(graph, dict) else ()
    inputs = (node.get("inputs") for node in nodes if isinstance(node, dict))
    prefixes = (
        node_inputs.get("filename_prefix")
        for node_inputs in inputs
        if isinstance(node_inputs, dict)
    )
    return [prefix for prefix in prefixes if isinstance(prefix, str)]


def is_canonical(prompt_id: object) -> bool:
    """Whether an id is a lowercase UUID with hyphens."""
    try:
        return isinstance(prompt_id, str) and str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        return False


def _verdict(engine: Engine, body: dict[str, Any]) -> Verdict:
    if fault := engine.faults.take("refuse_prompt"):
        refused = fault.options.get("error") or error("prompt_outputs_failed_validation", "Refused")
        return Verdict(error=refused, node_errors=fault.options.get("node_errors") or {})
    known = faulty_definitions.installed_definitions(engine.faults, engine.definitions)
    checks = ValidationContext(known, engine.folders, engine.options.generation)
    # Since 0.3.48.
    targets = body.get("partial_execution_targets") if engine.options.is_since("chosen") else None
    verdict = validate(body["prompt"], targets, checks)
    if fault := engine.faults.take("partial_node_errors"):
        verdict.node_errors |= fault.options.get("node_errors") or {}
        dropped = fault.options.get("dropped") or ()
        verdict.outputs = [node_id for node_id in verdict.outputs if node_id not in dropped]
    return verdict


def _extra_data(engine: Engine, body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("extra_data", {})
    if not isinstance(given, dict):
        raise Malformed("extra_data is no object")
    extra_data = dict(given)
    if "client_id" in body:
        extra_data["client_id"] = body["client_id"]
    if isinstance(extra_data.get("client_id"), list | dict):
        # a real server dies of it; this one refuses
        raise Malformed("client_id is no text")
    if engine.options.generation == "jobs":
        extra_data["create_time"] = now_ms()
    return extra_data
