"""Somebody else at a server: has a prompt there all along, and notes what the server does."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from lab.real import graphs
from lab.real.comfyui_server import Comfy

LOOKS_EVERY_S = 0.1
#: More than can end between two looks.
N_LATEST = 6


@dataclass(frozen=True)
class Look:
    """What was seen last: what runs since when, and what waits behind it."""

    running: str = ""
    waiting: Sequence[str] = ()
    began_at: float = 0.0

    @property
    def age_s(self) -> float:
        """For how long it has been seen to run."""
        return time.time() - self.began_at


class Bystander(threading.Thread):
    """What a server's memory loses with it is kept here."""

    def __init__(self, comfy: Comfy, first_color: int) -> None:
        super().__init__(name=f"bystander of {comfy.url}", daemon=True)
        self.comfy = comfy
        self._color = first_color
        self._was_up = True
        self.looked = Look()
        self.leaves = threading.Event()
        #: When each prompt of theirs was taken, by its id.
        self.posted: dict[str, float] = {}
        #: What the server's history said of each prompt.
        self.history: dict[str, dict[str, Any]] = {}
        #: In which of the server's lives each prompt was executed.
        self.lives: dict[str, set[int]] = {}
        self.returned_at = 0.0
        self.next_prompt_at = 0.0

    def run(self) -> None:
        """Look again and again; once told to leave, post no more and see the last one end."""
        queued: list[str] = []
        while queued or not self.leaves.is_set():
            try:
                queued = self._look()
            except requests.RequestException:
                self._was_up, self.looked = False, Look()
            time.sleep(LOOKS_EVERY_S)

    def _look(self) -> list[str]:
        """Return which of their prompts run or wait."""
        life, now = self.comfy.n_starts, time.time()
        running, waiting = self.comfy.queue()
        # Last, so that what has left the queue is in it.
        latest = self.comfy.history(N_LATEST)
        if not self._was_up:
            self._was_up, self.returned_at = True, now
        self.history |= latest
        self._note(running[0] if running else "", waiting, now)
        for prompt_id in [*latest, *running]:
            self.lives.setdefault(prompt_id, set()).add(life)
        if self.returned_at and not self.next_prompt_at and not self._are_mine(running + waiting):
            self.next_prompt_at = now
        queued = [each for each in running + waiting if each in self.posted]
        if not queued and not self.leaves.is_set():
            self._color += 1
            queued = [self.comfy.post(graphs.foreign_prompt(self._color), "somebody")]
            self.posted[queued[0]] = time.time()
        return queued

    def _note(self, running: str, waiting: Sequence[str], now: float) -> None:
        began_at = self.looked.began_at if running == self.looked.running else now
        self.looked = Look(running, waiting, began_at)

    def _are_mine(self, prompt_ids: list[str]) -> bool:
        return self.posted.keys() >= set(prompt_ids)

    def ran(self, prompt_id: str) -> tuple[float, float]:
        """Return from when to when a prompt ran, by the server's clock; zeros when unknown."""
        messages = self.history.get(prompt_id, {}).get("status", {}).get("messages", [])
        times = [said["timestamp"] / 1000 for _, said in messages if "timestamp" in said]
        return (min(times), max(times)) if times else (0.0, 0.0)

    def outcome(self, prompt_id: str) -> str:
        """Return `success` or `error` as the server's history has it; nothing when it has none."""
        return str(self.history.get(prompt_id, {}).get("status", {}).get("status_str", ""))
