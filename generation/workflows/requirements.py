"""What a graph needs of a server: node classes and model files; what a server lacks of it."""

import copy
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TypeAlias

from generation.workflows import named_files
from generation.workflows.definitions import Definitions, InputSpec
from generation.workflows.graph import Graph
from generation.workflows.named_files import EMBEDDINGS, INPUT, File, is_model_file, list_of
from wording import Sentence, say, to_say

CLOSEST_MOST = 3
COMPARED_MOST = 10_000
NAME_MOST = 255
_CLOSE_ENOUGH = 0.5
_FOR_NODE = to_say("{name} for {where}")
_CLASS = to_say("node class {name}")
_IN_FOLDERS = {
    EMBEDDINGS: to_say("the embedding {name}"),
    INPUT: to_say("the picture {name} in its input folder"),
}

#: `(class, input, file)` with the server's own spelling of the file.
Spelling: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True)
class Requirements:
    """Node classes, and model files and other choices as `(class, input, value)`; both sorted."""

    classes: tuple[str, ...]
    files: tuple[File, ...]


@dataclass(frozen=True)
class Lack:
    """One thing that a server lacks: a model file, or a node class (then `where` is empty).

    `where` is the class and input that ask for it; `closest` are the names most like it that the
    server has.
    """

    name: str
    where: str
    closest: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(self.sentence())

    def sentence(self) -> Sentence:
        """Say what is lacking, and what is like it."""
        template = _IN_FOLDERS.get(self.where, _FOR_NODE if self.where else _CLASS)
        what = Sentence(template, {"name": self.name, "where": self.where})
        if not self.closest:
            return what
        return say("{what} (closest: {closest})", what=what, closest=", ".join(self.closest))


def requirements(
    graph: Graph, definitions: Definitions, choices: Iterable[File] = ()
) -> Requirements:
    """Return what a server must have to run the graph, and the `choices` that were asked for.

    The files are those that `named_files.models` finds.
    """
    files = set(named_files.models(graph, definitions))
    classes = {node["class_type"] for node in graph.values()}
    return Requirements(classes=tuple(sorted(classes)), files=tuple(sorted(files.union(choices))))


def missing(needed: Requirements, definitions: Definitions) -> Requirements:
    """Return what of the requirements a server lacks, by its own definitions.

    Folders may be spelled with either slash. A list that the server does not give lacks nothing.
    """
    classes = tuple(name for name in needed.classes if name not in definitions)
    files = tuple(
        (class_type, name, value)
        for class_type, name, value in needed.files
        if class_type in definitions and not _has(list_of(definitions, class_type, name), value)
    )
    return Requirements(classes=classes, files=files)


def lacks(needed: Requirements, definitions: Definitions) -> list[Lack]:
    """Return what of the requirements a server lacks, each with the closest that it has."""
    lacking = missing(needed, definitions)
    classes = [Lack(name, "", _closest(name, definitions)) for name in lacking.classes]
    files = [
        Lack(
            value,
            f"{class_type}.{name}".removesuffix("."),
            _closest(value, _options(definitions, class_type, name)),
        )
        for class_type, name, value in lacking.files
    ]
    return classes + files


def spellings(needed: Requirements, definitions: Definitions) -> list[Spelling]:
    """Return how a server spells the files that it has under another spelling."""
    spelled: list[Spelling] = []
    for class_type, name, value in needed.files:
        options = _options(definitions, class_type, name)
        theirs = {folded(option): option for option in reversed(options)}.get(folded(value))
        if theirs is not None and value not in options:
            spelled.append((class_type, name, value, theirs))
    return spelled


def respelled(graph: Graph, found: Iterable[Iterable[str]]) -> Graph:
    """Return the graph with a server's own `spellings`; the same graph when there are none."""
    theirs = {(class_type, name, ours): own for class_type, name, ours, own in found}
    if not theirs:
        return graph
    changed = copy.deepcopy(graph)
    for node in changed.values():
        for name, value in node["inputs"].items():
            node["inputs"][name] = _respelled(value, node["class_type"], name, theirs)
    return changed


def _respelled(value: object, class_type: str, way: str, theirs: Mapping[File, str]) -> object:
    if isinstance(value, str):
        return theirs.get((class_type, way, value), value)
    if isinstance(value, dict):
        parts = value.items()
        return {key: _respelled(v, class_type, f"{way}.{key}", theirs) for key, v in parts}
    if isinstance(value, list):
        listed = enumerate(value)
        return [_respelled(v, class_type, f"{way}.{n}", theirs) for n, v in listed]
    return value


def unspelled(graph: Graph, files: Iterable[Iterable[str]]) -> Graph:
    """Return a graph that was spelled for a server with the files as they are asked for."""
    ours = {(class_type, name, folded(value)): value for class_type, name, value in files}
    theirs = [
        (
            node["class_type"],
            name,
            value,
            ours.get((node["class_type"], name, folded(value)), value),
        )
        for node in graph.values()
        for name, value in node["inputs"].items()
        if isinstance(value, str)
    ]
    return respelled(graph, [each for each in theirs if each[2] != each[3]])


def _has(spec: InputSpec | None, value: str) -> bool:
    if spec is None or spec.options is None:
        return True
    return folded(value) in {folded(str(option)) for option in spec.options}


def _options(definitions: Definitions, class_type: str, name: str) -> tuple[str, ...]:
    spec = list_of(definitions, class_type, name)
    return tuple(str(option) for option in (spec.options if spec else None) or ())


def folded(path: str) -> str:
    """Return a name with one kind of slash: servers write folders with either."""
    return path.replace("\\", "/")


def _closest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Compare without folder, suffix and case: these are alike among all.

    Names without end, or without number, are not compared: that takes long.
    """
    stems: dict[str, str] = {}
    for each in islice(known, COMPARED_MOST):
        if len(each) <= NAME_MOST:
            stems.setdefault(_stem(each), each)
    close = difflib.get_close_matches(_stem(name), stems, n=CLOSEST_MOST, cutoff=_CLOSE_ENOUGH)
    return tuple(stems[stem] for stem in close)


def _stem(name: str) -> str:
    path = PurePosixPath(folded(name).lower())
    return path.stem if is_model_file(name) else path.name
