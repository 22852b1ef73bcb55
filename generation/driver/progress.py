"""Progress of one prompt in per cent, from what the socket says of its nodes."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from generation.comfyui.protocol import Cached, Event, Executing, StepProgress
from generation.models import Attempt

SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
SAMPLER_WEIGHT = 30


class PromptProgress:
    """Counts finished nodes, a sampler for as much as many others; 99 until it is published.

    `first_heard_at` and `heard_at` are the monotonic times of its first and its latest message,
    `written_pct` is what the database has of it.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._weights: dict[str, int] = {}
        self._done: set[str] = set()
        self._current: str | None = None
        self._fraction = 0.0
        self._pct = self.written_pct = attempt.run.progress_pct
        self.first_heard_at: float | None = None
        self.heard_at: float | None = None

    @property
    def pct(self) -> int:
        """How far it is; it never falls."""
        self._pct = max(self._pct, self._measure())
        return self._pct

    def hear(self, event: Event) -> None:
        """Take one event of this prompt into account."""
        self.heard_at = monotonic()
        if self.first_heard_at is None:
            self.first_heard_at = self.heard_at
        match event:
            case Cached(nodes=nodes):
                self._done.update(nodes)
            case Executing(node=node) if node != self._current:
                self._step_to(node)
            case StepProgress(node=node, value=value, max=maximum) if maximum > 0:
                if node and node != self._current:
                    self._step_to(node)
                self._fraction = min(1.0, max(0.0, value / maximum))

    def _step_to(self, node: str | None) -> None:
        if self._current is not None:
            self._done.add(self._current)
        self._current, self._fraction = node, 0.0

    def _measure(self) -> int:
        if not self._weights:
            self._weights = _weights(self._attempt.graph)
        total = sum(self._weights.values()) or 1
        done: float = sum(self._weights.get(node, 0) for node in self._done)
        if self._current not in self._done:
            done += self._weights.get(self._current or "", 0) * self._fraction
        return min(99, int(100 * done / total))


def _weights(graph: Mapping[str, Any]) -> dict[str, int]:
    return {
        node_id: SAMPLER_WEIGHT if node.get("class_type") in SAMPLERS else 1
        for node_id, node in graph.items()
    }
