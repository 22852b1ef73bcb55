"""What a preview server can be started with."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from comfyui_preview.definitions import MODELS

#: The oldest first: each can do what the ones before it can.
Generation = Literal["classic", "chosen", "targeted", "jobs"]
VERSIONS: Mapping[Generation, str] = {
    "classic": "0.3.40",
    "chosen": "0.3.50",
    "targeted": "0.3.64",
    "jobs": "0.38.1",
}
#: A day.
SECONDS_MAX = 86_400


def is_loopback(host: str) -> bool:
    """Whether an address or name can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Options:
    """How a preview server behaves, and where it keeps its files.

    `port` 0 takes a free one. `seconds_per_plan` None means as fast as it can. `generation`:
    `classic` draws a prompt's id itself, whatever was sent, has no feature flags, and stops
    whatever runs at any interrupt; `chosen` takes the id that was sent; `targeted` interrupts by
    it; `jobs` also has the job routes and takes canonical UUIDs only. `version` "" is one of that
    generation.
    `pre_encoded` writes small ready-made images instead of rendering, for measurements of what is
    around the server. `faults` opens the route that switches faults on and off. `previews` sends
    the images between sampling steps. `models` are the files it pretends to have, by folder.
    Raises ValueError for a host that others can reach, unless `allow_any_host`, and for a number
    out of bounds.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8188
    seconds_per_plan: float | None = None
    version: str = ""
    generation: Generation = "targeted"
    pre_encoded: bool = False
    faults: bool = False
    previews: bool = False
    allow_any_host: bool = False
    journal: Path | None = None
    models: Mapping[str, Sequence[str]] = field(default_factory=lambda: MODELS)

    def __post_init__(self) -> None:
        if not self.allow_any_host and not is_loopback(self.host):
            raise ValueError(
                f"{self.host} can be reached by others: the preview server has no login. "
                "Use 127.0.0.1, or allow any host on purpose."
            )
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {self.port}")
        if not 0 <= (self.seconds_per_plan or 0) <= SECONDS_MAX:
            wrong = f"seconds_per_plan must be from 0 to {SECONDS_MAX}, not {self.seconds_per_plan}"
            raise ValueError(wrong)

    def is_since(self, generation: Generation) -> bool:
        """Whether the server is of this generation or a later one."""
        order = get_args(Generation)
        return order.index(self.generation) >= order.index(generation)

    @property
    def comfyui_version(self) -> str:
        """The version it gives itself out for."""
        return self.version or VERSIONS[self.generation]

    @property
    def journal_path(self) -> Path:
        """Where the journal is written: one JSON object per line."""
        return self.journal or self.home / "journal.jsonl"
