"""What goes wrong, and when: drawn from the seed alone, before anything starts."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

N_SERVERS = 4
Chance = random.Random
Draw = Callable[[Chance], dict[str, Any]]

#: Paths of a server that a fault may be about; "" is any.
PATHS = ("", "/prompt", "/queue", "/history", "/view", "/upload", "/ws")
MESSAGES = ("executing", "executed", "execution_success", "progress", "status")
PROXY_WORDS = "<html><h1>502 Bad Gateway</h1></html>"


@dataclass(frozen=True)
class Act:
    """One thing that goes wrong: `on` chooses whom, `for_s` is how long it lasts."""

    at_s: float
    kind: str
    on: int
    for_s: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lasts = f" for {self.for_s:.1f} s" if self.for_s else ""
        return f"{self.at_s:6.2f} s  {self.kind} ({self.on}){lasts} {self.options or ''}".rstrip()


@dataclass(frozen=True)
class Kind:
    """How often an act is drawn, how long it lasts, and what else is drawn with it.

    `needs` is what a site must have for it: "postgresql", "sqlite", "redis".
    """

    weight: int
    lasts_s: tuple[float, float] = (0.0, 0.0)
    draw: Draw = lambda _: {}
    needs: str = ""


def _times(chance: Chance) -> dict[str, Any]:
    return {"times": chance.randint(1, 3), "after": chance.choice((0, 0, 1, 2))}


def _fault(**fixed: Any) -> Draw:
    return lambda chance: {**_times(chance), **fixed}


def _on_path(**fixed: Any) -> Draw:
    return lambda chance: {**_times(chance), "match": chance.choice(PATHS), **fixed}


def _bad_answer(chance: Chance) -> dict[str, Any]:
    status, text, media = chance.choice(
        ((500, "500 Internal Server Error", "text/plain"), (502, PROXY_WORDS, "text/html"))
    )
    words = {"status": status, "text": text, "content_type": media}
    return {**_on_path()(chance), **words}


def _bad_json(chance: Chance) -> dict[str, Any]:
    return {**_on_path()(chance), "text": chance.choice(('{"tru', "[]", "null", "NaN", ""))}


def _message(chance: Chance) -> dict[str, Any]:
    return {**_times(chance), "match": chance.choice(MESSAGES)}


def _seconds(low: float, high: float, draw: Draw = _times) -> Draw:
    return lambda chance: {**draw(chance), "seconds": round(chance.uniform(low, high), 2)}


def _step_s(chance: Chance) -> int:
    """Return by how much a clock is set back: a little, or an hour."""
    return chance.choice((chance.randint(5, 15), 3600))


#: What is done to processes, to the database, to the broker and to the disk.
DEEDS: Mapping[str, Kind] = {
    "kill_driver": Kind(9),
    "kill_worker": Kind(4),
    "kill_sentinel": Kind(1, (0.2, 1.5)),
    "kill_main": Kind(1, (0.2, 1.5)),
    "kill_tree": Kind(1, (0.2, 1.5)),
    "stop_workers": Kind(1, (0.2, 1.0)),
    "kill_web": Kind(3, (0.1, 1.0)),
    "freeze_driver": Kind(7, (4.0, 7.0)),
    "freeze_main": Kind(1, (2.0, 5.0)),
    "freeze_web": Kind(2, (0.5, 3.0)),
    "freeze_server": Kind(3, (2.0, 9.0)),
    "kill_server": Kind(6, (0.3, 3.0)),
    "server_away": Kind(4, (9.0, 12.0)),
    "forget_all": Kind(4),
    "foreign_prompt": Kind(8),
    "lease_into_past": Kind(6),
    "lease_into_future": Kind(3, draw=lambda chance: {"seconds": _step_s(chance)}),
    "lose_messages": Kind(3),
    "ring_twice": Kind(2),
    "hold_database": Kind(3, (0.5, 3.0)),
    "cut_connections": Kind(5, needs="postgresql"),
    "broker_away": Kind(2, (0.5, 3.0), needs="redis"),
    "disk_full": Kind(4, (1.0, 5.0)),
    "disk_without_names": Kind(2, (1.0, 4.0)),
}
#: What a preview server does wrong, by the name of its fault; those that last are cleared after.
FAULTS: Mapping[str, Kind] = {
    "hang": Kind(3, (1.0, 8.0), _on_path()),
    "reset": Kind(6, draw=_on_path()),
    "answer": Kind(6, draw=_bad_answer),
    "delay": Kind(5, draw=_seconds(0.3, 4.0, _on_path())),
    "bad_json": Kind(5, draw=_bad_json),
    "reset_after_queueing": Kind(6, draw=_fault()),
    "reset_before_queueing": Kind(4, draw=_fault()),
    "error_500_after_queueing": Kind(5, draw=_fault()),
    "refuse_prompt": Kind(2, draw=_fault(times=1)),
    "partial_node_errors": Kind(
        2, draw=_fault(times=1, node_errors={"1": {"class_type": "LoadImage", "errors": []}})
    ),
    "missing_model": Kind(2, (2.0, 6.0), lambda _: {"match": "RealVisXL_V5.0_fp16.safetensors"}),
    "refuse_ws": Kind(2, draw=_fault(status=403)),
    "close_ws": Kind(4, draw=lambda chance: {**_message(chance), "code": 1011}),
    "silent_ws": Kind(3, (2.0, 8.0)),
    "drop_message": Kind(4, draw=_message),
    "duplicate_message": Kind(3, draw=_message),
    "foreign_message": Kind(2, draw=_fault(text="not JSON at all")),
    "history_gap_s": Kind(4, draw=_seconds(0.3, 4.0)),
    "evict_history": Kind(4, draw=_fault(times=1)),
    "worker_dead": Kind(2, (2.0, 8.0)),
    "node_hang": Kind(3, draw=_seconds(1.0, 8.0, _fault(times=1))),
    "ignore_interrupt": Kind(3, draw=_fault()),
    "node_error": Kind(2, draw=_fault(times=1)),
    "oom": Kind(2, (1.0, 4.0)),
    "poisoned": Kind(2, (1.0, 4.0)),
    "empty_outputs": Kind(2, draw=_fault(times=1)),
    "view_404": Kind(2, draw=_fault(times=1)),
    "view_empty": Kind(2, draw=_fault(times=1)),
    "view_truncated": Kind(2, draw=_fault(times=1)),
    "view_not_an_image": Kind(2, draw=_fault(times=1)),
    "disk_full_there": Kind(2, draw=_fault(times=1)),
}
#: Only a restart of the server mends these.
UNTIL_RESTART = frozenset({"worker_dead", "poisoned"})
KINDS = {**DEEDS, **FAULTS}
#: What FAULTS calls otherwise than the preview server does.
FAULT_NAMES = {"disk_full_there": "disk_full"}


def draw(
    seed: int,
    n_acts: int,
    *,
    lasts_s: float,
    has: Collection[str],
    without: Collection[str] = (),
) -> list[Act]:
    """Return the acts of a seed in the order of their times.

    `has` says what the site has ("postgresql" or "sqlite", perhaps "redis"), `without` names kinds
    to be left out.
    """
    chance = random.Random(f"chaos {seed}")
    kinds = {
        name: kind
        for name, kind in KINDS.items()
        if name not in without and (not kind.needs or kind.needs in has)
    }
    weights = [kind.weight for kind in kinds.values()]
    names = chance.choices(list(kinds), weights, k=n_acts)
    times = sorted(round(chance.uniform(0, lasts_s), 2) for _ in range(n_acts))
    return [_act(chance, at, name) for at, name in zip(times, names, strict=True)]


def _act(chance: Chance, at_s: float, name: str) -> Act:
    kind = KINDS[name]
    for_s = round(chance.uniform(*kind.lasts_s), 2)
    return Act(at_s, name, chance.randrange(1000), for_s, kind.draw(chance))


def as_json(acts: Collection[Act]) -> list[dict[str, Any]]:
    """Return acts as JSON objects."""
    return [asdict(act) for act in acts]
