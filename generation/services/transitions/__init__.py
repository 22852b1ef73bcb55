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
turn_away, step_back,
requeue_lost_staged
give_up                running                         error (or cancelled)
cancel, hold_up        queued, waiting (and running    cancelled
                       where no driver can answer, or
                       the image cannot be stored)
cancel_unanswered,     running, asked to stop          cancelled
stop
retry                  error, cancelled                queued, waiting
unblame                error, queued                   queued
release_panel          queued                          queued (its panel is there)
=====================  ==============================  ===========================

And what is decided on versions: `review` moves them under the locks of their plans.

A function that returns False or None lost a race, which is normal; nothing was written then.
"""

from generation.services.transitions.cancelling import CancelCounts, cancel, cancel_unanswered, stop
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
)
from generation.services.transitions.failing import (
    abandon,
    fail,
    fail_alike,
    lose,
    lose_interrupted,
    requeue_lost_staged,
    step_back,
    turn_away,
)
from generation.services.transitions.held_up_versions import (
    give_up,
    hold_up,
    plan_for_update,
    resume,
    tell_found,
    unreserve,
)
from generation.services.transitions.requeueing import release_panel, retry, unblame
from generation.services.transitions.reviewing import UnderReview, review

__all__ = [
    "BY_HAND",
    "CancelCounts",
    "UnderReview",
    "abandon",
    "acknowledge",
    "advance",
    "cancel",
    "cancel_unanswered",
    "claim",
    "complete",
    "fail",
    "fail_alike",
    "give_up",
    "hold_up",
    "lose",
    "lose_interrupted",
    "note",
    "note_once",
    "plan_for_update",
    "publish_alone",
    "recognise",
    "release_panel",
    "requeue_lost_staged",
    "resume",
    "retry",
    "review",
    "rewrite_graph",
    "set_graph",
    "step_back",
    "stop",
    "tell_found",
    "turn_away",
    "unblame",
    "unreserve",
]
