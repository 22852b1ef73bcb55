"""The contract of a workflow: what it takes, with types and bounds, and what it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from generation.comfyui.untrusted_json import Json
from generation.workflows import contract_choices, frontend_substitutions, predicted_refusals
from generation.workflows.definitions import WIDGETS, Definitions, InputSpec, input_spec
from generation.workflows.discovery import GraphReading, read
from generation.workflows.graph import Graph
from generation.workflows.limits import DEFAULT, GraphLimits
from generation.workflows.parameters import Kind, Parameter, Scaled
from generation.workflows.remarks import OpenQuestion, Remark
from generation.workflows.result_nodes import Saver
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import SEED_NAMES
from wording import say

#: Kinds that one parameter may hold together, and what it is then.
_JOINED: dict[frozenset[Kind], Kind] = {
    frozenset({"SEED", "INT"}): "SEED",
    frozenset({"INT", "FLOAT"}): "INT",
    frozenset({"COMBO", "STRING"}): "COMBO",
}
#: Choices of nobody.
NOTHING: Json = {}
#: What a parameter's name says of it, whatever the node is that holds its value.
_SEED = "seed"


@dataclass(frozen=True)
class Contract:
    """What a workflow takes and gives, as its graph and the nodes' definitions tell it.

    `savers` is every node that saves or shows something, `result` the one that saves a plan's
    picture, `images` how many it saves, None where nothing tells; `panel` is the input that takes
    the plan's panel, `loaders` are all nodes that could take it. With a `refusal` or an open
    question no plan can be made.
    """

    parameters: Mapping[str, Parameter]
    savers: tuple[Saver, ...]
    result: str | None
    images: int | None
    panel: Target | None
    loaders: tuple[str, ...]
    warnings: tuple[Remark, ...]
    questions: tuple[OpenQuestion, ...]
    refusal: Remark | None

    @property
    def presets(self) -> dict[str, object]:
        """The values that were chosen to be used instead of the file's."""
        return {
            name: parameter.default
            for name, parameter in self.parameters.items()
            if parameter.default_source == "preset"
        }


def contract(
    graph: Graph, definitions: Definitions, chosen: Json = NOTHING, limits: GraphLimits = DEFAULT
) -> Contract:
    """Return the contract of a graph: bounds and options from the definitions, then as `chosen`.

    See `choices` for their form; those that do not fit the graph any more are warnings.
    """
    reading = read(graph, definitions, contract_choices.answers(graph, chosen))
    found = {
        name: replace(parameter, max_characters=limits.text_characters)
        for name, parameter in _parameters(reading, graph, definitions).items()
    }
    parameters = contract_choices.laid_over(graph, found, chosen)
    result = reading.result
    ends = [saver.node_id for saver in reading.savers]
    loose = predicted_refusals.loose_ends(GraphView(graph, definitions), ends)
    return Contract(
        parameters=parameters,
        savers=reading.savers,
        result=result.node_id if result else None,
        images=result.images if result else None,
        panel=reading.panel,
        loaders=reading.loaders,
        warnings=(
            *reading.warnings,
            *contract_choices.warnings_of_gone(graph, chosen, found),
            *loose,
            *frontend_substitutions.remarks(graph, definitions),
        ),
        questions=tuple(reading.questions),
        refusal=reading.refusal,
    )


def faults(graph: Graph, definitions: Definitions, chosen: Json = NOTHING) -> list[Remark]:
    """Return why no plan can be made with a graph, by one server's definitions; empty if one can.

    What a plan brings (its panel, its seed) does not count in the file.
    """
    found = contract(graph, definitions, chosen)
    if found.refusal:
        return [found.refusal]
    names = [name for name in ("panel", "seed") if name in found.parameters]
    settable = [target for name in names for target in found.parameters[name].targets]
    view = GraphView(graph, definitions)
    return list(predicted_refusals.faults(view, [found.result] if found.result else [], settable))


def _parameters(
    reading: GraphReading, graph: Graph, definitions: Definitions
) -> dict[str, Parameter]:
    """Return the parameters of a reading; a name with inputs of different types gets a warning."""
    parameters: dict[str, Parameter] = {}
    for name, targets in reading.targets.items():
        specs = [_spec(graph, definitions, target) for target in targets]
        kinds = {_kind(name, s, t) for s, t in zip(specs, targets, strict=True)}
        kind = _joined(kinds, {graph[node]["inputs"][held] for node, held in targets})
        if kind is None:
            reading.warnings.append(_mixed(name, targets))
        elif name == _SEED and kind != "SEED":
            reading.warnings.append(_no_seed(targets[0]))
        else:
            first = graph[targets[0][0]]["inputs"][targets[0][1]]
            scaled = reading.scaled.get(name, ())
            parameter = _parameter(name, kind, targets, specs, first, scaled)
            is_titled = name in reading.titled
            parameters[name] = replace(parameter, source="title") if is_titled else parameter
    return parameters


def _joined(kinds: set[Kind], values: set[object]) -> Kind | None:
    """Return what inputs of several types are together: only where they hold the same value."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return _JOINED.get(frozenset(kinds)) if len(values) == 1 else None


def _no_seed(target: Target) -> Remark:
    detail = say(
        "What the title @seed names is no whole number: {name} of node {node_id}.",
        name=target[1],
        node_id=target[0],
    )
    return Remark("bad_seed", detail, target[0])


def _mixed(name: str, targets: tuple[Target, ...]) -> Remark:
    nodes = ", ".join(f"{node_id}.{target}" for node_id, target in targets)
    detail = say(
        "@{name} names inputs of different types, so it is no parameter: {nodes}.",
        name=name,
        nodes=nodes,
    )
    return Remark("mixed_types", detail, targets[0][0])


def _parameter(
    name: str,
    kind: Kind,
    targets: tuple[Target, ...],
    specs: list[InputSpec],
    first: object,
    scaled: tuple[Scaled, ...],
) -> Parameter:
    """Join what the targets take: the tightest bounds, the choices that all of them have."""
    return Parameter(
        name=name,
        type=kind,
        targets=targets,
        minimum=max((spec.minimum for spec in specs if spec.minimum is not None), default=None),
        maximum=min((spec.maximum for spec in specs if spec.maximum is not None), default=None),
        step=specs[0].step,
        default=first,
        options=_options(specs),
        scaled=scaled,
    )


def _spec(graph: Graph, definitions: Definitions, target: Target) -> InputSpec:
    """Return what the input takes; for a node that is not defined, what its value tells."""
    node_id, name = target
    node = graph[node_id]
    spec = input_spec(definitions, node["class_type"], name, node["inputs"])
    return spec if spec and spec.kind in WIDGETS else InputSpec(_guess(node["inputs"][name]))


def _guess(value: object) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "INT"
    return "FLOAT" if isinstance(value, float) else "STRING"


def _kind(name: str, spec: InputSpec, target: Target) -> Kind:
    if spec.is_upload:
        return "IMAGE"
    is_seed = name == _SEED or target[1] in SEED_NAMES
    if spec.kind == "INT" and is_seed:
        return "SEED"
    return cast(Kind, spec.kind)


def _options(specs: Iterable[InputSpec]) -> tuple[object, ...] | None:
    lists = [spec.options for spec in specs if spec.options is not None and not spec.is_upload]
    if not lists:
        return None
    return tuple(option for option in lists[0] if all(option in other for other in lists[1:]))
