"""The models of a sampling: checkpoints, LoRAs and ControlNets, nearest the sampler first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generation.workflows.conditioning_texts import conditioning_links, conditioning_nodes
from generation.workflows.named_files import is_model_file
from generation.workflows.sampling import Sampling
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import value_source

_LORA = re.compile(r"lora(_name)?(_\d+)?")
_STRENGTHS = ("strength_model", "strength", "model_strength", "weight")
_CLIP_STRENGTHS = ("strength_clip", "clip_strength")
_CHECKPOINTS = ("ckpt_name", "unet_name", "model_name", "gguf_name", "base_ckpt_name")


@dataclass(frozen=True)
class Applied:
    """One model that is applied with a strength; either may be missing."""

    node_id: str
    file: Target | None
    strengths: tuple[Target, ...]


def checkpoints(view: GraphView, sampling: Sampling) -> Iterator[Target]:
    """Yield the inputs that name the models at the root of what is sampled with."""
    for node_id in model_chain(view, sampling):
        if not view.links_of(node_id, "MODEL"):
            names = [name for name in view.graph[node_id]["inputs"] if name in _CHECKPOINTS]
            yield from _first_source(view, node_id, names or _model_files(view, node_id))


def loras(view: GraphView, sampling: Sampling) -> Iterator[Applied]:
    """Yield the LoRAs on the way of the model."""
    for node_id in model_chain(view, sampling):
        names = [name for name in view.graph[node_id]["inputs"] if _LORA.fullmatch(name)]
        file = next(_first_source(view, node_id, names), None)
        if file is not None:
            yield Applied(node_id, file, _strengths(view, node_id))


def controlnets(view: GraphView, sampling: Sampling) -> Iterator[Applied]:
    """Yield the ControlNets on the way of the conditionings, of both sides."""
    starts = [
        *conditioning_links(view, sampling, negative=False),
        *conditioning_links(view, sampling, negative=True),
    ]
    seen: set[str] = set()
    for node_id, _ in conditioning_nodes(view, starts):
        if node_id not in seen and view.links_of(node_id, "CONTROL_NET"):
            seen.add(node_id)
            strengths = tuple(_first_source(view, node_id, ["strength"]))
            yield Applied(node_id, _control_net_file(view, node_id), strengths)


def model_chain(view: GraphView, sampling: Sampling) -> list[str]:
    """Return the nodes that the model of a sampling comes through, nearest first."""
    chains = [node for part in sampling.nodes for node in view.chain(part, "MODEL")]
    own = list(view.chain(sampling.node_id, "MODEL"))
    return list(dict.fromkeys([*own, *chains]))


def _control_net_file(view: GraphView, node_id: str) -> Target | None:
    for loader in view.chain(node_id, "CONTROL_NET"):
        names = _model_files(view, loader)
        if names:
            return next(_first_source(view, loader, names), None)
    return None


def _model_files(view: GraphView, node_id: str) -> list[str]:
    inputs = view.graph[node_id]["inputs"]
    return [name for name in inputs if is_model_file(view.value((node_id, name)))]


def _strengths(view: GraphView, node_id: str) -> tuple[Target, ...]:
    """Return where a LoRA's strengths stand: the model's, then its text encoder's."""
    model = next(_first_source(view, node_id, _STRENGTHS), None)
    clip = next(_first_source(view, node_id, _CLIP_STRENGTHS), None)
    return tuple(target for target in (model, clip) if target is not None)


def _first_source(
    view: GraphView, node_id: str, names: list[str] | tuple[str, ...]
) -> Iterator[Target]:
    present = (name for name in names if name in view.graph[node_id]["inputs"])
    sources = (value_source(view, (node_id, name)) for name in present)
    yield from list(dict.fromkeys(target for target in sources if target is not None))[:1]
