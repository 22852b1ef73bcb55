"""What a table of decisions comes to, as clients read it."""

from typing import TypedDict

from generation.api.errors import ErrorLine
from generation.errors import first_problems
from review.services.review_tables import DecisionRow, TableReading


class TableRow(TypedDict):
    """A row that decides something; `is_done`: somebody has decided so meanwhile."""

    line: int
    version: int
    filename: str
    decision: str
    comment: str
    is_done: bool


class TableDocument(TypedDict):
    """What was read of a table; in a dry run `problems` says what was not understood."""

    dry_run: bool
    n_rows: int
    n_decided: int
    n_done_before: int
    n_unchanged: int
    ignored_columns: list[str]
    rows: list[TableRow]
    problems: list[ErrorLine]


def document(of: TableReading, *, dry_run: bool) -> TableDocument:
    """Return what a table came to, or would come to."""
    return {
        "dry_run": dry_run,
        "n_rows": of.n_rows,
        "n_decided": len(of.to_take),
        "n_done_before": of.n_done,
        "n_unchanged": of.n_unchanged,
        "ignored_columns": of.ignored,
        "rows": [_row(row) for row in of.rows],
        "problems": [
            {"code": problem.code, "detail": str(problem.detail), "attr": problem.attr or None}
            for problem in first_problems(of.problems)
        ],
    }


def _row(of: DecisionRow) -> TableRow:
    return {
        "line": of.line,
        "version": of.asked.version_id,
        "filename": of.filename,
        "decision": of.asked.decision.value,
        "comment": of.asked.comment,
        "is_done": of.is_done,
    }
