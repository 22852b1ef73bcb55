"""What the owner of a prompt is told while it runs: nodes, steps, and the end."""

import time
from typing import Any

from comfyui_preview.faults import Faults
from comfyui_preview.sockets import Sockets

NodeState = dict[str, Any]


def now_ms() -> int:
    """The server's clock in milliseconds since 1970."""
    return int(time.time() * 1000)


class PromptMessages:
    """Sends the messages of one prompt and collects those that its history keeps.

    Without a client id most messages are sent to nobody, and steps to everybody.
    Source: protocol §6, §7.
    """

    def __init__(
        self,
        sockets: Sockets,
        faults: Faults,
        prompt_id: str,
        client_id: str | None,
        *,
        has_states: bool = True,
    ) -> None:
        self._sockets = sockets
        self._faults = faults
        self._prompt_id = prompt_id
        self._client_id = client_id
        self._has_states = has_states
        self._nodes: dict[str, NodeState] = {}
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def note(self, kind: str, *, broadcast: bool = False, **content: Any) -> None:
        """Send a message that the history keeps, with the server's time."""
        message = {**content, "prompt_id": self._prompt_id, "timestamp": self._now_ms()}
        self.messages.append((kind, message))
        if broadcast or self._client_id is not None:
            self._sockets.publish(kind, message, self._client_id)

    def start_node(self, node_id: str) -> None:
        """A node begins."""
        self._set(node_id, 0.0, 1.0, "running")
        self._to_owner("executing", {"node": node_id, "display_node": node_id})

    def step(self, node_id: str, kind: str, value: int, maximum: int) -> None:
        """A node of a class has made a step."""
        if fault := self._faults.take("odd_progress", kind, self._prompt_id):
            how = fault.text("how", "backwards")
            if how == "never":
                return
            value, maximum = (value, 0) if how == "of_none" else (maximum - value, maximum)
        self._set(node_id, value, maximum, "running")
        message = {"value": value, "max": maximum, "prompt_id": self._prompt_id, "node": node_id}
        self._sockets.publish("progress", message, self._client_id)

    def preview(self, node_id: str, jpeg: bytes) -> None:
        """Show what a sampler has so far."""
        about = {"display_node_id": node_id, "parent_node_id": None, "real_node_id": node_id}
        about |= {"node_id": node_id, "prompt_id": self._prompt_id}
        self._sockets.publish_preview(jpeg, about, self._client_id)

    def finish_node(self, node_id: str, ui: dict[str, Any] | None) -> None:
        """A node has ended; `ui` is what it shows."""
        if ui is not None:
            about = {"node": node_id, "display_node": node_id, "output": ui}
            self._to_owner("executed", about)
        state = self._nodes.get(node_id, {"value": 1, "max": 1})
        self._set(node_id, state["max"], state["max"], "finished")

    def nested(self, node_id: str) -> str:
        """A node has made and run another; gives that one's id. Source: protocol §6.2."""
        made = f"{node_id}.0.0.1"
        for content in (
            {"node": made, "display_node": node_id},
            {"node": node_id, "display_node": node_id},
        ):
            self._to_owner("executing", content)
        self._to_owner("executed", {"node": made, "display_node": node_id, "output": None})
        self._set(made, 1.0, 1.0, "finished")
        return made

    def blocked(self, node_id: str, kind: str) -> None:
        """A branch was blocked, which history does not keep and ends nothing. §7.8."""
        about: dict[str, Any] = {"node_id": node_id, "node_type": kind, "executed": []}
        about |= {
            "traceback": [],
            "exception_type": "ExecutionBlocked",
            "current_inputs": {},
            "current_outputs": [],
        }
        self._to_owner("execution_error", {**about, "exception_message": "Execution Blocked: mask"})

    def end(self) -> None:
        """The last message of a prompt: its history can be read."""
        self._to_owner("executing", {"node": None})

    def _now_ms(self) -> int:
        fault = self._faults.take("clock_skew", self._prompt_id)
        return now_ms() + (int(fault.seconds() * 1000) if fault else 0)

    def _to_owner(self, kind: str, content: dict[str, Any]) -> None:
        if self._client_id is not None:
            message = {**content, "prompt_id": self._prompt_id}
            self._sockets.publish(kind, message, self._client_id)

    def _set(self, node_id: str, value: float, maximum: float, state: str) -> None:
        """Tell how far every node is: a message since 0.3.45."""
        self._nodes[node_id] = {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": node_id,
            "prompt_id": self._prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        if not self._has_states:
            return
        message = {"prompt_id": self._prompt_id, "nodes": dict(self._nodes)}
        self._sockets.publish("progress_state", message, self._client_id)
