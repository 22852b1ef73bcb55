"""What people say of a graph in its titles: `@steps`, `@size.width`, `@panel`, `@result`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generation.workflows.result_nodes import RESULT_TITLE
from generation.workflows.typed_graph import GraphView, Target
from wording import say

_TITLE = re.compile(r"@(?P<name>[a-z][a-z0-9_]*)(?:\.(?P<input>\w+))?(?:\s.*)?", re.DOTALL)


@dataclass(frozen=True)
class Titled:
    """One title that begins with @: the parameter and input that it names, or why it names none."""

    node_id: str
    text: str
    name: str = ""
    target: Target | None = None
    problem: str = ""


def title_marks(view: GraphView) -> Iterator[Titled]:
    """Yield every title that begins with @, except that of the result."""
    for node_id in view.graph:
        text = view.title_of(node_id)
        if text.startswith("@") and text.split(" ")[0] != RESULT_TITLE:
            yield _read(view, node_id, text)


def _read(view: GraphView, node_id: str, text: str) -> Titled:
    match = _TITLE.fullmatch(text)
    if not match:
        problem = say("it is no name of a parameter (@, small letters, digits and _)")
        return Titled(node_id, text, problem=problem)
    wanted, values = match["input"], view.values(node_id)
    names = [wanted] if wanted in values else [] if wanted else values
    if len(names) != 1:
        held = ", ".join(values) or say("it has none that holds a value")
        return Titled(
            node_id, text, problem=say("it must name one input after a dot: {held}", held=held)
        )
    return Titled(node_id, text, match["name"], (node_id, names[0]))
