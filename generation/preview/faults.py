"""The faults a preview server can be told to have, switched on and off while it runs.

A fault has a place in the server that asks `take(name, subjects)` when it gets there. To add one:
name it in KINDS with the number of the protocol's fault list (§18), and ask for it in its place.
"""

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS: dict[str, str] = {
    "hang": "§18.2 accept a request, never answer (match: path)",
    "reset": "§18.1 cut the connection instead of answering (match: path)",
    "answer": "§18.7-10, 50 answer with `status`, `text`, `content_type` (match: path)",
    "delay": "§18.3 answer after `seconds` (match: path)",
    "bad_json": "§18.11 answer with `text` as JSON: truncated, NaN (match: path)",
    "reset_after_queueing": "§18.4 queue the prompt, then cut the connection",
    "reset_before_queueing": "§18.5 cut the connection, queue nothing",
    "error_500_after_queueing": "§18.6 queue the prompt, answer 500 as text",
    "refuse_prompt": "§18.12 answer 400 with `error` and `node_errors`",
    "partial_node_errors": "§18.13 accept, but report `node_errors`",
    "missing_model": "§18.14 this server lacks the model (match: file name)",
    "refuse_ws": "§18.17 refuse the socket with `status`",
    "close_ws": "§18.18 close the owner's socket with `code` before a message (match: type)",
    "silent_ws": "§18.19 open socket that receives nothing",
    "drop_message": "§18.20 drop a message (match: type)",
    "duplicate_message": "§18.21 send a message twice (match: type)",
    "foreign_message": "§18.22 send `text` before a message (match: type)",
    "history_gap_s": "§18.26 write history `seconds` after execution_success",
    "evict_history": "§18.27 forget the history entry at once",
    "worker_dead": "§18.32 accept prompts, never run them, until restart",
    "node_hang": "§18.33 a node takes `seconds`, deaf to interrupts (match: class, prompt id)",
    "ignore_interrupt": "§18.34 take no notice of an interrupt",
    "node_error": "§18.35 a node raises `message` of `type` (match: class, prompt id)",
    "oom": "§18.36 a node runs out of memory until /free (match: class, prompt id)",
    "poisoned": "§18.37 every node fails with a CUDA error until restart",
    "empty_outputs": "§18.39 succeed without outputs (match: prompt id)",
    "view_404": "§18.41 no such file (match: file name)",
    "view_empty": "§18.41 zero bytes (match: file name)",
    "view_truncated": "§18.41 the first half of the file (match: file name)",
    "view_not_an_image": "§18.41 HTML instead of the image (match: file name)",
    "disk_full": "§18.44 an upload answers 500",
}


@dataclass
class Fault:
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

    def text(self, option: str, default: str) -> str:
        """A text option, or its default."""
        return str(self.options.get(option, default))


class Faults:
    """The faults that are switched on, shared by the web part and the worker."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
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
            self._active.append(Fault(name, times, after, match, dict(options)))

    def clear(self, *names: str) -> None:
        """Switch the named faults off; without names all of them."""
        with self._lock:
            self._active = [fault for fault in self._active if names and fault.name not in names]

    def take(self, name: str, *subjects: str) -> Fault | None:
        """The fault of this name that strikes now, used up by one; None when all is well."""
        with self._lock:
            for fault in self._active:
                if fault.name == name and _concerns(fault, subjects) and _strikes(fault):
                    return fault
        return None

    def active(self) -> list[dict[str, Any]]:
        """The faults that are switched on, as JSON objects."""
        with self._lock:
            return [asdict(fault) for fault in self._active]


def _concerns(fault: Fault, subjects: tuple[str, ...]) -> bool:
    return fault.match is None or any(fault.match in subject for subject in subjects)


def _strikes(fault: Fault) -> bool:
    if fault.after > 0:
        fault.after -= 1
        return False
    if fault.times is None:
        return True
    fault.times -= 1
    return fault.times >= 0
