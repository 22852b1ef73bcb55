"""The faults a preview server can be told to have, switched on and off while it runs.

A fault has a place in the server that asks `take(name, subjects)` when it gets there. To add one:
name it in `kinds` with the number of the protocol's fault list (§18), and ask for it in its place.
"""

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from comfyui_preview.fault_kinds import KINDS


@dataclass
class ActiveFault:
    """One fault that is switched on.

    `times` None: until cleared. `after`: so many occasions are spared first. `match` None: any
    subject; else a text that one of the subjects must contain.
    """

    name: str
    times: int | None = None
    after: int = 0
    match: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def seconds(self) -> float:
        """The option `seconds`, 1.0 when it is not given."""
        return float(self.options.get("seconds", 1.0))

    def count(self, option: str, default: int) -> int:
        """An option that is a number of things, or its default."""
        return int(self.options.get(option, default))

    def text(self, option: str, default: str) -> str:
        """A text option, or its default."""
        return str(self.options.get(option, default))


class Faults:
    """The faults that are switched on, shared by the web part and the worker."""

    def __init__(self) -> None:
        self._active: list[ActiveFault] = []
        self._n_struck: Counter[str] = Counter()
        self._lock = threading.Lock()

    def set(
        self,
        name: str,
        *,
        times: int | None = None,
        after: int = 0,
        match: str | None = None,
        **options: object,
    ) -> None:
        """Switch a fault on. Raises ValueError for a name that is not in KINDS."""
        if name not in KINDS:
            raise ValueError(f"no fault is called {name!r}")
        with self._lock:
            self._active.append(ActiveFault(name, times, after, match, dict(options)))

    def clear(self, *names: str) -> None:
        """Switch the named faults off; without names all of them."""
        with self._lock:
            self._active = [fault for fault in self._active if names and fault.name not in names]

    def take(self, name: str, *subjects: str) -> ActiveFault | None:
        """The fault of this name that strikes now, used up by one; None when all is well."""
        with self._lock:
            for fault in self._active:
                if fault.name == name and _concerns(fault, subjects) and _strikes(fault):
                    self._n_struck[name] += 1
                    return fault
        return None

    def n_struck(self, name: str) -> int:
        """How often faults of this name have struck, also such as are off by now."""
        with self._lock:
            return self._n_struck[name]

    def active(self) -> list[dict[str, Any]]:
        """The faults that are switched on, as JSON objects."""
        with self._lock:
            return [asdict(fault) for fault in self._active]


def _concerns(fault: ActiveFault, subjects: tuple[str, ...]) -> bool:
    return fault.match is None or any(fault.match in subject for subject in subjects)


def _strikes(fault: ActiveFault) -> bool:
    if fault.after > 0:
        fault.after -= 1
        return False
    if fault.times is None:
        return True
    fault.times -= 1
    return fault.times >= 0
