"""Every doubt that reading has is told in words."""

import ast
from pathlib import Path

from storyboards import reading
from storyboards.selectors.doubt_messages import SENTENCES

DOUBTFUL = {"Doubt", "BadPicture", "BadXml"}
#: Made of a name and the kind of count.
COUNTS = {"boards_count", "shots_count"}


def codes(file: Path) -> set[str]:
    """Return the codes of the doubts that a module makes."""
    calls = [
        node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    firsts = [
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in DOUBTFUL and call.args
    ]
    return {str(first.value) for first in firsts if isinstance(first, ast.Constant)}


def test_every_doubt_has_a_sentence() -> None:
    folder = Path(reading.__file__).parent
    made = COUNTS.union(*(codes(file) for file in folder.glob("*.py")))

    assert made
    assert sorted(made - SENTENCES.keys()) == []
