"""What an audit looks at: what the run noted, the servers' journals, and the rows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from comfyui_preview import journal
from generation.models import Attempt

Entry = dict[str, Any]
SHOWN_MOST = 8


@dataclass(frozen=True)
class Verdict:
    """One invariant: what was counted, and a sentence for everything that breaks it."""

    number: str
    title: str
    said: str
    broken: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object; of many sentences the first few."""
        more = len(self.broken) - SHOWN_MOST
        shown = self.broken[:SHOWN_MOST] + ([f"and {more} more"] if more > 0 else [])
        return {"number": self.number, "title": self.title, "said": self.said, "broken": shown}


@dataclass
class Evidence:
    """One run; `noted` is what it wrote down."""

    noted: dict[str, Any]
    home: Path
    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def wrong(self, number: int) -> list[str]:
        """Return what the clients saw that breaks this invariant."""
        return [text for invariant, text in self.noted["wrong"] if invariant == number]

    def acts(self, *kinds: str) -> Iterator[Entry]:
        """Yield the acts of these kinds that were done."""
        return (act for act in self.noted["acts"] if act["kind"] in kinds)

    @cached_property
    def journals(self) -> dict[str, list[Entry]]:
        """The entries of each server's journal, by its address."""
        files = self.noted["journals"].items()
        return {url: list(journal.entries(Path(file))) for url, file in files}

    @cached_property
    def sent_as(self) -> dict[str, str]:
        """The id that was sent with each prompt, taken or not, that an old server renamed."""
        return {
            entry["prompt_id"]: prefix.rpartition("/")[2]
            for entries in self.journals.values()
            for entry in entries
            for prefix in entry.get("prefixes", ())
            if entry["event"] in ("accepted", "refused")
            and self._is_sent(prefix.rpartition("/")[2])
        }

    def _is_sent(self, prompt_id: str) -> bool:
        return prompt_id in self.attempts or prompt_id in self.noted["foreign"]

    @cached_property
    def by_prompt(self) -> dict[str, list[Entry]]:
        """The entries about each prompt, by the id it was sent with, oldest first, with `url`."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for url, entries in self.journals.items():
            for entry in entries:
                if prompt_id := entry.get("prompt_id"):
                    found[str(self.sent_as.get(prompt_id, prompt_id))].append({**entry, "url": url})
        for entries in found.values():
            entries.sort(key=lambda entry: float(entry["at"]))
        return found

    @cached_property
    def attempts(self) -> dict[str, Attempt]:
        """Every attempt, by its prompt id."""
        rows = Attempt.objects.select_related("run__batch", "server")
        return {str(attempt.prompt_id): attempt for attempt in rows}

    def events(self, prompt_id: str, event: str) -> list[Entry]:
        """Return the journals' entries of one kind about a prompt."""
        return [entry for entry in self.by_prompt.get(prompt_id, []) if entry["event"] == event]

    def forgot(self, url: str, since: float, until: float) -> bool:
        """Tell whether a server lost its memory in that time."""
        return any(
            entry["event"] in {"server_started", "lost"} and since <= entry["at"] <= until
            for entry in self.journals.get(url, [])
        )


def counted(numbers: Counter[str]) -> str:
    """Return `3 done, 1 lost`; "none" when there is nothing."""
    return ", ".join(f"{n} {what}" for what, n in sorted(numbers.items()) if n) or "none"
