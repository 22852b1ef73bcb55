"""One case of the matrix: which fault, how it comes about, and how a plan must end in it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.faults.scene import Scene
from tests.driver import flying

#: What the log of a plan says that noticed nothing.
QUIET = ("claimed", "posted", "published")
DONE = "done"


def nothing(_: Scene) -> None:
    """Do nothing."""


def at_once(_: Scene) -> bool:
    """Have nothing to wait for."""
    return True


def strike(name: str, **how: Any) -> Mapping[str, Any]:
    """Return a fault of the preview server; `times`, `after`, `match` and its own options."""
    return {"name": name, **how}


@dataclass(frozen=True)
class Case:
    """A fault, and what must become of one plan that meets it.

    `how` tells the reader how the fault came about; `faults` are switched on at the first server
    before anything is claimed, `before` does what else is to be done then, and `meanwhile` is
    asked again and again while a driver drives, until it says that it has acted.
    `n_servers` many servers are there; the plan goes to the first of them first.

    What must be: the plan ends in `state` (with `error`, if it is one), its attempts as in
    `outcomes`, after `renders` executions of its SaveImage node on all servers and `tries` counted
    tries, and its log consists of these events.
    """

    number: int
    fault: str
    how: str
    faults: tuple[Mapping[str, Any], ...] = ()
    before: Callable[[Scene], None] = nothing
    meanwhile: Callable[[Scene], bool] = at_once
    state: str = DONE
    error: str = ""
    outcomes: tuple[str, ...] = (DONE,)
    renders: int = 1
    tries: int = 0
    log: tuple[str, ...] = QUIET
    graph: Mapping[str, Any] = field(default_factory=lambda: flying.INVERTED)
    plays: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    patches: Mapping[str, Any] = field(default_factory=dict)
    n_servers: int = 1

    @property
    def slug(self) -> str:
        """Its name in a list of tests, which no other case has."""
        plain = unicodedata.normalize("NFKD", self.fault).encode("ascii", "ignore").decode()
        return f"{self.number:02d}-" + re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


@dataclass(frozen=True)
class Unmet:
    """A fault, or a part of one, that no client of ours can meet, and why."""

    number: int
    fault: str
    why: str
