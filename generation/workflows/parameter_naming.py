"""How the inputs of a graph become named parameters: `cfg`, `cfg_2`, …"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from generation.workflows.parameters import Scaled
from generation.workflows.typed_graph import GraphView, Target

Targets: TypeAlias = tuple[Target, ...]


@dataclass
class Names:
    """Parameters by name, in the order in which they were found.

    What holds the same value in the file shares a name; what differs gets the next: `name_2`.
    """

    view: GraphView
    found: dict[str, Targets] = field(default_factory=dict)
    scaled: dict[str, tuple[Scaled, ...]] = field(default_factory=dict)

    def share(self, name: str, targets: Iterable[Target]) -> None:
        """Give each input the name that its value already has, or the next one."""
        for target in targets:
            if not self._holds(name, target):
                self._join(self._fitting(name, target), (target,))

    def next(self, name: str, targets: Targets) -> str:
        """Give inputs that belong together the next name of this kind, and return it."""
        called = self._free(name)
        self._join(called, targets)
        return called

    def put(self, name: str, targets: Targets) -> None:
        """Give inputs exactly this name."""
        self._join(name, targets)

    def move(self, target: Target, leader: Target) -> None:
        """Let an input follow whatever parameter its leader is of, in proportion to it."""
        value, base = self.view.value(target), self.view.value(leader)
        name = next((n for n, targets in self.found.items() if leader in targets), None)
        if name is None or not (_is_number(value) and _is_number(base) and base):
            return
        follower = Scaled(target, float(str(base)))
        if follower not in self.scaled.get(name, ()) and target not in self.found[name]:
            self.scaled[name] = (*self.scaled.get(name, ()), follower)

    def _join(self, name: str, targets: Targets) -> None:
        if targets:
            self.found[name] = tuple(dict.fromkeys((*self.found.get(name, ()), *targets)))

    def _holds(self, name: str, target: Target) -> bool:
        return any(target in self.found[called] for called in self._of_kind(name))

    def _fitting(self, name: str, target: Target) -> str:
        value = self.view.value(target)
        for called in self._of_kind(name):
            if _is_same(self.view.value(self.found[called][0]), value):
                return called
        return self._free(name)

    def _free(self, name: str) -> str:
        count = len(self._of_kind(name))
        return name if not count else f"{name}_{count + 1}"

    def _of_kind(self, name: str) -> list[str]:
        wanted = [name, *(f"{name}_{number}" for number in range(2, len(self.found) + 2))]
        return [called for called in wanted if called in self.found]


def _is_same(one: object, other: object) -> bool:
    """Compare two values of a file: 8 is 8.0, but true is not 1."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
