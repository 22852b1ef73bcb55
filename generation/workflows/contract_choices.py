"""What a technical director has chosen for a workflow: answers to questions, and its parameters.

Stored as `{"answers": {question: {"node", "class", "among"}}, "parameters": {name: {"targets",
"offered", "label", "order", "min", "max", "preset"}}}`. Each choice knows the nodes that it is
about, so that it holds for a new export of the graph only where these are still there.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from generation.comfyui.untrusted_json import Json, as_list, as_mapping, strings
from generation.workflows.graph import Graph
from generation.workflows.parameters import Parameter, check
from generation.workflows.remarks import Remark
from generation.workflows.typed_graph import Target
from wording import say

WHICH_PANEL, WHICH_RESULT, PAINTED_MASK = "which_panel", "which_result", "painted_mask"
#: The questions that can be answered, by the code that they have in a contract.
QUESTIONS = (WHICH_PANEL, WHICH_RESULT, PAINTED_MASK)
#: The answer to `which_panel` that none of the pictures is the panel.
NONE_OF_THEM = ""
#: What can be chosen of a parameter, beside the nodes that it is about.
CHOSEN = ("offered", "label", "order", "min", "max", "preset")


@dataclass(frozen=True)
class HeldAnswers:
    """The answers that hold for a graph: node ids, None where there is none.

    `no_panel_among`: none of these nodes takes the panel. A loader that is new is asked about.
    """

    panel: str | None = None
    result: str | None = None
    mask: str | None = None
    no_panel_among: frozenset[str] = frozenset()


def sha256(stored: Json) -> str:
    """Return by what hash choices are known; those of nobody have one as well."""
    canonical = json.dumps(stored, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def answer(graph: Graph, node_id: str, among: Iterable[str] = ()) -> Json:
    """Return an answer as it is stored; `among` are the nodes that it was chosen from."""
    if node_id == NONE_OF_THEM:
        return {"node": NONE_OF_THEM, "class": "", "among": sorted(among)}
    return {"node": node_id, "class": graph[node_id]["class_type"]}


def anchors(graph: Graph, targets: Iterable[Target]) -> list[list[str]]:
    """Return what is stored of the inputs that a parameter sets: node, input, class."""
    return [[node_id, name, graph[node_id]["class_type"]] for node_id, name in targets]


def answers(graph: Graph, stored: Json) -> HeldAnswers:
    """Return the stored answers whose nodes the graph still has, of the same class."""
    known = {code: as_mapping(given) for code, given in as_mapping(stored.get("answers")).items()}
    nodes = {code: str(given.get("node", "")) for code, given in known.items()}
    fitting = {
        code: node_id
        for code, node_id in nodes.items()
        if node_id in graph and graph[node_id]["class_type"] == known[code].get("class")
    }
    is_none = nodes.get(WHICH_PANEL) == NONE_OF_THEM
    among = strings(known[WHICH_PANEL].get("among")) if is_none else ()
    return HeldAnswers(
        fitting.get(WHICH_PANEL), fitting.get(WHICH_RESULT), fitting.get(PAINTED_MASK),
        frozenset(among),
    )  # fmt: skip


def answers_that_hold(graph: Graph, stored: Json) -> dict[str, str]:
    """Return the answers that hold for a graph, by question; an empty text is none of them."""
    fitting = answers(graph, stored)
    nodes = {
        WHICH_PANEL: NONE_OF_THEM if fitting.no_panel_among else fitting.panel,
        WHICH_RESULT: fitting.result,
        PAINTED_MASK: fitting.mask,
    }
    return {code: node_id for code, node_id in nodes.items() if node_id is not None}


def warnings_of_gone(
    graph: Graph, stored: Json, parameters: dict[str, Parameter]
) -> Iterator[Remark]:
    """Yield a warning for each choice that no longer holds, as its node is gone or another."""
    holding = answers_that_hold(graph, stored)
    for code, given in as_mapping(stored.get("answers")).items():
        node_id = str(as_mapping(given).get("node", ""))
        if code not in holding:
            detail = say(
                "The answer to {code} was node {node_id}, which is not there any more.",
                code=code,
                node_id=node_id,
            )
            yield Remark("choice_gone", detail)
    for name, chosen in as_mapping(stored.get("parameters")).items():
        parameter = parameters.get(name)
        if parameter is None or not _is_about(graph, as_mapping(chosen), parameter):
            detail = say(
                "What was chosen for the parameter {name} does not hold any more: the nodes that "
                "it was about are not there, or are other ones. Choose again.",
                name=name,
            )
            yield Remark("choice_gone", detail)
        elif problem := _unfit(parameter, as_mapping(chosen)):
            yield Remark(
                "preset_unfit",
                say("The preset of {name} is not used: {problem}", name=name, problem=problem),
            )


def laid_over(graph: Graph, parameters: dict[str, Parameter], stored: Json) -> dict[str, Parameter]:
    """Return the parameters with the choices that still hold."""
    chosen = {name: as_mapping(of) for name, of in as_mapping(stored.get("parameters")).items()}
    return {
        name: with_choice(parameter, chosen[name])
        if name in chosen and _is_about(graph, chosen[name], parameter)
        else parameter
        for name, parameter in parameters.items()
    }


def with_choice(parameter: Parameter, chosen: Json) -> Parameter:
    """Return a parameter as it was chosen to be: bounds can only be drawn tighter."""
    bounded = replace(
        parameter,
        minimum=max(_bounds(parameter.minimum, chosen.get("min")), default=None),
        maximum=min(_bounds(parameter.maximum, chosen.get("max")), default=None),
        label=str(chosen.get("label") or ""),
        order=_whole(chosen.get("order")),
        is_offered=chosen.get("offered") is not False,
    )
    if "preset" not in chosen or _unfit(parameter, chosen):
        return bounded
    return replace(bounded, default=chosen["preset"], default_source="preset")


def _is_about(graph: Graph, chosen: Json, parameter: Parameter) -> bool:
    """Tell whether a choice is about an input that the parameter still sets."""
    present = anchors(graph, parameter.targets)
    return any(as_list(anchor) in present for anchor in as_list(chosen.get("targets")))


def _unfit(parameter: Parameter, chosen: Json) -> str:
    """Return why a preset cannot be used; empty when it can, or there is none."""
    if "preset" not in chosen:
        return ""
    bounded = with_choice(parameter, {name: chosen.get(name) for name in ("min", "max")})
    problems = check({parameter.name: chosen["preset"]}, {parameter.name: bounded})
    return problems[0].detail if problems else ""


def _bounds(*bounds: object) -> list[float]:
    return [
        bound for bound in bounds if isinstance(bound, int | float) and not isinstance(bound, bool)
    ]


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
