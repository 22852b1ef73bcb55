"""Every transition of a plan's run: one function each, in one transaction, with its log entry.

=====================  ==============================  ===========================
function               from                            to
=====================  ==============================  ===========================
claim                  queued                          running
acknowledge, advance   running                         running
complete               running, queued, waiting,       done
                       error, done
fail                   running                         queued, error (or cancelled)
fail_alike             queued                          error
lose, abandon,         running                         queued (or cancelled)
lose_interrupted,
turn_away, lose_staged
stop                   running                         cancelled
give_up                running                         error (or cancelled)
cancel, hold_up        queued, waiting (and running    cancelled
                       where no driver can answer, or
                       the image cannot be stored)
retry                  error, cancelled                queued, waiting
unblame                error, queued                   queued
release_panel          queued                          queued (its panel is there)
=====================  ==============================  ===========================

And what is decided on versions: `review` moves them under the locks of their plans.

A function that returns False or None lost a race, which is normal; nothing was written then.
"""

from generation.services.transitions.cancelling import Cancelled, cancel, settle_cancel
from generation.services.transitions.driving import (
    BY_HAND,
    acknowledge,
    advance,
    claim,
    complete,
    note,
    note_once,
    publish_alone,
    recognise,
    rewrite_graph,
    set_graph,
    stop,
)
from generation.services.transitions.failing import (
    abandon,
    fail,
    fail_alike,
    lose,
    lose_interrupted,
    lose_staged,
    step_back,
    turn_away,
)
from generation.services.transitions.held_up_versions import (
    give_up,
    hold_up,
    locked_plan,
    resume,
    tell_found,
    unreserve,
)
from generation.services.transitions.requeueing import release_panel, retry, unblame
from generation.services.transitions.reviewing import UnderReview, review

__all__ = [
    "BY_HAND",
    "Cancelled",
    "UnderReview",
    "abandon",
    "acknowledge",
    "advance",
    "cancel",
    "claim",
    "complete",
    "fail",
    "fail_alike",
    "give_up",
    "hold_up",
    "locked_plan",
    "lose",
    "lose_interrupted",
    "lose_staged",
    "note",
    "note_once",
    "publish_alone",
    "recognise",
    "release_panel",
    "resume",
    "retry",
    "review",
    "rewrite_graph",
    "set_graph",
    "settle_cancel",
    "step_back",
    "stop",
    "tell_found",
    "turn_away",
    "unblame",
    "unreserve",
]
