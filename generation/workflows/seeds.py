"""The seed of a graph: every input that noise on the way to the result is drawn from."""

from collections.abc import Iterable, Sequence

from generation.workflows.remarks import Remark
from generation.workflows.sampling import Sampling, draws_noise, seed_inputs
from generation.workflows.typed_graph import GraphView, Target
from generation.workflows.value_sources import value_source
from wording import say

Seeds = tuple[Target, ...]


def seeds(
    view: GraphView, reached: Iterable[str], stages: Sequence[Sampling]
) -> tuple[Seeds, Remark | None]:
    """Return where the seed stands; nothing where the result depends on none.

    Where other nodes compute one of the seeds, none is set, and the remark says so: a seed is told
    only if it reached all that draws noise.
    """
    quiet = {stage.node_id for stage in stages if not draws_noise(view, stage)}
    nodes = sorted(reached, key=view.place)
    inputs = [target for node_id in nodes for target in seed_inputs(view, node_id)]
    samplers = {stage.node_id for stage in stages}
    if all(_is_idle(view, node_id, quiet, samplers) for node_id, _ in inputs):
        return (), None
    sources = [value_source(view, target) for target in inputs]
    if None in sources:
        return (), _not_settable(inputs[sources.index(None)][0])
    return tuple(dict.fromkeys(source for source in sources if source)), None


def _is_idle(view: GraphView, node_id: str, quiet: set[str], samplers: set[str]) -> bool:
    """Tell whether a node's seed changes nothing: only samplings that draw no noise take it."""
    if node_id in samplers:
        return node_id in quiet
    users = {use.node_id for use in view.uses(node_id)}
    return bool(users) and users <= quiet


def _not_settable(node_id: str) -> Remark:
    detail = say(
        "The seed of node {node_id} is computed by other nodes: Madsea cannot set "
        "it, so it draws and tells no seed. A number with the title @seed is set "
        "instead.",
        node_id=node_id,
    )
    return Remark("seed_not_settable", detail, node_id)
