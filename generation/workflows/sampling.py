"""The samplings of a graph in their order, and the values that steer each of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import is_seed, value_source

#: What links of these types carry belongs to the sampling that takes it.
_PARTS = ("NOISE", "SIGMAS", "SAMPLER", "GUIDER")
_STEERING = ("steps", "cfg", "denoise", "sampler_name", "scheduler")
_OTHER_CFG = ("cfg_conds", "cfg_cond2_negative", "cfg1", "cfg2", "cfg_text", "cfg_img")
_SPLITS = ("start_at_step", "end_at_step")
#: Samplers that draw noise while they sample, whether or not any was added before.
_NOISY_NAMES = ("ancestral", "sde", "lcm", "ddpm", "seeds_", "sa_solver")
_NO_NOISE = (False, "disable", "disabled")


@dataclass(frozen=True)
class Sampling:
    """One node that samples, and the nodes that are only parts of it (noise, sigmas, guider)."""

    node_id: str
    parts: tuple[str, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the node itself and its parts."""
        return (self.node_id, *self.parts)


def samplings(view: GraphView, reached: Iterable[str]) -> list[Sampling]:
    """Return the samplings among the nodes, in the order in which they take place.

    First those that the last one's picture went through; then those beside it, which only made
    something for it, and those without noise: they compute something (the depth of a panel, say).
    """
    nodes = sorted((node_id for node_id in reached if _samples(view, node_id)), key=view.place)
    main = {nodes[-1], *picture_chain(view, nodes[-1])} if nodes else set()
    in_order = [_sampling(view, node_id) for node_id in nodes]
    return sorted(in_order, key=lambda stage: stage.node_id not in main or _computes(view, stage))


def _computes(view: GraphView, sampling: Sampling) -> bool:
    classes = {view.class_of(node_id) for node_id in sampling.parts}
    return "DisableNoise" in classes and not draws_noise(view, sampling)


def picture_chain(view: GraphView, node_id: str) -> Iterator[str]:
    """Yield the nodes that a sampled picture went through before, as latent or as image."""
    waiting, seen = [node_id], {node_id}
    while waiting:
        current = waiting.pop()
        linked = {**view.links_of(current, "LATENT"), **view.links_of(current, "IMAGE")}
        # What a sampler is shown beside its latent is no picture that it goes on with.
        latents = view.links_of(current, "LATENT")
        taken = latents or linked
        new = [source for source, _ in taken.values() if source not in seen]
        seen.update(new)
        waiting.extend(new)
        yield from new


def _samples(view: GraphView, node_id: str) -> bool:
    """Tell whether a node samples: by a guider and sigmas, or by a model with steps or a seed."""
    linked = view.links(node_id)
    kinds = {view.type_of(node_id, name, at) for name, at in linked.items()}
    if "SIGMAS" in kinds and kinds & {"GUIDER", "MODEL"} and "LATENT" in kinds:
        return True
    inputs = view.graph[node_id]["inputs"]
    return {"MODEL", "CONDITIONING"} <= kinds and "steps" in inputs and "SIGMAS" not in kinds


def _sampling(view: GraphView, node_id: str) -> Sampling:
    parts: dict[str, None] = {}
    waiting = [node_id]
    while waiting:
        current = waiting.pop(0)
        for kind in _PARTS:
            sources = [source for source, _ in view.links_of(current, kind).values()]
            new = [source for source in sources if source not in parts]
            parts.update(dict.fromkeys(new))
            waiting.extend(new)
    return Sampling(node_id, tuple(parts))


def steering(view: GraphView, sampling: Sampling) -> Iterator[tuple[str, Target]]:
    """Yield, by parameter's name, the inputs that steer a sampling: steps, cfg, denoise, …"""
    for node_id in sampling.nodes:
        inputs = view.graph[node_id]["inputs"]
        for name in (*_STEERING, *_OTHER_CFG):
            source = value_source(view, (node_id, name)) if name in inputs else None
            if source is not None:
                yield "cfg" if name in _OTHER_CFG else name, source


def splits(view: GraphView, sampling: Sampling) -> Iterator[Target]:
    """Yield the inputs that say at which of its steps a sampling begins, ends or is handed on."""
    for node_id in sampling.nodes:
        names = ("step",) if view.links_of(node_id, "SIGMAS") else ()
        for name in (*_SPLITS, *names):
            source = value_source(view, (node_id, name))
            if source is not None and name in view.graph[node_id]["inputs"]:
                yield source


def draws_noise(view: GraphView, sampling: Sampling) -> bool:
    """Tell whether a sampling's outcome depends on its seed.

    It does where noise is added, and where the sampler draws some of its own on the way.
    """
    add = view.graph[sampling.node_id]["inputs"].get("add_noise", True)
    classes = [view.class_of(node_id) for node_id in sampling.parts]
    if add not in _NO_NOISE and "DisableNoise" not in classes:
        return True
    names = [
        str(view.value(source))
        for name, source in steering(view, sampling)
        if name == "sampler_name"
    ]
    return any(_is_noisy(name) for name in (*names, *classes))


def _is_noisy(name: str) -> bool:
    return any(part in name.lower() for part in _NOISY_NAMES)


def seed_inputs(view: GraphView, node_id: str) -> list[Target]:
    """Return the inputs of a node that take a seed."""
    inputs = view.graph[node_id]["inputs"]
    return [(node_id, name) for name in inputs if is_seed(view, (node_id, name))]
