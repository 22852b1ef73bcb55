"""The result cache: a node is not executed again while its class, inputs and ancestors are same."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from comfyui_preview.execution_order import is_link
from comfyui_preview.queue import Graph


@dataclass(frozen=True)
class CachedResult:
    """What a node gave: its outputs, and what its window shows (None when it shows nothing)."""

    outputs: tuple[Any, ...]
    ui: dict[str, Any] | None = None


class Signatures:
    """The signature of each node of one graph: class, change check, inputs, and its ancestors'."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[str, str] = {}

    def of(self, node_id: str) -> str:
        """A hash that does not depend on node ids, titles or the client. Source: protocol §10."""
        if node_id not in self._known:
            # an unreachable node may be missing, or its own ancestor
            self._known[node_id] = "unknown"
            node = self._graph.get(node_id, {})
            inputs = {
                name: ["link", self.of(value[0]), value[1]] if is_link(value) else value
                for name, value in (node.get("inputs") or {}).items()
            }
            content = [node.get("class_type"), node.get("is_changed"), inputs]
            text = json.dumps(content, sort_keys=True)
            self._known[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return self._known[node_id]


class ResultCache:
    """Results by signature; only what the newest prompt uses is kept, as 0.3.64 does."""

    def __init__(self) -> None:
        self._results: dict[str, CachedResult] = {}

    def keep_only(self, signatures: Iterable[str]) -> None:
        """Drop what the prompt that starts now cannot use."""
        kept = set(signatures)
        self._results = {key: kept_ for key, kept_ in self._results.items() if key in kept}

    def get(self, signature: str) -> CachedResult | None:
        """The result of this signature, if it is still there."""
        return self._results.get(signature)

    def put(self, signature: str, result: CachedResult) -> None:
        """Keep a result."""
        self._results[signature] = result

    def clear(self) -> None:
        """Forget everything, as /free with free_memory asks."""
        self._results.clear()
