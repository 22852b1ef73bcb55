"""When a prompt that makes no progress is given up. Source: protocol.md §14, §16.30.

How long a workflow's plans take is learnt from those that were rendered; the socket's messages
count as progress. A prompt that waits behind somebody else's is not hurried, but does not wait for
ever either. What was watched of a prompt is handed on to the next driver: most limits are longer
than a driver's turn.
"""

from dataclasses import replace
from time import monotonic

from django.conf import settings

from generation.driver.observations import FoundInQueue, ProgressLimits
from generation.driver.stages import Running, Stopping, Timers
from generation.errors import PlanFailure
from generation.failures import failure
from generation.models import Attempt
from generation.services import render_times
from generation.services.render_times import Watched
from wording import say

#: So many times longer than it ever took is too long.
TIMES_LONGEST = 5
#: Of a workflow that has never been rendered nothing is known: its models have to be loaded too.
TIMES_UNKNOWN = 3
#: So long after it was told to stop, a prompt that still runs hears nothing.
DEAF_S = 20.0


def timers_after(timers: Timers, observed: FoundInQueue, now: float) -> Timers:
    """Return the timers after one look at the queue."""
    quiet_since = timers.quiet_since
    if observed.heard_at is not None:
        quiet_since = max(observed.heard_at, quiet_since or 0.0)
    elif observed.is_running and quiet_since is None:
        quiet_since = now
    idle_since = None if observed.runs_any else timers.idle_since or now
    if observed.foreign == timers.behind:
        return replace(timers, quiet_since=quiet_since, idle_since=idle_since)
    behind_since = now if observed.foreign else None
    return Timers(quiet_since, idle_since, observed.foreign, behind_since)


def judge(timers: Timers, observed: FoundInQueue, now: float) -> PlanFailure | None:
    """Return what is wrong with a prompt that is on the server; None when it is fine."""
    limits = observed.limits
    if timers.idle_since is not None and now - timers.idle_since > limits.dead_s:
        return failure(
            "worker_dead",
            say("It waited for {dead_s:.0f} s while nothing ran there.", dead_s=limits.dead_s),
        )
    if observed.is_running and timers.quiet_since is not None:
        quiet_s = now - timers.quiet_since
        if quiet_s > limits.hung_s:
            return _hung(quiet_s)
    if timers.behind_since is not None and now - timers.behind_since > limits.unknown_s:
        words = say(
            "Somebody else's prompt has run there for {behind_s:.0f} s.",
            behind_s=now - timers.behind_since,
        )
        return failure("occupied", words)
    return None


def _hung(quiet_s: float) -> PlanFailure:
    return failure("hung", say("No progress for {quiet_s:.0f} s.", quiet_s=quiet_s))


class LimitsByWorkflow:
    """The limits of one driver's prompts, read once for each workflow."""

    def __init__(self) -> None:
        self._limits: dict[int, ProgressLimits] = {}

    def limits(self, attempt: Attempt) -> ProgressLimits:
        """Return how long an attempt's prompt may make no progress."""
        workflow_id = attempt.run.workflow_id or 0
        if workflow_id not in self._limits:
            unknown_s = float(TIMES_UNKNOWN * settings.MADSEA_HUNG_S)
            longest = render_times.longest_s(workflow_id)
            hung_s = max(settings.MADSEA_HUNG_S, TIMES_LONGEST * longest) if longest else unknown_s
            dead_s = float(settings.MADSEA_WORKER_DEAD_S)
            self._limits[workflow_id] = ProgressLimits(hung_s, unknown_s, dead_s)
        return self._limits[workflow_id]


def remember(attempt: Attempt, stage: Running | Stopping, heard_at: float | None) -> None:
    """Write down what was watched of an attempt, for the next driver."""
    timers = stage.timers
    verdict = isinstance(stage, Stopping) and stage.verdict is not None
    watched = Watched(
        quiet_s=_since(max(timers.quiet_since or 0.0, heard_at or 0.0) or None),
        idle_s=_since(timers.idle_since),
        behind=timers.behind,
        behind_s=_since(timers.behind_since),
        stopping_s=_since(stage.told_at) if isinstance(stage, Stopping) and verdict else None,
    )
    if watched != render_times.earlier_watch(attempt):
        render_times.remember(attempt, watched)


def recalled_stage(attempt: Attempt) -> Running | Stopping:
    """Return the stage of an acknowledged attempt where the driver before left off."""
    now, watched = monotonic(), render_times.earlier_watch(attempt)
    timers = Timers(
        quiet_since=now - watched.quiet_s if watched.quiet_s else None,
        idle_since=now - watched.idle_s if watched.idle_s else None,
        behind=watched.behind,
        behind_since=now - watched.behind_s if watched.behind else None,
    )
    if watched.stopping_s is None:
        return Running(due_at=now, timers=timers)
    told_at = now - watched.stopping_s
    verdict = _hung(watched.quiet_s)
    return Stopping(due_at=now, verdict=verdict, told_at=told_at, timers=timers)


def _since(at: float | None) -> float:
    return 0.0 if at is None else round(monotonic() - at, 1)
