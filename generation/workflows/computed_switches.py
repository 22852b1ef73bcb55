"""Switches whose side is known only when the graph runs, and what may not be executed for them.

A server executes what the side needs that a switch hands on, and not the other: ComfyUI's
`ComfySwitchNode`, whose inputs are lazy.
"""

from collections.abc import Collection, Iterator, Mapping

from generation.workflows.remarks import Remark
from generation.workflows.typed_graph import SIDES, GraphView, Target
from wording import say


def computed_switches(view: GraphView, reached: Collection[str]) -> list[str]:
    """Return the switches among the nodes that a result needs whose side the graph computes."""
    switches = [node_id for node_id in reached if view.is_switch(node_id)]
    return [
        node_id
        for node_id in sorted(switches, key=view.place)
        if view.switch_branch(node_id) is None
    ]


def surely_executed(
    view: GraphView,
    result: str,
    switches: Collection[str],
    targets: Mapping[str, tuple[Target, ...]],
) -> Iterator[str]:
    """Yield the parameters of which, whatever the switches compute, one target is executed."""
    order = sorted({result, *view.ancestors(result)}, key=view.place)
    for name, held in targets.items():
        nodes = {node_id for node_id, _ in held}
        met: set[str] = set()
        for node_id in order:
            if node_id in nodes or _leads_to(view, node_id, met, node_id in switches):
                met.add(node_id)
        if result in met:
            yield name


def _leads_to(view: GraphView, node_id: str, met: set[str], is_switch: bool) -> bool:
    """Tell whether what is `met` is executed before a node in any case."""
    links = view.links(node_id)
    sides = [source in met for name, (source, _) in links.items() if name in SIDES]
    before = [s in met for name, (s, _) in links.items() if not (is_switch and name in SIDES)]
    return any(before) or (is_switch and len(sides) == len(SIDES) and all(sides))


def side_is_computed(view: GraphView, node_id: str, left_out: Collection[str]) -> Remark:
    """Say that which side a switch hands on is not known, and what is not told for that."""
    where = view.title_of(node_id) or view.class_of(node_id)
    detail = say(
        "Which side {where} (node {node_id}) hands on is computed when the graph runs. What is on"
        " one side alone is no parameter, unless a title @name says so{left_out}.",
        where=where,
        node_id=node_id,
        left_out=f": {', '.join(left_out)}" if left_out else "",
    )
    return Remark("side_is_computed", detail, node_id)
