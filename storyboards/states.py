"""The states of a storyboard that came in, and how a board stands to the plans that there are.

An import::

    reading ──► draft ──► confirmed
       └──► failed
"""

from collections.abc import Mapping
from enum import StrEnum


class ImportState(StrEnum):
    """How far a storyboard has come."""

    READING = "reading"  #: It is being read, or waits for its turn.
    DRAFT = "draft"  #: It is read, and a person looks it over.
    CONFIRMED = "confirmed"  #: Its plans are made; it is kept as it was confirmed.
    FAILED = "failed"  #: It cannot be read, and says why.


#: What may follow each state of an import.
FOLLOWS: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.READING: frozenset({ImportState.DRAFT, ImportState.FAILED}),
    ImportState.DRAFT: frozenset({ImportState.CONFIRMED}),
    ImportState.CONFIRMED: frozenset(),
    ImportState.FAILED: frozenset(),
}


class Change(StrEnum):
    """What a draft's board would do to the plan that it is for."""

    ADDED = "added"  #: The plan is new.
    CHANGED = "changed"  #: Its picture or its texts are others.
    MOVED = "moved"  #: It stands elsewhere in the order of the episode.
    SAME = "same"  #: Nothing.
    LEFT_OUT = "left_out"  #: The board is not selected: it makes no plan.
