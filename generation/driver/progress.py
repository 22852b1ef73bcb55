"""Progress of one prompt in per cent, from what the socket says of its nodes."""

from collections.abc import Mapping
from typing import Any

from generation.comfyui.protocol import Cached, Event, Executing, Progress

SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
SAMPLER_WEIGHT = 30


class Meter:
    """Counts finished nodes, a sampler for as much as many others; 99 until it is published."""

    def __init__(self, graph: Mapping[str, Any]) -> None:
        self._weights = {
            node_id: SAMPLER_WEIGHT if node.get("class_type") in SAMPLERS else 1
            for node_id, node in graph.items()
        }
        self._done: set[str] = set()
        self._current: str | None = None
        self._fraction = 0.0
        self.pct = 0

    def hear(self, event: Event) -> None:
        """Take one event of this prompt into account; `pct` never falls."""
        match event:
            case Cached(nodes=nodes):
                self._done.update(nodes)
            case Executing(node=node) if node != self._current:
                self._step_to(node)
            case Progress(node=node, value=value, max=maximum) if maximum > 0:
                if node and node != self._current:
                    self._step_to(node)
                self._fraction = min(1.0, max(0.0, value / maximum))
            case _:
                return
        self.pct = max(self.pct, self._measure())

    def _step_to(self, node: str | None) -> None:
        if self._current is not None:
            self._done.add(self._current)
        self._current, self._fraction = node, 0.0

    def _measure(self) -> int:
        total = sum(self._weights.values()) or 1
        done: float = sum(self._weights.get(node, 0) for node in self._done)
        if self._current not in self._done:
            done += self._weights.get(self._current or "", 0) * self._fraction
        return min(99, int(100 * done / total))
