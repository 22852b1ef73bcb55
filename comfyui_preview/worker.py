"""The one worker of a preview server: takes prompts in order and runs each to its end."""

import threading
import time

from comfyui_preview import faulty_outputs
from comfyui_preview.execution import Execution
from comfyui_preview.interrupts import Vanished
from comfyui_preview.queue import Item
from comfyui_preview.shared_state import Engine

LOOK_S = 0.2


class Worker(threading.Thread):
    """A thread that executes one prompt at a time until the engine is stopping."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="preview-worker", daemon=True)
        self._engine = engine

    def run(self) -> None:
        """Execute what is queued; between two prompts do what /free asked for."""
        while not self._engine.stopping.is_set():
            self._engine.interrupts.reset()
            self._wait_while("worker_dead")
            item = self._engine.queue.get(LOOK_S, lambda: self._has("worker_dead"))
            if item is not None:
                self._wait_while("worker_stuck")
            # a restart meanwhile has forgotten it
            if item is not None and item[1] in [known[1] for known in self._engine.queue.running()]:
                self._execute(item)
            self._free()

    def _has(self, fault: str) -> bool:
        return self._engine.faults.take(fault) is not None

    def _wait_while(self, fault: str) -> None:
        while self._has(fault) and not self._engine.stopping.is_set():
            self._engine.stopping.wait(LOOK_S)

    def _execute(self, item: Item) -> None:
        engine, prompt_id, started = self._engine, item[1], time.monotonic()
        engine.journal.write("started", prompt_id=prompt_id, number=item[0])
        faulty_outputs.take_inputs(engine, prompt_id, item[2])
        execution = Execution(engine, item)
        try:
            entry = faulty_outputs.history_entry(engine, prompt_id, execution.run())
        except Vanished:
            engine.journal.write("finished", prompt_id=prompt_id, outcome="vanished")
            return
        if fault := engine.faults.take("history_gap_s", prompt_id):
            engine.stopping.wait(fault.seconds())
        evicted = engine.faults.take("evict_history", prompt_id) is not None
        seconds = round(time.monotonic() - started, 4)
        outcome = execution.outcome()
        engine.journal.write("finished", prompt_id=prompt_id, outcome=outcome, seconds=seconds)
        if engine.interrupts.gone():
            return
        engine.queue.finish(None if evicted else entry)
        execution.progress.end()

    def _free(self) -> None:
        if self._engine.free_memory.is_set():
            self._engine.free_memory.clear()
            self._engine.cache.clear()
