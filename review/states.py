"""The decisions that people take about a version: from which states, and to which.

::

    approve   to_review, retake, superseded ──► approved
    retake    to_review ──► retake
    reopen    approved ──► to_review
    undo      whatever the last decision on it made ──► whatever it was before
    comment   changes nothing
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


#: From which states a decision leads where; an undo leads where the one that it undoes came from.
FROM: Mapping[Decision, frozenset[ReviewState]] = {
    Decision.APPROVE: frozenset(
        {ReviewState.TO_REVIEW, ReviewState.RETAKE, ReviewState.SUPERSEDED}
    ),
    Decision.RETAKE: frozenset({ReviewState.TO_REVIEW}),
    Decision.REOPEN: frozenset({ReviewState.APPROVED}),
}
TO: Mapping[Decision, ReviewState] = {
    Decision.APPROVE: ReviewState.APPROVED,
    Decision.RETAKE: ReviewState.RETAKE,
    Decision.REOPEN: ReviewState.TO_REVIEW,
}
#: What can be undone.
UNDOABLE = tuple(TO)
#: What needs words.
WORDED = frozenset({Decision.RETAKE, Decision.REOPEN, Decision.COMMENT})


class Door(StrEnum):
    """Where a decision came in."""

    API = "api"  #: A frontend's request.
    TABLE = "table"  #: The light table.
    LINK = "link"  #: A guest's link.
    COMMAND = "command"  #: A command on the console.
    FILE = "file"  #: A table that was read back in.
