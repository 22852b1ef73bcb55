"""`python -m lab.workflows`: the table of what is read of the graphs that the tests know.

Folders that are named are read beside them. Whether it is what a person would expect is for a
person to judge: nothing is asserted here.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lab.workflows import workflow_rows
from lab.workflows.workflow_rows import say

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "data" / "workflows"


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each folder; return the exit code."""
    parser = argparse.ArgumentParser("python -m lab.workflows", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="read beside the tests' own graphs")
    for root in [CORPUS, *parser.parse_args(argv).folders]:
        for folder in sorted({path.parent for path in root.rglob("*.json")}):
            _tell(folder)
    return 0


def _tell(folder: Path) -> None:
    lines = [
        workflow_rows.read(path)
        for path in sorted(folder.iterdir())
        if workflow_rows.is_workflow(path)
    ]
    if lines:
        say(f"\n## {folder}\n\n{workflow_rows.table(lines)}\n\n{workflow_rows.summary(lines)}")


if __name__ == "__main__":
    raise SystemExit(main())
