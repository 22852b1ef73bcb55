"""What is printed: Markdown that can be read as it stands, with the machine's load beside it."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass
class Table:
    """One result: rows of cells, the first column text, the others figures; notes below."""

    title: str
    headers: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """Return the table as aligned Markdown."""
        lines = [f"**{self.title}**", "", *self._lines()]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"

    def _lines(self) -> Iterable[str]:
        rows = [self.headers, *self.rows]
        widths = [max(len(row[n]) for row in rows) for n in range(len(self.headers))]
        yield _line(self.headers, widths)
        ends = (":" if n else "-" for n in range(len(widths)))
        yield "|" + "|".join("-" * (w + 1) + end for w, end in zip(widths, ends, strict=True)) + "|"
        for row in self.rows:
            yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"


def load() -> str:
    """Say how busy the machine is: processes that want a core, over the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def ms(seconds: float, digits: int = 1) -> str:
    """Return seconds as milliseconds."""
    return f"{1000 * seconds:.{digits}f}"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so great a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def ratio(value: float, reference: float) -> float:
    """Return a value against its reference; not a number where there is no reference."""
    return value / reference if reference else float("nan")
