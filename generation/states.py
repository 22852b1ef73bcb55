"""The states of a plan's run, of a batch, an attempt and a version, and what may follow what.

A PlanRun of mode auto, and of mode manuel::

    queued ──────► running ──────► done              waiting ──────► done
      ▲  │          │  │  │         ▲                   │              ▲
      │  ├─► error ◄┘  │  └► queued │ upload            └► cancelled   │ upload
      │  │    │        │            │                        │         │
      │  └────┼──► cancelled   queued, error                 └► waiting (retry)
      └───────┴────────┘ (retry)

A Batch is never given a state: `batch_state` derives it from its counters.

What the review of a Version has come to, and what leads there; each decision can be undone::

    to_review ──► approved ──► superseded     another one of its plan is approved
      ▲  │  ▲        │  ▲          │ ▲
      │  │  └────────┘  └──────────┘ │
      │  ▼  it is reopened           │
      retake ────────────────────────┘        a newer one is published
"""

from collections.abc import Mapping
from enum import StrEnum


class Mode(StrEnum):
    """How the plans of a batch get their images."""

    AUTO = "auto"  #: ComfyUI renders them.
    MANUEL = "manuel"  #: Artists upload them.


class RunState(StrEnum):
    """Where one plan is on its way through one batch."""

    QUEUED = "queued"  #: It is to be rendered, as soon as a server is free for it.
    WAITING = "waiting"  #: It waits for an artist's upload.
    RUNNING = "running"  #: An attempt at it is on a server.
    DONE = "done"  #: Its image is published.
    ERROR = "error"  #: It failed, and says why; retry queues it again.
    CANCELLED = "cancelled"  #: Somebody cancelled it; retry queues it again.


FINISHED = frozenset({RunState.DONE, RunState.ERROR, RunState.CANCELLED})
UNFINISHED = frozenset(RunState) - FINISHED
#: What a retry may queue again.
RETRYABLE = frozenset({RunState.ERROR, RunState.CANCELLED})
FIRST: Mapping[Mode, RunState] = {Mode.AUTO: RunState.QUEUED, Mode.MANUEL: RunState.WAITING}

#: What may follow each state of a PlanRun.
FOLLOWS: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset(
        {RunState.RUNNING, RunState.DONE, RunState.ERROR, RunState.CANCELLED}
    ),
    RunState.WAITING: frozenset({RunState.DONE, RunState.CANCELLED}),
    RunState.RUNNING: frozenset(
        {RunState.DONE, RunState.ERROR, RunState.CANCELLED, RunState.QUEUED}
    ),
    RunState.DONE: frozenset({RunState.DONE}),
    RunState.ERROR: frozenset({RunState.QUEUED, RunState.WAITING, RunState.DONE}),
    RunState.CANCELLED: frozenset({RunState.QUEUED, RunState.WAITING}),
}


def states_before(state: RunState) -> frozenset[RunState]:
    """Return the states that `state` may follow."""
    return frozenset(source for source, targets in FOLLOWS.items() if state in targets)


class BatchState(StrEnum):
    """What a batch says of itself; the specification names four, `cancelled` is our fifth."""

    STARTED = "started"  #: Accepted; no plan has left its first state yet.
    RUNNING = "running"  #: Some plans are not finished.
    DONE = "done"  #: Every plan that was not cancelled is done.
    ERROR = "error"  #: Finished, and at least one plan failed.
    CANCELLED = "cancelled"  #: Finished by a cancel, or every plan was cancelled.


class AttemptOutcome(StrEnum):
    """How one prompt on one server ended."""

    OPEN = "open"  #: It is still under way.
    DONE = "done"  #: Its image is published.
    ERROR = "error"  #: It failed.
    CANCELLED = "cancelled"  #: It was stopped on request.
    LOST = "lost"  #: The server forgot it; its plan queues again.
    REFUSED = "refused"  #: The server lacks something for it; its plan queues again.
    ABANDONED = "abandoned"  #: Its server was given up; what it still brings is dropped.


class VersionState(StrEnum):
    """Whether a version's file can be read yet."""

    RESERVED = "reserved"  #: Its number is taken, its file lies in staging; it will be published.
    PUBLISHED = "published"  #: Its file lies under its final name.
    OPEN = "open"  #: Its image was lost before it was published: the plan's next one takes it.


class ReviewState(StrEnum):
    """What a version's review has come to; versions of tasks that nobody reviews have none."""

    TO_REVIEW = "to_review"  #: Nobody has decided on it.
    APPROVED = "approved"  #: It is the one of its plan, which is locked.
    RETAKE = "retake"  #: It is to be made again, and better.
    SUPERSEDED = "superseded"  #: Another one of its plan took its place.


#: What of a plan's versions still counts.
STANDING = frozenset(ReviewState) - {ReviewState.SUPERSEDED}


class WaitReason(StrEnum):
    """Why a queued plan is not running."""

    TURN = ""  #: Its turn has not come.
    PANEL = "panel"  #: Its workflow starts from a panel and the plan has none yet.
    UPLOAD = "upload"  #: An image uploaded for it is being published.


class PlanStatus(StrEnum):
    """Whether a plan is still to be made; what was asked for before is not touched by it."""

    ACTIVE = "active"  #: It is in production.
    ON_HOLD = "on_hold"  #: It is not to be made for now: no new run.
    OMITTED = "omitted"  #: It is no longer in the film: no new run; nothing of it is deleted.


class ServerHealth(StrEnum):
    """What we last saw of a server."""

    UNKNOWN = "unknown"  #: It was never asked.
    UP = "up"  #: It answers.
    DOWN = "down"  #: It does not answer; its driver tries again.


def is_unfinished(counts: Mapping[RunState, int]) -> bool:
    """Tell whether something is still to come, from how many runs are in each state."""
    return any(counts.get(state, 0) for state in UNFINISHED)


def batch_state(
    counts: Mapping[RunState, int], *, has_started: bool, cancel_requested: bool
) -> BatchState:
    """Derive a batch's state from how many of its runs are in each state: the first that fits."""
    if is_unfinished(counts):
        return BatchState.RUNNING if has_started else BatchState.STARTED
    if cancel_requested:
        return BatchState.CANCELLED
    if counts.get(RunState.ERROR, 0):
        return BatchState.ERROR
    if counts.get(RunState.DONE, 0):
        return BatchState.DONE
    return BatchState.CANCELLED
