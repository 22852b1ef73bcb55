"""One workflow as a line of a table: whether it is read, why not, and what is found in it."""

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from generation.comfyui.untrusted_json import as_mapping
from generation.workflows import contract as contracts
from generation.workflows import formats
from generation.workflows.contract import Contract
from generation.workflows.definitions import Definitions, shipped_definitions
from generation.workflows.errors import GraphError
from generation.workflows.graph import Graph
from generation.workflows.remarks import Remark

HEAD = ("workflow", "read", "seed", "prompt", "panel", "pictures", "questions", "warnings")
_NONE = "–"
_NOTHING: Definitions = {}


@dataclass(frozen=True)
class Line:
    """What is told of one workflow; `refusal` is the code and sentence of why it cannot be used.

    `remarks` say what its conversion has left out.
    """

    name: str
    graph: Graph | None = None
    contract: Contract | None = None
    refusal: str = ""
    remarks: tuple[Remark, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether a plan can be made with it, once what it asks is answered."""
        return not self.refusal

    def cells(self) -> list[str]:
        """Return the cells of its row, in the order of `HEAD`."""
        found = self.contract
        if found is None:
            return [self.name, self.refusal, *[_NONE] * 6]
        codes = (warning.code for warning in (*self.remarks, *found.warnings))
        return [
            self.name,
            self.refusal or "yes",
            self._targets("seed"),
            self._prompt(),
            ".".join(found.panel) if found.panel else _NONE,
            f"{found.images or '?'} of {found.result}" if found.result else _NONE,
            ", ".join(question.code for question in found.questions) or _NONE,
            ", ".join(sorted(set(codes))) or _NONE,
        ]

    def _targets(self, name: str) -> str:
        held = self.contract.parameters.get(name) if self.contract else None
        return ", ".join(".".join(target) for target in held.targets) if held else _NONE

    def _prompt(self) -> str:
        held = self.contract.parameters.get("prompt") if self.contract else None
        return f"{self._targets('prompt')}: {str(held.default)[:40]!r}" if held else _NONE


def read(path: Path, more: Definitions = _NOTHING) -> Line:
    """Return what is told of the workflow in a file, by the definitions that Madsea ships.

    `more` are those of a server, which count before them.
    """
    definitions = {**shipped_definitions(), **more}
    try:
        graph, remarks = formats.load(path.read_bytes(), [definitions])
    except GraphError as error:
        return Line(path.name, refusal=f"{error.code}: {error}")
    found = contracts.contract(graph, definitions)
    # A choice that is newer than the shipped definitions may be on a server's list.
    faults = [
        fault for fault in contracts.faults(graph, definitions) if fault.code != "not_in_list"
    ]
    refusal = f"{faults[0].code}: {faults[0].detail}" if faults else ""
    return Line(path.name, graph, found, refusal, remarks)


def table(lines: Iterable[Line]) -> str:
    """Return the table in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def summary(lines: Iterable[Line]) -> str:
    """Return how many are read, and of these how many have a seed, a prompt and a panel."""
    known = list(lines)
    used = [line.contract for line in known if line.is_read and line.contract]
    with_seed, with_prompt = (
        sum(name in found.parameters for found in used) for name in ("seed", "prompt")
    )
    n_panel = sum(found.panel is not None for found in used)
    n_asking = sum(bool(found.questions) for found in used)
    return (
        f"{len(used)} of {len(known)} are read: {with_seed} with a seed, {with_prompt} with a"
        f" prompt, {n_panel} with a panel, {n_asking} with a question."
    )


def say(text: str) -> None:
    """Print a text."""
    sys.stdout.write(f"{text}\n")


def is_workflow(path: Path) -> bool:
    """Tell whether a file may be one, and not what a person expects of others."""
    return path.suffix.lower() == ".json" and path.name not in {"expected.json", "manifest.json"}


def sha256(graph: Graph) -> str:
    """Return what tells graphs apart by classes and values: 30 is 30.0, titles do not count."""
    nodes = {key: [node["class_type"], _plain(node["inputs"])] for key, node in graph.items()}
    return hashlib.sha256(json.dumps(nodes, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in as_mapping(value).items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
