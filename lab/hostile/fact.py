"""One thing that must be true, with what was seen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """A claim, what was seen, and whether the claim holds."""

    title: str
    seen: str
    holds: bool

    def line(self) -> str:
        """Return the one line that is printed."""
        return f"{'ok' if self.holds else 'WRONG':<6}{self.title}: {self.seen}"
