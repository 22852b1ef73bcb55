"""What the preview servers' own journals tell: how long a server was idle between two plans."""

from collections.abc import Iterator
from pathlib import Path

from comfyui_preview.journal import entries


def gaps(journal: Path) -> Iterator[float]:
    """Yield the seconds between each plan's end and the next one's start on a server."""
    ended_at: float | None = None
    for entry in entries(journal):
        if entry["event"] == "finished":
            ended_at = float(entry["at"])
        elif entry["event"] == "started" and ended_at is not None:
            yield float(entry["at"]) - ended_at


def n_finished(journal: Path, since: float, until: float) -> int:
    """Return how many plans a server finished between two moments (seconds since 1970)."""
    ends = (float(entry["at"]) for entry in entries(journal, "finished"))
    return sum(since <= at < until for at in ends)
