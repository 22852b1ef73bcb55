"""What a server's own validation would refuse in a graph, told before it is sent.

What a server coerces is taken: a number that is written as a text, a text for a number.
Source: protocol.md §3.4, §4.
"""

from collections.abc import Iterable, Iterator

from generation.workflows.definitions import ANY, WIDGETS, InputSpec
from generation.workflows.graph import Link, link
from generation.workflows.named_files import is_model_file
from generation.workflows.parameters import shown
from generation.workflows.remarks import Remark
from generation.workflows.typed_graph import GraphView, Target
from wording import say


def faults(view: GraphView, ends: Iterable[str], settable: Iterable[Target]) -> Iterator[Remark]:
    """Yield what a server would refuse of the nodes that lead to `ends`, in order of execution.

    `settable` are inputs whose values in the file do not count, as others are set in them. Nodes
    of a class that the definitions do not know are passed over: which server has it is asked later.
    """
    reached = {node for end in ends for node in (end, *view.ancestors(end))}
    ignored = frozenset(settable)
    for node_id in sorted(reached, key=view.place):
        for name, spec in view.specs(node_id).items():
            fault = _fault(view, (node_id, name), spec, ignored)
            if fault:
                yield _remark(view, (node_id, name), *fault)


def is_whole(view: GraphView, end: str) -> bool:
    """Tell whether nothing that is required is missing on the way to a node."""
    return not any(
        _is_missing(view, (node_id, name), spec)
        for node_id in (end, *view.ancestors(end))
        for name, spec in view.specs(node_id).items()
    )


def loose_ends(view: GraphView, ends: Iterable[str]) -> Iterator[Remark]:
    """Yield a warning for each unfinished node that leads to nothing: a server leaves it out."""
    reached = {node for end in ends for node in (end, *view.ancestors(end))}
    for node_id in view.graph:
        lacking = [n for n, s in view.specs(node_id).items() if _is_missing(view, (node_id, n), s)]
        if node_id not in reached and lacking:
            node = say(
                "Node {node_id} ({class_of})", node_id=node_id, class_of=view.class_of(node_id)
            )
            detail = say(
                "{node} leads to nothing and lacks {lacking}: it is left out.",
                node=node,
                lacking=lacking[0],
            )
            yield Remark("loose_end", detail, node_id)


Fault = tuple[str, str]


def _fault(
    view: GraphView, target: Target, spec: InputSpec, ignored: frozenset[Target]
) -> Fault | None:
    if _is_missing(view, target, spec):
        return ("missing_input", say("is required and missing."))
    inputs = view.graph[target[0]]["inputs"]
    if target[1] not in inputs or target in ignored:
        return None
    value = inputs[target[1]]
    source = link(value)
    if source is not None:
        return _link_fault(view, source, spec)
    if isinstance(value, list):
        return ("bad_link", say("is a list that is no link."))
    return _value_fault(value, spec)


def _is_missing(view: GraphView, target: Target, spec: InputSpec) -> bool:
    return spec.required and view.graph[target[0]]["inputs"].get(target[1]) is None


def _link_fault(view: GraphView, source: Link, spec: InputSpec) -> Fault | None:
    """Compare the type of a link's source with what the input takes; unions and any type fit."""
    given = view.outputs_defined(source[0])
    if given is None:
        return None
    node = f"node {source[0]} ({view.class_of(source[0])})"
    if source[1] >= len(given):
        return (
            "bad_slot",
            say(
                "is linked to output {source} of {node}, which has {n}.",
                source=source[1],
                node=node,
                n=len(given),
            ),
        )
    kinds = set(given[source[1]].split(","))
    wanted = set(spec.kind.split(","))
    if kinds & wanted or (kinds | wanted) & ANY:
        return None
    return ("bad_link_type", f"takes {spec.kind}, and {node} gives {given[source[1]]} there.")


def _value_fault(value: object, spec: InputSpec) -> Fault | None:
    if spec.kind not in WIDGETS:
        is_open = spec.kind in ANY or isinstance(value, dict)
        return (
            None
            if is_open
            else ("not_linked", say("must be linked to a node that gives {kind}.", kind=spec.kind))
        )
    if isinstance(value, dict):
        return None
    if spec.kind in {"INT", "FLOAT"}:
        return _number_fault(value, spec)
    return _choice_fault(value, spec) if spec.kind == "COMBO" else None


def _number_fault(value: object, spec: InputSpec) -> Fault | None:
    try:
        number = (
            int(str(value)) if spec.kind == "INT" and isinstance(value, str) else float(str(value))
        )
    except ValueError:
        if isinstance(value, bool):
            return None
        return ("not_a_number", say("must be a number, not {value}.", value=shown(value)))
    low, high = spec.minimum, spec.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        return (
            "out_of_bounds",
            say(
                "must be between {low} and {high}, not {value}.",
                low=low,
                high=high,
                value=shown(value),
            ),
        )
    return None


def _choice_fault(value: object, spec: InputSpec) -> Fault | None:
    # Which server has a model or an uploaded picture is asked of the servers.
    is_file = spec.is_upload or is_model_file(value)
    if spec.options is None or is_file or value in spec.options or not spec.options:
        return None
    choices = ", ".join(str(option) for option in spec.options[:20])
    return (
        "not_in_list",
        say("must be one of {choices}, not {value}.", choices=choices, value=shown(value)),
    )


def _remark(view: GraphView, target: Target, code: str, detail: str) -> Remark:
    node_id, name = target
    title = view.title_of(node_id)
    called = f" “{title}”" if title and title != view.class_of(node_id) else ""
    where = say(
        "{name} of node {node_id}{called} ({class_of})",
        name=name,
        node_id=node_id,
        called=called,
        class_of=view.class_of(node_id),
    )
    return Remark(code, f"{where} {detail}", node_id)
