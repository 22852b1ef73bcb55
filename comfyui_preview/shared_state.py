"""The parts of one preview server that its web part and its worker share."""

import threading
from collections.abc import Callable
from typing import Any

from comfyui_preview import definitions
from comfyui_preview.cache import ResultCache
from comfyui_preview.faults import Faults
from comfyui_preview.folders import Folders
from comfyui_preview.interrupts import Interrupts
from comfyui_preview.journal import Journal
from comfyui_preview.nodes import all_nodes
from comfyui_preview.options import Options
from comfyui_preview.queue import PromptQueue
from comfyui_preview.sockets import Sockets


class Engine:
    """Everything a preview server remembers, and the few verbs that touch several parts of it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folders = Folders(options.home)
        self.journal = Journal(options.journal_path)
        self.faults = Faults()
        self.sockets = Sockets(self.faults)
        self.queue = PromptQueue(self._queue_changed)
        self.cache = ResultCache()
        self.interrupts = Interrupts()
        self.definitions = definitions.load(all_nodes.NODES, options.models)
        self.stopping = threading.Event()
        self.free_memory = threading.Event()
        # takes the server off its port for so many seconds; set once it listens
        self.go_away: Callable[[float], threading.Event] = lambda _: threading.Event()
        self.come_back: Callable[[], None] = lambda: None
        # the node that runs, and the client whose prompt it belongs to
        self.current: tuple[str | None, str | None] = (None, None)

    def queue_status(self) -> dict[str, Any]:
        """What `status` messages and GET /prompt say."""
        return {"exec_info": {"queue_remaining": self.queue.remaining()}}

    def interrupt(self, prompt_id: str | None) -> bool:
        """Stop what runs: any prompt when None, else only that one; whether it was asked to."""
        running = self.queue.running()
        mine = prompt_id is None or not self.options.is_since("targeted")
        if not running or not (mine or running[0][1] == prompt_id):
            return False
        if self.faults.take("ignore_interrupt", running[0][1]):
            return False
        self.interrupts.request()
        return True

    def delete(self, prompt_id: str) -> bool:
        """Take one waiting prompt out of the queue; False when none of this id waits."""
        deleted = self.queue.delete(prompt_id)
        if deleted:
            self.journal.write("deleted", prompt_id=prompt_id)
        return deleted

    def cancel(self, prompt_id: str) -> bool:
        """Delete a waiting prompt or stop a running one; False when it is neither."""
        return self.delete(prompt_id) or (
            any(prompt[1] == prompt_id for prompt in self.queue.running())
            and self.interrupt(prompt_id)
        )

    def lose_everything(self) -> None:
        """What a killed and restarted server has lost: all but its input and output files."""
        running = self.queue.running()
        lost = [prompt[1] for prompt in running + self.queue.pending()]
        if running:
            self.interrupts.vanish()
        self.queue.forget_everything()
        self.cache.clear()
        self.folders.wipe_temp()
        self.faults.clear("worker_dead", "worker_stuck", "poisoned")
        self.current = (None, None)
        self.journal.write("lost", prompt_ids=lost)

    def restart(self, down_s: float = 0.0) -> threading.Event | None:
        """Lose what a restart loses, and cut every socket.

        With `down_s` connections are refused for so long: from the moment the answer is set.
        """
        is_shut = self.go_away(down_s) if down_s > 0 else None
        self.lose_everything()
        self.sockets.cut_all()
        return is_shut

    def _queue_changed(self) -> None:
        self.sockets.publish("status", {"status": self.queue_status()}, None)
