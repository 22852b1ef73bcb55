"""A graph seen with the definitions of its nodes: types of links, values, what lies upstream."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from generation.workflows.definitions import (
    ANY,
    MATCHED,
    Definitions,
    InputSpec,
    has_dynamic_inputs,
    inputs_of,
    output_names,
    output_types,
    tells_outputs,
)
from generation.workflows.graph import Graph, Link, links, title

Sources: TypeAlias = Callable[[str], list[str]]
#: An input that holds a value: node id and the input's name.
Target: TypeAlias = tuple[str, str]

#: The inputs of a node that hands on one of two.
_SWITCH, SIDES = "switch", ("on_false", "on_true")
#: What links are called where no definition tells their type.
_TYPES_BY_NAME = {
    "model": "MODEL",
    "clip": "CLIP",
    "vae": "VAE",
    "positive": "CONDITIONING",
    "negative": "CONDITIONING",
    "latent_image": "LATENT",
    "latent": "LATENT",
    "samples": "LATENT",
    "image": "IMAGE",
    "images": "IMAGE",
    "pixels": "IMAGE",
    "mask": "MASK",
    "noise": "NOISE",
    "guider": "GUIDER",
    "sampler": "SAMPLER",
    "sigmas": "SIGMAS",
    "control_net": "CONTROL_NET",
    "clip_vision": "CLIP_VISION",
    "video": "VIDEO",
}
_CONDITIONING_NAME = re.compile(r"cond(itioning)?(_?\w+)?")


class Use(NamedTuple):
    """One input that takes what a node gives."""

    node_id: str
    name: str
    slot: int


@dataclass(frozen=True)
class GraphView:
    """A graph with the definitions of its nodes.

    `places` numbers the nodes in the order in which a server can execute them: whatever a node
    depends on comes before it.
    """

    graph: Graph
    definitions: Definitions
    _specs: dict[Target, Mapping[str, InputSpec]] = field(default_factory=dict)
    _dynamic: dict[str, bool] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _uses: dict[str, list[Use]] = field(default_factory=dict)

    def class_of(self, node_id: str) -> str:
        """Return the class of a node."""
        return self.graph[node_id]["class_type"]

    def title_of(self, node_id: str) -> str:
        """Return what people call a node; empty without a title."""
        return title(self.graph[node_id])

    def is_known(self, node_id: str) -> bool:
        """Tell whether the definitions know the node's class."""
        return self.class_of(node_id) in self.definitions

    def specs(self, node_id: str) -> Mapping[str, InputSpec]:
        """Return what each input of the node takes; empty for an unknown class."""
        class_type = self.class_of(node_id)
        if class_type not in self._dynamic:
            self._dynamic[class_type] = has_dynamic_inputs(self.definitions, class_type)
        values = self.graph[node_id]["inputs"] if self._dynamic[class_type] else {}
        known = class_type, node_id if values else ""
        if known not in self._specs:
            self._specs[known] = inputs_of(self.definitions, class_type, values) or {}
        return self._specs[known]

    def spec(self, target: Target) -> InputSpec | None:
        """Return what one input takes; None where the definitions do not say."""
        return self.specs(target[0]).get(target[1])

    def links(self, node_id: str) -> dict[str, Link]:
        """Return the linked inputs of a node: in the order of its definition, then of the file.

        Of a switch that stands on one side, the other is left out: it is not executed.
        """
        linked = links(self.graph, node_id)
        ordered = [name for name in self.specs(node_id) if name in linked]
        side = self.switch_branch(node_id)
        idle = {*SIDES} - {side} if side else set()
        names = dict.fromkeys([*ordered, *linked])
        return {name: linked[name] for name in names if name not in idle}

    def is_switch(self, node_id: str) -> bool:
        """Tell whether a node hands on one of two sides."""
        return {_SWITCH, *SIDES} <= self.specs(node_id).keys()

    def switch_branch(self, node_id: str) -> str | None:
        """Return the input that a switch hands on; None for other nodes, and where it is computed.

        A server executes what this side needs, and not the other.
        """
        if not self.is_switch(node_id):
            return None
        stands = _constant(self.graph, node_id, _SWITCH)
        return None if stands is None else SIDES[stands]

    def value(self, target: Target) -> object:
        """Return what an input holds; None without such an input or where it is linked."""
        held = self.graph[target[0]]["inputs"].get(target[1])
        return held if isinstance(held, str | int | float) else None

    def values(self, node_id: str) -> list[str]:
        """Return the names of the inputs that hold a value: as defined, then as in the file."""
        inputs = self.graph[node_id]["inputs"]
        names = dict.fromkeys([*(n for n in self.specs(node_id) if n in inputs), *inputs])
        return [name for name in names if isinstance(inputs[name], str | int | float)]

    def type_of(self, node_id: str, name: str, source: Link) -> str:
        """Return the type that a link carries: by its source, its consumer, or its name."""
        given = self._given(source)
        if given not in ANY:
            return given
        spec = self.spec((node_id, name))
        if spec is not None and spec.kind not in ANY:
            return spec.kind
        return _TYPES_BY_NAME.get(name) or _type_by_pattern(name)

    def _given(self, source: Link) -> str:
        """Return the type of a slot as defined; of what only matches, that which it is given."""
        for _ in self.graph:
            node_id, slot = source
            given = output_types(self.definitions, self.class_of(node_id))
            if slot >= len(given) or given[slot] != MATCHED:
                return given[slot] if slot < len(given) else ""
            specs = self.specs(node_id)
            linked = self.links(node_id).items()
            matched = [at for name, at in linked if name in specs and specs[name].kind == MATCHED]
            if not matched:
                return MATCHED
            source = matched[0]
        return ""

    def links_of(self, node_id: str, kind: str) -> dict[str, Link]:
        """Return the linked inputs of a node that carry one type."""
        found = self.links(node_id)
        return {name: at for name, at in found.items() if self.type_of(node_id, name, at) == kind}

    def output_name(self, source: Link) -> str:
        """Return what a slot of a node is called; empty where the definitions do not say."""
        names = output_names(self.definitions, self.class_of(source[0]))
        return names[source[1]] if source[1] < len(names) else ""

    def place(self, node_id: str) -> int:
        """Return the node's number in an order of execution."""
        if not self._places:
            self._places.update(_numbered(self.graph))
        return self._places[node_id]

    def outputs_defined(self, node_id: str) -> tuple[str, ...] | None:
        """Return the types of what the node's class gives; None where no definition says."""
        class_type = self.class_of(node_id)
        is_told = tells_outputs(self.definitions, class_type)
        return output_types(self.definitions, class_type) if is_told else None

    def outputs(self, node_id: str) -> tuple[str, ...]:
        """Return the types of what a node gives: as defined, else as those take it who use it."""
        given = output_types(self.definitions, self.class_of(node_id))
        if given:
            return tuple(self._given((node_id, slot)) for slot in range(len(given)))
        return tuple(
            self.type_of(use.node_id, use.name, (node_id, use.slot)) for use in self.uses(node_id)
        )

    def uses(self, node_id: str) -> list[Use]:
        """Return who takes what a node gives, by which input, from which slot."""
        if not self._uses:
            for user in self.graph:
                for name, (source, slot) in self.links(user).items():
                    self._uses.setdefault(source, []).append(Use(user, name, slot))
        return self._uses.get(node_id, [])

    def ancestors(self, node_id: str) -> Iterator[str]:
        """Yield the nodes that a node depends on, nearest first."""

        def sources(current: str) -> list[str]:
            return [source for source, _ in self.links(current).values()]

        return _walk(sources(node_id), sources)

    def chain(self, node_id: str, kind: str) -> Iterator[str]:
        """Yield the nodes before a node that links of one type lead to, nearest first."""

        def sources(current: str) -> list[str]:
            return [source for source, _ in self.links_of(current, kind).values()]

        return _walk(sources(node_id), sources)


def _constant(graph: Graph, node_id: str, name: str) -> bool | None:
    """Return the truth value of an input, also where it is that of a node of one value."""
    for _ in graph:
        inputs = graph[node_id]["inputs"]
        held = inputs.get(name)
        if isinstance(held, bool):
            return held
        at = links(graph, node_id).get(name)
        if at is None or len(graph[at[0]]["inputs"]) != 1:
            return None
        node_id, name = at[0], next(iter(graph[at[0]]["inputs"]))
    return None


def _walk(starts: Iterable[str], sources: Sources) -> Iterator[str]:
    waiting = deque(dict.fromkeys(starts))
    seen = set(waiting)
    while waiting:
        current = waiting.popleft()
        yield current
        new = [node_id for node_id in dict.fromkeys(sources(current)) if node_id not in seen]
        seen.update(new)
        waiting.extend(new)


def _type_by_pattern(name: str) -> str:
    if _CONDITIONING_NAME.fullmatch(name):
        return "CONDITIONING"
    base = name.rstrip("0123456789").rstrip("_")
    return _TYPES_BY_NAME.get(base, "")


def _numbered(graph: Graph) -> dict[str, int]:
    """Number the nodes so that each comes after all that it depends on; the file's order first."""
    numbers: dict[str, int] = {}
    for start in graph:
        waiting = [start]
        while waiting:
            open_sources = [
                source
                for source, _ in links(graph, waiting[-1]).values()
                if source not in numbers and source != waiting[-1]
            ]
            if open_sources:
                waiting.append(open_sources[0])
            else:
                numbers.setdefault(waiting.pop(), len(numbers))
    return numbers
