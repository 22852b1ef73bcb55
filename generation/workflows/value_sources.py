"""Where the value of an input stands: in the node itself, or in nodes that it is linked to."""

import math

from generation.workflows.definitions import WIDGETS, InputSpec
from generation.workflows.graph import Link, link
from generation.workflows.typed_graph import GraphView, Target

SEED_NAMES = frozenset({"seed", "noise_seed"})
#: Texts that shape other texts and are no text of a prompt themselves.
_NO_PIECES = frozenset(
    {"delimiter", "separator", "find", "replace", "substring", "regex", "regex_pattern", "pattern"}
)
_NUMBERS = frozenset({"INT", "FLOAT"})
#: What links carry that hold a value, as far as it is known.
_VALUES = WIDGETS | {"", "*"}


def value_source(view: GraphView, target: Target) -> Target | None:
    """Return the one input that decides a value: itself, or through links that only hand it on.

    None where it has no value, or where a node computes it.
    """
    wanted = view.spec(target)
    current, seen = target, set[Target]()
    while current not in seen:
        seen.add(current)
        held = view.graph[current[0]]["inputs"].get(current[1])
        source = link(held)
        if source is None:
            return current if _fits(held, wanted) else None
        following = _handed_on(view, source, wanted)
        if following is None:
            return None
        current = following
    return None


def _fits(value: object, wanted: InputSpec | None) -> bool:
    """Tell whether a value is of the kind that is wanted: a file's name is no width."""
    if wanted is None or wanted.kind not in _NUMBERS:
        return isinstance(value, str | int | float)
    return is_number(value)


def is_number(value: object) -> bool:
    """Tell whether a server reads a value as a number: it is one, or a text that holds one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return isinstance(value, int)


def _handed_on(view: GraphView, source: Link, wanted: InputSpec | None) -> Target | None:
    """Return the input that a node only hands on.

    That is its only one, the side on which a switch stands, the slot's own, or its only seed.
    """
    node_id = source[0]
    side = view.switch_branch(node_id)
    if side is not None:
        return node_id, side
    held, linked = view.values(node_id), view.links(node_id)
    if len(held) + len(linked) == 1:
        name = next(iter([*held, *linked]))
        is_value = not linked or view.type_of(node_id, name, linked[name]) in _VALUES
        return (node_id, name) if is_value else None
    called = view.output_name(source).lower()
    if called in held or called in linked:
        return node_id, called
    if wanted is None or wanted.kind in _NUMBERS:
        seeds = [name for name in [*held, *linked] if is_seed(view, (node_id, name))]
        return (node_id, seeds[0]) if len(seeds) == 1 and not linked else None
    return None


def is_seed(view: GraphView, target: Target) -> bool:
    """Tell whether an input takes a seed: by its definition, or by its name where it has none.

    What numbers otherwise (a primitive with `control_after_generate`) is none: it is a seed only
    where it is linked to one.
    """
    spec = view.spec(target)
    named = target[1] in SEED_NAMES or target[1].endswith("_seed")
    if spec is None:
        return named and isinstance(view.graph[target[0]]["inputs"].get(target[1]), int | list)
    return spec.kind == "INT" and (named or (spec.is_seed and target[1] != "value"))


def text_sources(view: GraphView, target: Target) -> list[Target]:
    """Return the inputs whose texts make up a text, in the order in which they stand in it.

    Empty where none of them is written in the graph: a picture's caption, say.
    """
    waiting, seen, pieces = [target], {target}, list[Target]()
    while waiting:
        current = waiting.pop()
        source = link(view.graph[current[0]]["inputs"].get(current[1]))
        if source is None:
            pieces += [current] if isinstance(view.value(current), str) else []
            continue
        names = [name for name in _texts(view, source[0]) if name not in _NO_PIECES]
        new = [(source[0], name) for name in names if (source[0], name) not in seen]
        seen.update(new)
        waiting.extend(reversed(new))
    return pieces


def _texts(view: GraphView, node_id: str) -> list[str]:
    """Return the names of a node's inputs that hold texts or are linked to some."""
    held = [
        name
        for name in view.values(node_id)
        if isinstance(view.value((node_id, name)), str) and _takes_text(view, (node_id, name))
    ]
    linked = [
        name for name, at in view.links(node_id).items() if _is_text_link(view, node_id, name, at)
    ]
    order = list(view.graph[node_id]["inputs"])
    specs = list(view.specs(node_id))
    return sorted(
        {*held, *linked},
        key=lambda name: (specs.index(name) if name in specs else len(specs), order.index(name)),
    )


def _takes_text(view: GraphView, target: Target) -> bool:
    spec = view.spec(target)
    return spec is None or spec.kind == "STRING" or spec.kind in {"*", "ANY"}


def _is_text_link(view: GraphView, node_id: str, name: str, at: tuple[str, int]) -> bool:
    return view.type_of(node_id, name, at) in {"STRING", ""}
