"""Where a graph keeps what people want to change, found by following its links.

From the node that saves the result up to its sampler; from there to the prompts, the LoRA, the
ControlNet and the panel. A node titled `@name` or `@name.input` says so itself, and wins.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from generation.comfyui.definitions import Definitions, input_spec
from generation.comfyui.errors import GraphError
from generation.comfyui.graph import Graph, Link, Node, ancestors, link, links, title
from generation.comfyui.outputs import RESULT_TITLE, wanted_outputs

Target: TypeAlias = tuple[str, str]
Targets: TypeAlias = dict[str, tuple[Target, ...]]

_SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced"})
_OF_SAMPLER = {
    "steps": ("steps",),
    "cfg": ("cfg",),
    "seed": ("seed", "noise_seed"),
    "denoise": ("denoise",),
    "sampler_name": ("sampler_name",),
    "scheduler": ("scheduler",),
}
_TEXTS = ("text", "text_g", "text_l", "clip_l", "t5xxl")
_TITLE = re.compile(r"@(?P<name>[a-z][a-z0-9_]*)(?:\.(?P<input>\w+))?(?:\s.*)?", re.DOTALL)


def find_targets(graph: Graph, definitions: Definitions) -> Targets:
    """Return, for each parameter of the graph, the inputs `(node id, input)` that hold it.

    Raises GraphError when a title that begins with `@` cannot be understood.
    """
    found: Targets = {}
    results = wanted_outputs(graph, definitions)
    if results:
        sampler = _first(ancestors(graph, results[0]), _is_sampler(graph))
        found = _of_images(graph, definitions, results[0], sampler)
        if sampler:
            found |= _of_sampler(graph, sampler) | _of_models(graph, sampler)
            found |= _of_prompts(graph, definitions, sampler)
    return {name: targets for name, targets in found.items() if targets} | _titled(graph)


def _of_sampler(graph: Graph, sampler: str) -> Targets:
    return {name: _widgets(graph, sampler, inputs) for name, inputs in _OF_SAMPLER.items()}


def _of_models(graph: Graph, sampler: str) -> Targets:
    """Return the nearest LoRA, the checkpoint, the nearest ControlNet and their strengths."""
    models = list(ancestors(graph, sampler, "model"))
    lora = _first(models, _takes(graph, "lora_name"))
    checkpoint = _first(models, _takes(graph, "ckpt_name", "unet_name"))
    control = _controlnet(graph, sampler)
    loader = _first(
        ancestors(graph, control, "control_net") if control else (),
        _takes(graph, "control_net_name"),
    )
    return {
        "lora": _widgets(graph, lora, ("lora_name",)),
        "lora_strength": _widgets(graph, lora, ("strength_model", "strength_clip")),
        "checkpoint": _widgets(graph, checkpoint, ("ckpt_name", "unet_name")),
        "controlnet": _widgets(graph, loader, ("control_net_name",)),
        "controlnet_strength": _widgets(graph, control, ("strength",)),
    }


def _of_prompts(graph: Graph, definitions: Definitions, sampler: str) -> Targets:
    positive = _widgets(graph, _encoder(graph, definitions, sampler, "positive"), _TEXTS)
    negative = _widgets(graph, _encoder(graph, definitions, sampler, "negative"), _TEXTS)
    # A negative made from the positive one, by zeroing it, is no text of its own.
    return {"prompt": positive, "negative_prompt": () if negative == positive else negative}


def _of_images(graph: Graph, definitions: Definitions, result: str, sampler: str | None) -> Targets:
    size = _size(graph, result, sampler)
    threshold = _first(ancestors(graph, result), _is(graph, "ThresholdMask"))
    panel = _panel(graph, definitions, result, sampler)
    return {
        "panel": _widgets(graph, panel, ("image",)),
        "width": _widgets(graph, size, ("width",)),
        "height": _widgets(graph, size, ("height",)),
        "threshold": _widgets(graph, threshold, ("value",)),
    }


def _panel(graph: Graph, definitions: Definitions, result: str, sampler: str | None) -> str | None:
    """Return the image loader that the latent starts from, else the ControlNet, else the result."""
    ways: list[Iterable[str]] = [ancestors(graph, result)]
    if sampler:
        control = _controlnet(graph, sampler)
        ways.insert(0, ancestors(graph, control, "image") if control else ())
        ways.insert(0, ancestors(graph, sampler, "latent_image"))

    def loads(node_id: str) -> bool:
        class_type = graph[node_id]["class_type"]
        spec = input_spec(definitions, class_type, "image")
        is_upload = spec is not None and spec.is_upload
        return class_type == "LoadImage" or (is_upload and class_type != "LoadImageMask")

    return next((found for way in ways if (found := _first(way, loads))), None)


def _size(graph: Graph, result: str, sampler: str | None) -> str | None:
    """Return the last node that scales the image, else the empty latent that is sampled."""
    before = {sampler, *ancestors(graph, sampler)} if sampler else set()
    after = [node_id for node_id in ancestors(graph, result) if node_id not in before]
    scale = _first(after, _is(graph, "ImageScale"))
    if scale or not sampler:
        return scale
    return _first(ancestors(graph, sampler, "latent_image"), _is(graph, "EmptyLatentImage"))


def _controlnet(graph: Graph, sampler: str) -> str | None:
    def applies(node_id: str) -> bool:
        return "control_net" in links(graph, node_id)

    return _first(ancestors(graph, sampler, "positive"), applies)


def _encoder(graph: Graph, definitions: Definitions, sampler: str, side: str) -> str | None:
    """Follow one side of the conditioning, through ControlNets and the like, to its text."""
    waiting = deque([links(graph, sampler)[side]] if side in links(graph, sampler) else [])
    while waiting:
        source, slot = waiting.popleft()
        if graph[source]["class_type"].startswith("CLIPTextEncode"):
            return source
        waiting.extend(_conditionings(graph, definitions, source, slot))
    return None


def _conditionings(
    graph: Graph, definitions: Definitions, node_id: str, slot: int
) -> Iterator[Link]:
    """Yield the conditionings that a slot is made of: a two-sided node keeps its sides apart."""
    incoming = links(graph, node_id)
    if {"positive", "negative"} <= incoming.keys():
        yield incoming["negative" if slot == 1 else "positive"]
        return
    for name, target in incoming.items():
        spec = input_spec(definitions, graph[node_id]["class_type"], name)
        if spec.kind == "CONDITIONING" if spec else name.startswith("conditioning"):
            yield target


def _titled(graph: Graph) -> Targets:
    found: Targets = {}
    for node_id, node in graph.items():
        called = title(node)
        if called.startswith("@") and called.split(" ")[0] != RESULT_TITLE:
            name, target = _named(node_id, node, called)
            found[name] = (*found.get(name, ()), target)
    return found


def _named(node_id: str, node: Node, called: str) -> tuple[str, Target]:
    match = _TITLE.fullmatch(called)
    if not match:
        raise GraphError(
            "bad_title",
            f"The title {called!r} of node {node_id} names no parameter: @ and small letters,"
            " digits and _, then perhaps a dot and the input.",
            node_id,
        )
    wanted, values = match["input"], _values(node)
    names = [wanted] if wanted in values else [] if wanted else values
    if len(names) != 1:
        raise GraphError(
            "ambiguous_title",
            f"The title {called!r} of node {node_id} must name one of its inputs after a dot:"
            f" {', '.join(values) or 'it has none that holds a value'}.",
            node_id,
        )
    return match["name"], (node_id, names[0])


def _widgets(graph: Graph, node_id: str | None, names: Iterable[str]) -> tuple[Target, ...]:
    found = (_widget(graph, node_id, name) for name in names) if node_id else ()
    return tuple(dict.fromkeys(target for target in found if target))


def _widget(graph: Graph, node_id: str, name: str) -> Target | None:
    """Return the input itself, or, when it is linked, the one value of the node it comes from."""
    linked = link(graph[node_id]["inputs"].get(name))
    while linked:
        node_id = linked[0]
        values, further = _values(graph[node_id]), list(links(graph, node_id).values())
        if len(values) + len(further) != 1:
            return None
        name, linked = (values or [""])[0], further[0] if further else None
    return (node_id, name) if name in _values(graph[node_id]) else None


def _values(node: Node) -> list[str]:
    inputs = node["inputs"].items()
    return [name for name, value in inputs if isinstance(value, str | int | float)]


def _first(nodes: Iterable[str], fits: Callable[[str], bool]) -> str | None:
    return next((node_id for node_id in nodes if fits(node_id)), None)


def _is(graph: Graph, class_type: str) -> Callable[[str], bool]:
    return lambda node_id: graph[node_id]["class_type"] == class_type


def _is_sampler(graph: Graph) -> Callable[[str], bool]:
    return lambda node_id: graph[node_id]["class_type"] in _SAMPLERS


def _takes(graph: Graph, *names: str) -> Callable[[str], bool]:
    return lambda node_id: any(name in graph[node_id]["inputs"] for name in names)
