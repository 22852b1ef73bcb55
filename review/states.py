"""The decisions that people take about a version: from which states, and to which.

::

    approve   to_review, retake, superseded ──► approved
    retake    to_review ──► retake
    reopen    approved ──► to_review
    undo      whatever the last decision on it made ──► whatever it was before
    comment   changes nothing

    advise_approve, advise_retake    change nothing: what somebody would decide who may not, until
                                     somebody who may takes it over
"""

from collections.abc import Mapping
from enum import StrEnum

from generation.states import ReviewState


class Decision(StrEnum):
    """What is decided about a version."""

    APPROVE = "approve"  #: It is the one of its plan; the plan's others are superseded.
    RETAKE = "retake"  #: It is to be made again: the comment says what is to be better.
    REOPEN = "reopen"  #: What was approved is to be decided on again: the comment says why.
    UNDO = "undo"  #: The last decision on it is taken back, and all that it changed.
    COMMENT = "comment"  #: Somebody says something about it.
    ADVISE_APPROVE = "advise_approve"  #: Somebody would approve it.
    ADVISE_RETAKE = "advise_retake"  #: Somebody would have it made again.


#: From which states a decision leads where; an undo leads where the one that it undoes came from.
FROM: Mapping[Decision, frozenset[ReviewState]] = {
    Decision.APPROVE: frozenset(
        {ReviewState.TO_REVIEW, ReviewState.RETAKE, ReviewState.SUPERSEDED}
    ),
    Decision.RETAKE: frozenset({ReviewState.TO_REVIEW}),
    Decision.REOPEN: frozenset({ReviewState.APPROVED}),
    Decision.ADVISE_APPROVE: frozenset({ReviewState.TO_REVIEW}),
    Decision.ADVISE_RETAKE: frozenset({ReviewState.TO_REVIEW}),
}
TO: Mapping[Decision, ReviewState] = {
    Decision.APPROVE: ReviewState.APPROVED,
    Decision.RETAKE: ReviewState.RETAKE,
    Decision.REOPEN: ReviewState.TO_REVIEW,
}
#: What each advice becomes when somebody takes it over who may decide.
ADVICE: Mapping[Decision, Decision] = {
    Decision.ADVISE_APPROVE: Decision.APPROVE,
    Decision.ADVISE_RETAKE: Decision.RETAKE,
}
#: What changes no state.
UNMOVING = frozenset({Decision.COMMENT, *ADVICE})
#: What can be undone.
UNDOABLE = tuple(TO)
#: What needs words.
WORDED = frozenset({Decision.RETAKE, Decision.REOPEN, Decision.COMMENT, Decision.ADVISE_RETAKE})


class Door(StrEnum):
    """Where a decision came in."""

    API = "api"  #: A frontend's request.
    TABLE = "table"  #: The light table.
    LINK = "link"  #: A guest's link.
    COMMAND = "command"  #: A command on the console.
    FILE = "file"  #: A table that was read back in.
