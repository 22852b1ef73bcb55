"""How large the pictures of a graph become, as far as the graph tells before anything is rendered.

A panel's size is not known here, nor by how much an upscaling model enlarges: what follows from
them is left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from generation.workflows.graph import Graph, Node, ancestors, link, links
from generation.workflows.output_names import SIZE_KEEPERS, wanted_outputs

#: Nodes beside `SIZE_KEEPERS` whose picture or latent has the size of the one that they are given.
_KEEPERS: Mapping[str, str] = {
    **SIZE_KEEPERS,
    "KSampler": "latent_image",
    "KSamplerAdvanced": "latent_image",
    "SamplerCustom": "latent_image",
    "SamplerCustomAdvanced": "latent_image",
    "SetLatentNoiseMask": "samples",
    "VAEDecode": "samples",
    "VAEDecodeTiled": "samples",
    "VAEEncode": "pixels",
    "VAEEncodeTiled": "pixels",
    "SaveImage": "images",
}
_SCALERS = {"ImageScale": "image", "LatentUpscale": "samples"}
_FACTORS = {"ImageScaleBy": "image", "LatentUpscaleBy": "samples"}
_REPEATERS = {"RepeatImageBatch": "image", "RepeatLatentBatch": "samples"}
_MEGAPIXEL = 2**20
#: The inputs that sizes are read of; each may be linked to a node that holds one value.
_MEASURES = frozenset({"width", "height", "batch_size", "scale_by", "amount", "megapixels"})


@dataclass(frozen=True)
class Size:
    """What a node makes: `count` pictures (or latents), each of so many pixels."""

    node_id: str
    width_px: int
    height_px: int
    count: int = 1

    @property
    def pixels(self) -> int:
        """The pixels of one picture."""
        return self.width_px * self.height_px


def sizes(graph: Graph) -> Iterator[Size]:
    """Yield what is known of the pictures on the way to what the graph saves, in that order."""
    on_the_way = {node for end in wanted_outputs(graph) for node in (end, *ancestors(graph, end))}
    known: dict[str, Size] = {}
    for node_id in _in_order(graph):
        size = _size(graph, node_id, known)
        if size is not None:
            known[node_id] = replace(size, node_id=node_id)
            if node_id in on_the_way:
                yield known[node_id]


def can_decide(graph: Graph, targets: Iterable[tuple[str, str]]) -> bool:
    """Tell whether inputs `(node id, input)` can decide a size: by name, or as the only one."""
    return any(name in _MEASURES or len(graph[node]["inputs"]) == 1 for node, name in targets)


def _in_order(graph: Graph) -> list[str]:
    sources = {
        node_id: {source for source, _ in links(graph, node_id).values()} for node_id in graph
    }
    try:
        return [
            node_id for node_id in TopologicalSorter(sources).static_order() if node_id in graph
        ]
    except CycleError:
        return []


def _size(graph: Graph, node_id: str, known: Mapping[str, Size]) -> Size | None:
    node = graph[node_id]
    class_type = node["class_type"]
    for names, rule in _RULES:
        if class_type in names:
            source = link(node["inputs"].get(names[class_type]))
            return rule(graph, node, known.get(source[0]) if source else None)
    if class_type.startswith("Empty") or class_type == "SolidMask":
        return _made(graph, node)
    return None


def _made(graph: Graph, node: Node) -> Size | None:
    width, height = (_number(graph, node, name) for name in ("width", "height"))
    count = _number(graph, node, "batch_size") or 1
    return Size("", int(width), int(height), int(count)) if width and height else None


def _scaled(graph: Graph, node: Node, source: Size | None) -> Size | None:
    """A side of 0 follows the proportions of what is scaled."""
    width, height = (_number(graph, node, name) for name in ("width", "height"))
    if source is not None and bool(width) != bool(height):
        width = width or (height or 0) * source.width_px / source.height_px
        height = height or width * source.height_px / source.width_px
    count = source.count if source else 1
    return Size("", int(width), int(height), count) if width and height else None


def _enlarged(graph: Graph, node: Node, source: Size | None) -> Size | None:
    factor = _number(graph, node, "scale_by")
    if source is None or factor is None:
        return None
    width, height = (int(side * factor) for side in (source.width_px, source.height_px))
    return replace(source, width_px=width, height_px=height)


def _repeated(graph: Graph, node: Node, source: Size | None) -> Size | None:
    amount = _number(graph, node, "amount")
    return replace(source, count=int(source.count * amount)) if source and amount else None


def _of_megapixels(graph: Graph, node: Node, source: Size | None) -> Size | None:
    megapixels = _number(graph, node, "megapixels")
    side = int((max(0, megapixels or 0) * _MEGAPIXEL) ** 0.5)
    return Size("", side, side, source.count if source else 1) if side else None


def _kept(_: Graph, __: Node, source: Size | None) -> Size | None:
    return source


Rule = Callable[[Graph, Node, Size | None], Size | None]
_RULES: tuple[tuple[Mapping[str, str], Rule], ...] = (
    (_KEEPERS, _kept),
    (_SCALERS, _scaled),
    (_FACTORS, _enlarged),
    (_REPEATERS, _repeated),
    ({"ImageScaleToTotalPixels": "image"}, _of_megapixels),
)


def _number(graph: Graph, node: Node, name: str) -> float | None:
    """Return a number that a node is given, by itself or by a node that holds nothing else."""
    value: object = node["inputs"].get(name)
    if (source := link(value)) is not None:
        held = list(graph[source[0]]["inputs"].values()) if source[0] in graph else []
        value = held[0] if len(held) == 1 else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value < 2**31 else None  # type: ignore[operator,return-value]
