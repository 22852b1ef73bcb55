"""`python -m lab.workflows.template_reading FOLDER`: what is read of ComfyUI's templates.

The folder is that of their package, which is installed in an environment of its own. What
ComfyUI's own page exports of 50 of them is kept as hashes (`exports.json`), none of it is copied:
`agree` says whether two versions of the page export the same. Where they do not, one of them
writes nonsense; such a graph is told beside the figures. The exit code is 1 where a graph on which
they agree is converted to another, or a file is gone.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from generation.workflows import editor
from generation.workflows.definitions import shipped_definitions
from generation.workflows.errors import GraphError
from lab.workflows import workflow_rows
from lab.workflows.workflow_rows import Line, say

EXPORTS = Path(__file__).with_name("exports.json")
#: Classes that only servers with more than ComfyUI's own nodes have.
_UNKNOWN = "unknown_class"
#: So many conversions are timed together.
TIMED = 200


class Compared(NamedTuple):
    """A template's graph beside the page's: whether it is the same, and whether its pages agree."""

    name: str
    is_same: bool
    agree: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and the figures; return the exit code."""
    parser = argparse.ArgumentParser(
        "python -m lab.workflows.template_reading", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--definitions", metavar="FILE", type=Path, help="a server's /object_info")
    given = parser.parse_args(argv)
    more = _document(given.definitions) if given.definitions else {}
    documents = {path.stem: path for path in given.folder.rglob("*.json")}
    templates = (path for _, path in sorted(documents.items()) if _is_document(path))
    lines = [workflow_rows.read(path, more) for path in templates]
    known = [line for line in lines if not line.refusal.startswith(_UNKNOWN)]
    say(f"{workflow_rows.table(known)}\n\n{workflow_rows.summary(known)}")
    say(f"{len(lines) - len(known)} more have nodes that these definitions do not know.")
    say(f"Not read: {_reasons(known)}.")
    compared = [_compared(name, export, documents) for name, export in _exports().items()]
    for each in compared:
        if not each.is_same:
            say(f"{each.name} differs{'' if each.agree else ', on which the pages do not agree'}")
    wrong = [each for each in compared if each.agree and not each.is_same]
    say(_figures(compared))
    say(_timed(documents))
    return int(bool(wrong))


def _is_document(path: Path) -> bool:
    try:
        return editor.is_document(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        return False


def _exports() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(EXPORTS.read_text(encoding="utf-8"))
    return found


def _reasons(lines: Sequence[Line]) -> str:
    counts = Counter(line.refusal.partition(":")[0] for line in lines if line.refusal)
    return ", ".join(f"{n} {code}" for code, n in counts.most_common()) or "none"


def _compared(name: str, export: Mapping[str, Any], documents: Mapping[str, Path]) -> Compared:
    try:
        graph = editor.convert(_document(documents[name]), shipped_definitions()).graph
    except (KeyError, GraphError):
        return Compared(name, is_same=False, agree=export["agree"])
    is_same = workflow_rows.sha256(graph) == export["sha256"]
    return Compared(name, is_same, export["agree"])


def _document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _figures(compared: Sequence[Compared]) -> str:
    agreeing = [each for each in compared if each.agree]
    n_same, n_agreeing = sum(each.is_same for each in compared), len(agreeing)
    return (
        f"Converted as the page exports it: {n_same} of {len(compared)}; of those on which two"
        f" versions of the page agree, {sum(each.is_same for each in agreeing)} of {n_agreeing}."
    )


def _timed(documents: Mapping[str, Path]) -> str:
    """Return how long conversions take, the documents read before."""
    read = [_document(documents[name]) for name in _exports() if name in documents]
    wanted = [read[n % len(read)] for n in range(TIMED)] if read else []
    began = time.perf_counter()
    for document in wanted:
        editor.convert(document, shipped_definitions())
    return f"{len(wanted)} conversions took {time.perf_counter() - began:.1f} s."


if __name__ == "__main__":
    raise SystemExit(main())
