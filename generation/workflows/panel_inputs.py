"""Which of a graph's image loaders takes the panel of a plan."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generation.workflows.remarks import OpenQuestion, Remark
from generation.workflows.typed_graph import GraphView, Target, Use
from wording import say

PANEL_TITLE = "@panel"

#: Titles that say of a loaded picture that it is not the panel.
_OTHER_TITLE = re.compile(
    r"\b(style|ref(erence)?|ip[ -]?adapter|mask|clip[ -]?vision|face ?id|logo|texture|palette"
    r"|never|do not)\b",
    re.IGNORECASE,
)
#: Classes that take a picture as an example of a look, not as the picture to begin from.
_EXAMPLE_CLASS = re.compile(
    r"IPAdapter|CLIPVision|InstantID|PuLID|PhotoMaker|StyleModel|Redux|FaceID", re.IGNORECASE
)
_PICTURE_SLOT = 0
_PICTURES = frozenset({"IMAGE", "MASK"})


@dataclass(frozen=True)
class Loader:
    """One node that loads a picture on the way to the result.

    `is_example`: its title, or all that takes its picture, says that it is not the panel.
    `gives_mask`: the mask that was painted on it is used.
    """

    target: Target
    is_example: bool
    gives_mask: bool


def loaders(view: GraphView, reached: Iterable[str]) -> list[Loader]:
    """Return the image loaders among the nodes, in the order of execution."""
    nodes = set(reached)
    node_ids = [node_id for node_id in nodes if _loads_picture(view, node_id)]
    return [_loader(view, node_id, nodes) for node_id in sorted(node_ids, key=view.place)]


def _loads_picture(view: GraphView, node_id: str) -> bool:
    spec = view.spec((node_id, "image"))
    is_upload = spec is not None and spec.is_upload
    is_loader = view.class_of(node_id) == "LoadImage" or is_upload
    return is_loader and isinstance(view.value((node_id, "image")), str)


def _loader(view: GraphView, node_id: str, nodes: set[str]) -> Loader:
    slots = {use.slot for use in view.uses(node_id) if use.node_id in nodes}
    is_example = (
        bool(_OTHER_TITLE.search(view.title_of(node_id)))
        or view.class_of(node_id) == "LoadImageMask"
        or all(_ends(view, node_id, nodes))
    )
    return Loader((node_id, "image"), is_example, bool(slots - {_PICTURE_SLOT}))


def _ends(view: GraphView, node_id: str, nodes: set[str]) -> list[bool]:
    """Tell of each end of a picture, behind whatever only changes it, whether it is an example."""
    waiting = [use for use in view.uses(node_id) if use.slot == _PICTURE_SLOT]
    seen, ends = set(waiting), list[bool]()
    while waiting:
        use = waiting.pop()
        if use.node_id not in nodes:
            continue
        if _is_example(view, use):
            ends.append(True)
        elif _edits(view, use.node_id):
            new = [at for at in view.uses(use.node_id) if at not in seen]
            seen.update(new)
            waiting.extend(new)
        else:
            ends.append(False)
    return ends


def _is_example(view: GraphView, use: Use) -> bool:
    """Tell whether a node takes a picture as an example of a look, or as a mask for another."""
    linked = view.links(use.node_id)
    kinds = {view.type_of(use.node_id, name, at) for name, at in linked.items()}
    own = view.type_of(use.node_id, use.name, linked[use.name])
    is_mask = own == "MASK" and bool(kinds & {"IMAGE", "LATENT"})
    return is_mask or bool(_EXAMPLE_CLASS.search(view.class_of(use.node_id)))


def _edits(view: GraphView, node_id: str) -> bool:
    """Tell whether a node only turns pictures and masks into others."""
    linked = view.links(node_id)
    kinds = {view.type_of(node_id, name, at) for name, at in linked.items()}
    given = set(view.outputs(node_id))
    return bool(kinds & _PICTURES) and "VAE" not in kinds and bool(given) and given <= _PICTURES


def chosen_by_title(view: GraphView, found: Sequence[Loader]) -> list[Loader]:
    """Return the loaders that their titles choose."""
    return [at for at in found if view.title_of(at.target[0]).split(" ")[0] == PANEL_TITLE]


def ask_which(candidates: Sequence[Loader]) -> OpenQuestion:
    """Return the question which of several loaders takes a plan's panel."""
    options = tuple(loader.target[0] for loader in candidates)
    detail = say(
        "Nodes {options} each load a picture. Give the one that takes a plan's "
        "panel the title @panel, or choose it on the workflow's page.",
        options=", ".join(options),
    )
    return OpenQuestion("which_panel", detail, options)


def mask_lost(loader: Loader) -> Remark:
    """Return what becomes of a mask that was painted on a picture which a panel replaces."""
    node_id = loader.target[0]
    detail = say(
        "The mask of node {node_id} is used. A panel brings no mask of its own: "
        "the one that was painted on the picture in the editor is lost.",
        node_id=node_id,
    )
    return Remark("mask_lost", detail, node_id)


def ask_about_mask(loader: Loader) -> OpenQuestion:
    """Return the question whether a painted mask may be lost."""
    node_id = loader.target[0]
    detail = say(
        "{lost} If that is meant, say so on the workflow's page, or give the node the title"
        " @panel.",
        lost=mask_lost(loader).detail,
    )
    return OpenQuestion("painted_mask", detail, (node_id,))
