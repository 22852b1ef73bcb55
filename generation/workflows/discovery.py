"""All that a graph tells of itself: its parameters, panel and result, and what is not known."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from generation.workflows import conditioning_texts, model_loaders, panel_inputs, result_nodes
from generation.workflows.computed_switches import (
    computed_switches,
    side_is_computed,
    surely_executed,
)
from generation.workflows.contract_choices import HeldAnswers
from generation.workflows.definitions import Definitions
from generation.workflows.graph import Graph
from generation.workflows.parameter_naming import Names, Targets
from generation.workflows.parameters import Scaled
from generation.workflows.predicted_refusals import is_whole
from generation.workflows.remarks import OpenQuestion, Remark
from generation.workflows.result_nodes import Saver
from generation.workflows.sampling import Sampling, samplings, splits, steering
from generation.workflows.seeds import seeds
from generation.workflows.size_parameters import add_size
from generation.workflows.titles import title_marks
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import value_source
from wording import say

NOT_ANSWERED = HeldAnswers()
PANEL = "panel"
SEED = "seed"


@dataclass
class GraphReading:
    """What a graph takes and gives.

    `targets` are the inputs that hold each parameter, `scaled` those that move in proportion to
    it. `result` is the saver that plans are made for, None where nothing is saved or shown; `panel`
    the input that takes a plan's panel, or the likeliest one while a question about it is open;
    `loaders` all nodes that could take it. `titled` are the parameters that titles name. `refusal`
    says why no plan can be made for what the graph leaves.
    """

    targets: dict[str, Targets] = field(default_factory=dict)
    scaled: dict[str, tuple[Scaled, ...]] = field(default_factory=dict)
    savers: tuple[Saver, ...] = ()
    result: Saver | None = None
    panel: Target | None = None
    loaders: tuple[str, ...] = ()
    titled: frozenset[str] = frozenset()
    refusal: Remark | None = None
    warnings: list[Remark] = field(default_factory=list)
    questions: list[OpenQuestion] = field(default_factory=list)


def read(
    graph: Graph, definitions: Definitions, answers: HeldAnswers = NOT_ANSWERED
) -> GraphReading:
    """Return what a graph tells of itself; what it does not tell is a question, never a guess.

    What somebody has answered wins over the graph, and over its titles.
    """
    view = GraphView(graph, definitions)
    reading = GraphReading(savers=tuple(_savers(view, answers)))
    _find_result(view, reading)
    if reading.result:
        reached = {reading.result.node_id, *view.ancestors(reading.result.node_id)}
        names = Names(view)
        _add_panel(names, reading, reached, answers)
        _add_found(names, reading, reading.result.node_id, reached)
    is_answered = answers.panel in reading.loaders or _has_no_panel(reading, answers)
    _add_titled(view, reading, frozenset({PANEL}) if is_answered else frozenset())
    return reading


def _savers(view: GraphView, answers: HeldAnswers) -> list[Saver]:
    """Return the savers; one that was chosen counts as titled, and no other does then."""
    savers = result_nodes.savers(view)
    if all(saver.node_id != answers.result for saver in savers):
        return savers
    return [replace(saver, is_titled=saver.node_id == answers.result) for saver in savers]


def _add_found(names: Names, reading: GraphReading, result: str, reached: set[str]) -> None:
    view = names.view
    stages = samplings(view, reached)
    _add_steering(names, stages)
    targets, problem = seeds(view, reached, stages)
    names.next(SEED, targets)
    reading.warnings += [problem] if problem else []
    _add_models(names, stages)
    _add_prompts(names, stages)
    add_size(names, result, stages)
    _add_threshold(names, reached)
    _leave_out_unsure(names, reading, result, reached)
    reading.targets, reading.scaled = names.found, names.scaled


def _leave_out_unsure(names: Names, reading: GraphReading, result: str, reached: set[str]) -> None:
    """Leave out what the picture may be made without, as a switch computes; the seed is drawn."""
    switches = computed_switches(names.view, reached)
    if not switches:
        return
    drawn = {PANEL, SEED}
    asked = {name: targets for name, targets in names.found.items() if name not in drawn}
    sure = set(surely_executed(names.view, result, switches, asked))
    left_out = [name for name in asked if name not in sure]
    for name in left_out:
        del names.found[name]
        names.scaled.pop(name, None)
    reading.warnings += [side_is_computed(names.view, switch, left_out) for switch in switches]


def _find_result(view: GraphView, reading: GraphReading) -> None:
    """Take the likeliest saver of a picture; without one, say what the graph saves instead."""
    sampled = {stage.node_id for stage in samplings(view, view.graph)}
    whole = [saver for saver in reading.savers if is_whole(view, saver.node_id)] or reading.savers
    pictures = [saver for saver in whole if saver.is_picture]
    order = result_nodes.likeliest(view, pictures or whole, sampled)
    if not pictures:
        reading.refusal = result_nodes.no_picture(view, order)
    if not order:
        return
    reading.result, *others = order
    if pictures:
        rivals = [s for s in others if result_nodes.competes(view, order[0], s, sampled)]
        _remark_on_result(view, reading, order[0], rivals)
    _remark_on_others(view, reading, whole)


def _remark_on_result(
    view: GraphView, reading: GraphReading, result: Saver, rivals: Sequence[Saver]
) -> None:
    """Say whether it saves several pictures, and ask which is meant where others may be as well."""
    reading.warnings += result_nodes.several_pictures_remark(view, result)
    if rivals and not result.is_titled:
        reading.questions.append(result_nodes.ask_which([result, *rivals]))


def _remark_on_others(view: GraphView, reading: GraphReading, whole: Sequence[Saver]) -> None:
    """Say of every other saver that it is saved beside the result, or that its way is not whole."""
    for saver in reading.savers:
        if saver.kind == "preview" or saver is reading.result:
            continue
        remark = result_nodes.saved_beside if saver in whole else result_nodes.unfinished_remark
        reading.warnings.append(remark(view, saver))


def _add_panel(
    names: Names, reading: GraphReading, reached: set[str], answers: HeldAnswers
) -> None:
    view = names.view
    loaders = panel_inputs.loaders(view, reached)
    reading.loaders = tuple(loader.target[0] for loader in loaders)
    titled = panel_inputs.chosen_by_title(view, loaders)
    answered = [loader for loader in loaders if loader.target[0] == answers.panel]
    chosen = answered or titled
    left = chosen or [loader for loader in loaders if not loader.is_example]
    if not left or _has_no_panel(reading, answers):
        return
    if len(left) > 1 and not chosen:
        reading.questions.append(panel_inputs.ask_which(left))
    if left[0].gives_mask:
        is_meant = left[0] in titled or answers.mask == left[0].target[0]
        reading.warnings.append(panel_inputs.mask_lost(left[0]))
        reading.questions += [] if is_meant else [panel_inputs.ask_about_mask(left[0])]
    reading.panel = left[0].target
    names.next(PANEL, tuple(loader.target for loader in chosen) or (left[0].target,))


def _has_no_panel(reading: GraphReading, answers: HeldAnswers) -> bool:
    """Tell whether it was answered that none of the loaders takes the panel."""
    among = answers.no_panel_among
    return bool(among) and among.issuperset(reading.loaders)


def _add_steering(names: Names, stages: Sequence[Sampling]) -> None:
    for stage in stages:
        held: dict[str, Target] = {}
        for name, target in steering(names.view, stage):
            held.setdefault(name, target)
            names.share(name, [target])
        for split in splits(names.view, stage):
            _move_split(names, split, held.get("steps"))
    for stage in stages:
        starts = conditioning_texts.conditioning_links(names.view, stage, negative=False)
        for node_id, _ in conditioning_texts.conditioning_nodes(names.view, starts):
            guidance = value_source(names.view, (node_id, "guidance"))
            names.share("guidance", [guidance] if guidance else [])


def _move_split(names: Names, split: Target, steps: Target | None) -> None:
    """Let a split move with the steps, unless it stands for the end (0, or beyond the last)."""
    value, total = names.view.value(split), names.view.value(steps) if steps else None
    if steps and isinstance(value, int) and isinstance(total, int) and 0 < value < total:
        names.move(split, steps)


def _add_models(names: Names, stages: Sequence[Sampling]) -> None:
    view = names.view
    seen: set[str] = set()
    for stage in stages:
        names.share("checkpoint", model_loaders.checkpoints(view, stage))
        applied = [("lora", lora) for lora in model_loaders.loras(view, stage)]
        applied += [("controlnet", control) for control in model_loaders.controlnets(view, stage)]
        for kind, model in applied:
            if model.node_id not in seen:
                seen.add(model.node_id)
                _add_applied(names, kind, model)


def _add_applied(names: Names, kind: str, model: model_loaders.Applied) -> None:
    number = len(
        [name for name in names.found if name.split("_")[0] == kind and "strength" not in name]
    )
    suffix = f"_{number + 1}" if number else ""
    if model.file:
        names.found[f"{kind}{suffix}"] = (model.file,)
    values = {str(names.view.value(target)) for target in model.strengths}
    if len(values) == 1:
        names.found[f"{kind}_strength{suffix}"] = model.strengths
    elif values:
        names.found[f"{kind}_strength{suffix}"] = model.strengths[:1]
        names.found[f"{kind}_strength_clip{suffix}"] = model.strengths[1:]


def _add_prompts(names: Names, stages: Sequence[Sampling]) -> None:
    for stage in stages:
        positive, negative = conditioning_texts.side_texts(names.view, stage)
        names.share("prompt", positive)
        names.share("negative_prompt", negative)


def _add_threshold(names: Names, reached: set[str]) -> None:
    view = names.view
    thresholds = [node_id for node_id in reached if view.class_of(node_id) == "ThresholdMask"]
    sources = (
        value_source(view, (node_id, "value")) for node_id in sorted(thresholds, key=view.place)
    )
    names.share("threshold", [source for source in sources if source])


def _add_titled(view: GraphView, reading: GraphReading, answered: frozenset[str]) -> None:
    """Let titles win over what was found: `@name` takes the name, and its input from others.

    Not over what somebody has answered.
    """
    named: dict[str, Targets] = {}
    for title in title_marks(view):
        if title.target is None:
            where = say(
                "The title {text!r} of node {node_id}", text=title.text, node_id=title.node_id
            )
            detail = say(
                "{where} begins with @, but {problem}.", where=where, problem=title.problem
            )
            reading.warnings.append(Remark("bad_title", detail, title.node_id))
        elif title.name in answered:
            continue
        elif title.name != PANEL or reading.panel is None or title.target != reading.panel:
            named[title.name] = (*named.get(title.name, ()), title.target)
    reading.targets |= named
    reading.titled = frozenset(named)
    if PANEL in named:
        reading.panel = named[PANEL][0]
