"""What the driver says to a ComfyUI server about one prompt, and how it reads the answers."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from generation.comfyui.errors import Refused
from generation.comfyui.protocol import History, OutputFile
from generation.comfyui.untrusted_json import as_list, as_mapping, name_or_empty, readable_line
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.models.version import PICTURES_MAX
from generation.services import prompt_graphs
from generation.services.publication import Image
from generation.workflows import substitution as params
from generation.workflows.definitions import input_spec
from generation.workflows.graph import Graph
from generation.workflows.image_counts import picture_count
from generation.workflows.named_files import INPUT
from generation.workflows.requirements import Lack
from generation.workflows.typed_graph import GraphView
from wording import say

_NO_SUCH_CLASS = frozenset({"invalid_prompt", "missing_node_type"})
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", "[input]")
#: Refusals of a whole graph, which need not name a node. Source: protocol.md §4.
_OF_THE_GRAPH = frozenset({"prompt_no_outputs", "prompt_outputs_failed_validation"})
_POISONED = ("CUDA error", "illegal memory access", "device-side assert")
#: So many things that a server lacks are remembered of one refusal.
LACKS_MOST = 50
_NODE_ID = re.compile(r"#([^'\"]+)")


def marks(attempt: Attempt) -> dict[str, object]:
    """Return what the image says of itself in its metadata."""
    marks = {"prompt_id": str(attempt.prompt_id), "run": attempt.run_id, "seed": attempt.seed}
    return {"extra_pnginfo": {"madsea": marks}}


def left_files(attempt: Attempt) -> tuple[OutputFile, ...]:
    """Return where the attempt's files would lie, by its unique prefix, as many as may be.

    Source: protocol.md §9.
    """
    folder, _, stem = prompt_graphs.prefix_of(attempt).rpartition("/")
    node_id = next(iter(params.wanted_outputs(attempt.graph)), "")
    return tuple(
        OutputFile(node_id, f"{stem}_{number:05}_.png", folder, "output")
        for number in range(1, PICTURES_MAX + 1)
    )


def n_pictures(graph: Graph) -> int:
    """Return how many pictures the result's node saves at least, as far as the graph tells."""
    wanted = params.wanted_outputs(graph)
    view = GraphView(graph, params.shipped_definitions())
    return (picture_count(view, wanted[0]) if wanted else None) or 1


def drops_result(graph: Graph, outputs: Collection[str]) -> bool:
    """Tell whether a server took the prompt without the node of its result: partly accepted.

    `outputs` are the nodes that it is to run, empty when the server does not say.
    """
    if not outputs:
        return False
    wanted = params.wanted_outputs(graph)
    return bool(wanted) and wanted[0] not in outputs


def pictures(history: History, graph: Graph) -> tuple[OutputFile, ...]:
    """Return the pictures that the result's node has saved, in the order it saved them.

    Where it names nothing like an image it is the first file, so that what it is can be said;
    empty when it saved no file at all.
    """
    wanted = params.wanted_outputs(graph)
    of_result = [file for file in history.outputs if file.node_id in wanted[:1]]
    saved = [file for file in of_result if file.type == "output"]
    images = [file for file in saved if file.key == "images" and _has_image_name(file)]
    return tuple(dict.fromkeys(images)) or tuple(saved[:1])


def _has_image_name(file: OutputFile) -> bool:
    return file.filename.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))


def render_s(history: History) -> float | None:
    """Return how long the server worked at a prompt, by its own clock; None if it does not say."""
    if not (history.started_at_ms and history.finished_at_ms):
        return None
    return max(0.0, (history.finished_at_ms - history.started_at_ms) / 1000)


def misfit(attempt: Attempt, images: Iterable[Image]) -> PlanFailure | None:
    """Return what is wrong with pictures: another prompt's, or of another size than the graph's."""
    graph, prefix = attempt.graph, prompt_graphs.prefix_of(attempt)
    wanted = params.wanted_outputs(graph)
    expected = params.output_size(graph, wanted[0]) if wanted else None
    for image in images:
        # The graph names our output prefix, and that the prompt; a server may write neither.
        if image.decoded.marks and prefix not in image.decoded.marks:
            return failure("wrong_image", say("The file holds the image of another prompt."))
        size = (image.decoded.width_px, image.decoded.height_px)
        if expected is not None and size != expected:
            detail = say(
                "The image has {width} × {height} pixels, the workflow gives it "
                "{wanted_width} × {wanted_height}.",
                width=size[0],
                height=size[1],
                wanted_width=expected[0],
                wanted_height=expected[1],
            )
            return failure("wrong_size", detail)
    return None


def node_failure(history: History) -> PlanFailure:
    """Return why a prompt failed, in the words of the node."""
    error = history.error
    if error is None:
        return failure("node_error", say("The server says that the prompt failed, but not why."))
    where = f"{error.node_type} (node {error.node_id})"
    said = f"{where}: {error.exception_type}: {error.message}"
    return failure(_code(error.exception_type, error.message), said)


def _code(exception_type: str, message: str) -> str:
    """Return what kind of failure a node's exception is. Source: protocol.md §13, §16.32."""
    if "OutOfMemory" in exception_type or "out of memory" in message:
        return "out_of_memory"
    is_cuda = exception_type.endswith("AcceleratorError") or any(w in message for w in _POISONED)
    return "cuda_poisoned" if is_cuda else "node_error"


def misses_panel(error: Refused) -> bool:
    """Tell whether a server refuses a graph for a panel of ours that it does not have (any more).

    Source: protocol.md §4, §16.24.
    """
    nodes = map(as_mapping, error.node_errors.values())
    errors = (as_mapping(error) for node in nodes for error in as_list(node.get("errors")))
    return any(
        f"{prompt_graphs.FOLDER}/" in f"{error.get('details')}{_received(error)}"
        for error in errors
    )


def _received(error: Mapping[str, Any]) -> object:
    return as_mapping(error.get("extra_info")).get("received_value", "")


def concerns_its_likes(error: Refused, attempt: Attempt) -> bool:
    """Tell whether a validation refuses a graph for what is neither this plan's nor a server's own.

    A plan has its panel and its seed, a server its lists and the pictures in its input folder.
    What names neither a node nor a rule of ComfyUI's is no validation.
    """
    told = [
        (node_id, as_mapping(node_error))
        for node_id, node in error.node_errors.items()
        for node_error in as_list(as_mapping(node).get("errors"))
    ]
    refused = [_refused_value(attempt.graph, node_id, each) for node_id, each in told]
    if any(_is_picture(value) or str(value) == attempt.seed for value in refused):
        return False
    is_list = any(each.get("type") == "value_not_in_list" for _, each in told)
    return not is_list and (bool(told) or error.error_type in _OF_THE_GRAPH)


def _refused_value(graph: Mapping[str, Any], node_id: str, told: Mapping[str, Any]) -> object:
    """Return the value that an error of a node is about; None when it names none."""
    extra = as_mapping(told.get("extra_info"))
    inputs = as_mapping(as_mapping(graph.get(node_id)).get("inputs"))
    return extra.get("received_value", inputs.get(str(extra.get("input_name"))))


def _is_picture(value: object) -> bool:
    return isinstance(value, str) and value.lower().endswith(_PICTURES)


def lacks(error: Refused, graph: Mapping[str, Any]) -> list[Lack]:
    """Return what a server refuses a graph for not having: a node class, or choices of its lists.

    Empty when it refuses it for anything else as well: another server would, too. A panel is no
    such thing: it is uploaded. Source: protocol.md §4.
    """
    if error.error_type in _NO_SUCH_CLASS:
        named = _NODE_ID.search(error.details)
        node = graph.get(named[1]) if named else None
        return [Lack(node["class_type"], "")] if node else []
    lacks: list[Lack] = []
    for node_id, node in ((key, as_mapping(node)) for key, node in error.node_errors.items()):
        for fault in map(as_mapping, as_list(node.get("errors"))):
            lack = _lack(node, fault, _refused_value(graph, node_id, fault))
            if lack is None:
                return []
            lacks.append(lack)
    return lacks[:LACKS_MOST]


def _lack(node: Mapping[str, Any], fault: Mapping[str, Any], refused: object) -> Lack | None:
    """Return what a server lacks by one error of a node; None when the error is another."""
    extra = as_mapping(fault.get("extra_info"))
    if str(refused).startswith(f"{prompt_graphs.FOLDER}/"):
        return None
    spec = input_spec(
        params.shipped_definitions(), str(node.get("class_type")), str(extra.get("input_name"))
    )
    takes_pictures = spec is not None and spec.is_upload
    if fault.get("type") == "custom_validation_failed" and takes_pictures and _is_picture(refused):
        return Lack(readable_line(str(refused).removesuffix(" [input]")), INPUT)
    if fault.get("type") != "value_not_in_list":
        return None
    where = f"{node.get('class_type')}.{extra.get('input_name')}"
    return Lack(name_or_empty(extra, "received_value"), readable_line(where))
