"""Patience: when a prompt that makes no progress is given up. Source: protocol.md §14, §16.30.

How long a workflow's plans take is learnt from those that were rendered; the socket's messages
count as progress. A prompt that waits behind somebody else's is not hurried, but does not wait for
ever either. What was watched of a prompt is handed on to the next driver: most limits are longer
than a driver's turn.
"""

from collections.abc import Collection
from time import monotonic

from django.conf import settings

from generation.comfyui.client import is_addressable
from generation.comfyui.protocol import Queue
from generation.driver.flight import Flight, Stage
from generation.errors import PlanFailure
from generation.failures import failure
from generation.services import render_times
from generation.services.render_times import Watched

#: So many times longer than it ever took is too long.
TIMES_LONGEST = 5
#: Of a workflow that has never been rendered nothing is known: its models have to be loaded too.
TIMES_UNKNOWN = 3
#: So long after it was told to stop, a prompt that still runs hears nothing.
DEAF_S = 20.0


class Patience:
    """Judges what one look at the queue says of a flight that is there."""

    def __init__(self) -> None:
        self._limits: dict[int, float] = {}

    def judge(self, flight: Flight, queue: Queue, *, ours: Collection[str]) -> PlanFailure | None:
        """Return what is wrong with a prompt that is on the server; None when it is fine."""
        now = monotonic()
        self._look_before(flight, queue, ours)
        is_running = flight.prompt_id in queue.running
        if queue.running:
            flight.idle_since = None
        elif flight.idle_since is None:
            flight.idle_since = now
        if is_running and flight.running_since is None:
            flight.running_since = flight.heard_at = now
        if not queue.running and flight.idle_since and now - flight.idle_since > _dead_s():
            return failure("worker_dead", f"It waited for {_dead_s()} s while nothing ran there.")
        if is_running and now - flight.heard_at > self._limit_s(flight):
            return _hung(now - flight.heard_at)
        if flight.behind_since is not None and now - flight.behind_since > _unknown_s():
            words = f"Somebody else's prompt has run there for {now - flight.behind_since:.0f} s."
            return failure("occupied", words)
        return None

    @staticmethod
    def _look_before(flight: Flight, queue: Queue, ours: Collection[str]) -> None:
        """See whether it waits behind one and the same prompt of somebody else's."""
        others = (each for each in queue.running if each not in ours and is_addressable(each))
        foreign = next(others, "")
        if foreign != flight.behind:
            flight.behind, flight.behind_since = foreign, monotonic() if foreign else None

    def is_deaf(self, flight: Flight) -> bool:
        """Tell whether a prompt that hung has not obeyed either."""
        return flight.verdict is not None and monotonic() - flight.stopping_since > DEAF_S

    def remember(self, flight: Flight) -> None:
        """Write down what was watched of a flight, for the next driver."""
        seen = Watched(
            quiet_s=_since(flight.heard_at if flight.running_since is not None else None),
            idle_s=_since(flight.idle_since),
            behind=flight.behind,
            behind_s=_since(flight.behind_since),
            stopping_s=_since(flight.stopping_since) if flight.verdict is not None else None,
        )
        if seen != render_times.watched(flight.attempt):
            render_times.remember(flight.attempt, seen)

    def recall(self, flight: Flight) -> None:
        """Go on watching a flight where the driver before left off."""
        now, seen = monotonic(), render_times.watched(flight.attempt)
        if seen.quiet_s:
            flight.running_since = flight.heard_at = now - seen.quiet_s
        if seen.idle_s:
            flight.idle_since = now - seen.idle_s
        if seen.behind:
            flight.behind, flight.behind_since = seen.behind, now - seen.behind_s
        if seen.stopping_s is not None:
            flight.stage, flight.verdict = Stage.STOPPING, _hung(seen.quiet_s)
            flight.stopping_since = now - seen.stopping_s

    def _limit_s(self, flight: Flight) -> float:
        workflow_id = flight.attempt.run.batch.workflow_id or 0
        if workflow_id not in self._limits:
            longest = render_times.longest_s(workflow_id)
            floor = settings.MADSEA_HUNG_S
            known = max(floor, TIMES_LONGEST * longest) if longest else _unknown_s()
            self._limits[workflow_id] = known
        return self._limits[workflow_id]


def _unknown_s() -> float:
    seconds: float = TIMES_UNKNOWN * settings.MADSEA_HUNG_S
    return seconds


def _since(at: float | None) -> float:
    return 0.0 if at is None else round(monotonic() - at, 1)


def _hung(quiet_s: float) -> PlanFailure:
    return failure("hung", f"No progress for {quiet_s:.0f} s.")


def _dead_s() -> int:
    seconds: int = settings.MADSEA_WORKER_DEAD_S
    return seconds
