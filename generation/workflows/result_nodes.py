"""Which node of a graph saves the picture that a plan is made for, and what else is saved."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from generation.workflows.definitions import is_output
from generation.workflows.image_counts import picture_count
from generation.workflows.remarks import OpenQuestion, Remark
from generation.workflows.typed_graph import GraphView
from wording import Sentence, say, to_say

RESULT_TITLE = "@result"
Saved: TypeAlias = Literal["image", "animation", "video", "preview"]

_SAVED = {
    "image": say("a picture"),
    "animation": say("an animation"),
    "video": say("a video"),
    "preview": say("a view"),
}
_NO_PICTURE = {
    "video": (
        "saves_video",
        to_say(
            "The workflow saves a video ({node}). A plan is a picture: let a "
            "SaveImage node save it."
        ),
    ),
    "animation": (
        "saves_animation",
        to_say(
            "The workflow saves several pictures as an animation ({node}). A plan is one picture."
        ),
    ),
    "preview": (
        "saves_no_image",
        to_say(
            "The workflow shows its picture ({node}) and does not save it: put a "
            "SaveImage node there."
        ),
    ),
    "": ("saves_no_image", to_say("The workflow saves no image: it needs a SaveImage node.")),
}
_VIDEO_CLASS = re.compile(r"video|webm|mp4|gif", re.IGNORECASE)
_ANIMATION_CLASS = re.compile(r"anim", re.IGNORECASE)
_SAVER_CLASS = re.compile(r"save", re.IGNORECASE)
_PREVIEW_CLASS = re.compile(r"preview|compare", re.IGNORECASE)
_VIDEO_INPUTS = frozenset({"codec", "crf", "frame_rate"})
_PREFIX = "filename_prefix"


@dataclass(frozen=True)
class Saver:
    """One node that leaves pictures or films: `images` is how many, None where nothing tells."""

    node_id: str
    kind: Saved
    images: int | None
    is_titled: bool

    @property
    def is_picture(self) -> bool:
        """Tell whether a plan can be made for what it saves: an animation of one is a picture."""
        return self.kind == "image" or (self.kind == "animation" and self.images == 1)


def savers(view: GraphView) -> list[Saver]:
    """Return every node that saves or shows something, in the order of execution."""
    found = [_saver(view, node_id) for node_id in sorted(view.graph, key=view.place)]
    return [saver for saver in found if saver]


def _saver(view: GraphView, node_id: str) -> Saver | None:
    kind = _kind(view, node_id)
    if kind is None:
        return None
    is_titled = view.title_of(node_id).split(" ")[0] == RESULT_TITLE
    return Saver(node_id, kind, picture_count(view, node_id), is_titled)


def _kind(view: GraphView, node_id: str) -> Saved | None:
    """Tell what a node leaves, by its definition; by its name where no server has told it."""
    class_type, inputs = view.class_of(node_id), view.graph[node_id]["inputs"]
    kinds = {view.type_of(node_id, name, at) for name, at in view.links(node_id).items()}
    if not kinds & {"IMAGE", "VIDEO"} or not _is_end(view, node_id):
        return None
    if "VIDEO" in kinds or _VIDEO_CLASS.search(class_type) or _VIDEO_INPUTS & inputs.keys():
        return "video"
    if _PREVIEW_CLASS.search(class_type) or not _names_files(view, node_id):
        return "preview"
    return "animation" if _ANIMATION_CLASS.search(class_type) else "image"


def _is_end(view: GraphView, node_id: str) -> bool:
    if view.is_known(node_id):
        return is_output(view.definitions, view.class_of(node_id))
    return bool(_SAVER_CLASS.search(view.class_of(node_id))) and not view.uses(node_id)


def _names_files(view: GraphView, node_id: str) -> bool:
    return _PREFIX in view.specs(node_id) or _PREFIX in view.graph[node_id]["inputs"]


def likeliest(view: GraphView, candidates: Iterable[Saver], sampled: set[str]) -> list[Saver]:
    """Return savers, the likeliest result first.

    The one that is titled, of what was sampled, a node for pictures, that depends on most nodes.
    """

    def rank(saver: Saver) -> tuple[bool, bool, bool, int, int]:
        upstream = set(view.ancestors(saver.node_id))
        is_sampled = bool(upstream & sampled) or not sampled
        return (
            not saver.is_titled,
            not is_sampled,
            saver.kind != "image",
            -len(upstream),
            -view.place(saver.node_id),
        )

    return sorted(candidates, key=rank)


def competes(view: GraphView, result: Saver, other: Saver, sampled: set[str]) -> bool:
    """Tell whether another saver may be meant as well as the one that is taken for the result.

    What was saved on the way to the result does not compete with it, nor does an earlier pass;
    but a node for pictures always does where the result is left by a node for animations.
    """
    if result.kind != "image" and other.kind == "image":
        return True
    behind = {result.node_id, *view.ancestors(result.node_id)}
    own, theirs = behind & sampled, set(view.ancestors(other.node_id)) & sampled
    sources = {source for source, _ in view.links_of(other.node_id, "IMAGE").values()}
    return not (theirs < own or sources <= behind)


def ask_which(candidates: Sequence[Saver]) -> OpenQuestion:
    """Return the question which of several savers leaves a plan's picture."""
    options = tuple(saver.node_id for saver in candidates)
    detail = say(
        "Nodes {options} each save a picture. Give the one that is a plan's "
        "picture the title @result, or choose it on the workflow's page.",
        options=", ".join(options),
    )
    return OpenQuestion("which_result", detail, options)


def saved_beside(view: GraphView, saver: Saver) -> Remark:
    """Return what is to be said of a node that saves something beside the result."""
    node = say(
        "Node {node_id} ({class_of})", node_id=saver.node_id, class_of=view.class_of(saver.node_id)
    )
    what = say("saves {saved} beside the result", saved=_SAVED[saver.kind])
    detail = say(
        "{node} {what}: it stays on the server and is not published.", node=node, what=what
    )
    return Remark("saved_beside", detail, saver.node_id)


def several_pictures_remark(view: GraphView, saver: Saver) -> list[Remark]:
    """Return what is to be said of a result that saves several pictures; nothing of one."""
    if saver.images is None or saver.images < 2:
        return []
    node = say(
        "Node {node_id} ({class_of})", node_id=saver.node_id, class_of=view.class_of(saver.node_id)
    )
    detail = say(
        "{node} saves {images} pictures of a plan. All of them are published, each "
        "as a version of its own: a batch size of 1 makes one.",
        node=node,
        images=saver.images,
    )
    return [Remark("several_images", detail, saver.node_id)]


def unfinished_remark(view: GraphView, saver: Saver) -> Remark:
    """Return what is to be said of a saver on whose way something is missing."""
    node = say(
        "Node {node_id} ({class_of})", node_id=saver.node_id, class_of=view.class_of(saver.node_id)
    )
    detail = say(
        "{node} saves what is not finished: something on its way is missing. It is left out.",
        node=node,
    )
    return Remark("unfinished_branch", detail, saver.node_id)


def no_picture(view: GraphView, found: Sequence[Saver]) -> Remark:
    """Return why no plan can be made with a graph that saves no picture."""
    kinds: dict[str, str] = {saver.kind: saver.node_id for saver in reversed(found)}
    kind = next((kind for kind in ("video", "animation", "preview") if kind in kinds), "")
    node_id = kinds.get(kind, "")
    code, detail = _NO_PICTURE[kind]
    if not node_id:
        return Remark(code, Sentence(detail, {}))
    node = say("node {node_id}, {kind}", node_id=node_id, kind=view.class_of(node_id))
    return Remark(code, Sentence(detail, {"node": node}), node_id)
