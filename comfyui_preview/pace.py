"""How fast a preview server pretends to be: stretches sampling steps to a given time per plan."""

import time
from dataclasses import dataclass, field

from comfyui_preview.interrupts import Interrupts

# what is left of a plan's time after the last sampling step, for decoding and saving
TAIL = 0.1


@dataclass
class Pacer:
    """The time of one prompt. `seconds` None: no waiting at all. `samplers`: how many will run."""

    interrupts: Interrupts
    seconds: float | None
    samplers: int
    started: float = field(default_factory=time.monotonic)
    sampled: int = 0

    def step(self, value: int, maximum: int) -> None:
        """Wait until the end of a sampling step; raises when interrupted meanwhile."""
        share = (self.sampled + value / maximum) / max(self.samplers, 1)
        self._wait_until(share * (1 - TAIL))
        self.sampled += value == maximum

    def finish(self) -> None:
        """Wait until the plan's time is over; raises when interrupted meanwhile."""
        self._wait_until(1.0)

    def _wait_until(self, share: float) -> None:
        if self.seconds is None:
            self.interrupts.check()
        else:
            self.interrupts.wait(self.started + self.seconds * share - time.monotonic())
