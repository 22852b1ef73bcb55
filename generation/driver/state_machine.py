"""What follows for an attempt: from its stage, what was observed and the time, to its next stage.

Pure: nothing is asked, written or waited for here. `FlightControl` observes, and has effects done.

==========  ============================  ==========  ==========================================
stage       observed                      next        effects
==========  ============================  ==========  ==========================================
Preparing   claimed                       Preparing   build the graph; it cannot be: fail
            its turn, no panel there      Preparing   upload the panel
            its turn                      Posting     post
            a twin of its server first    Preparing   (a moment later)
            server stands aside           Ended       step back: queued again
            panel uploaded                Preparing   use it (then it is its turn)
            panel not uploaded            Preparing   pause the server; after 3 errors: fail
            our own disk: read again      Preparing   (at once); else fail
            cancel                        Ended       stop; posted before: Stopping, take off
Posting     accepted, or found in queue   Running     acknowledge ("reposted" the second time)
            accepted in part              Ended       take off, turn away
            refused                       Ended       turn away: another server, or in error
            panel vanished                Preparing   forget panels; the second time: fail
            not sent                      Preparing   pause the server; denied 3 times: fail
            no answer, or an error        Posting     pause the server; then look for it
            found in history              Running     acknowledge, judge the history again
            absent twice, nowhere         Preparing   post the same id again; too often: fail
            absent twice, its file there  Fetching    fetch the file
            absent twice, address split   Ended       step back
Running     in queue                      Running     a second copy of it is deleted
            in queue, but hung            Stopping    note, remember, take off
            in queue, server is dead      Ended       fail: the server is set aside
            in queue behind a stranger    Running     make way, if all of ours wait for long
            succeeded                     Fetching    fetch; without any file: fail
            failed, interrupted           Ended       fail; lose (queued again)
            absent twice, its file there  Fetching    fetch the file
            absent twice                  Ended       lose: queued again
Stopping    in queue                      Stopping    take off; deaf for long: fail
            ended, or gone                Ended       stop; hung: fail
            succeeded, though hung        Fetching    fetch
Fetching    fetched                       Publishing  reserve the numbers
            fetched, another's or size    Ended       discard, fail
            not to be had now             Running     pause the server; after 3 errors: fail
            unreadable                    Fetching    fetch once more; then fail
            our own disk is short         Running     note; later and later
            the file is gone              Ended       fail; found without a history: lose
Publishing  reserved                      Ended       publish
            a cancel came first           Ended       discard, stop
            no number is left             Ended       discard, fail
(on server  absent                        the same    look again, soon; enough: search by prefix)
(on server  history or file is an error   the same    pause the server; after 3: as if absent)
(on server  socket: it has ended; lost    the same    look at once; look sooner)
(any        cancel                        Stopping    take off; Fetching: Ended, stop)
(any        closed by somebody else       Ended       let go)
==========  ============================  ==========  ==========================================

So a prompt that is *absent twice* is posted again if no sign of it ever came, else looked for by
its file and only then lost. A *cancel while it is fetched* ends it: what the thread brings is
discarded; one that comes during Publishing is decided by the transaction that reserves. When the
*lease is lost*, every effect that writes raises `Fenced`, the driver leaves, and its successor
adopts what is open: reserved → Publishing, acknowledged → Running, else → Posting (look first).
"""

from collections.abc import Callable
from typing import Any

from generation.driver.delivery_rules import fetching, publishing
from generation.driver.effects import LetGo
from generation.driver.next_steps import Step, end
from generation.driver.observations import AttemptClosed, Observation
from generation.driver.running_rules import running, stopping
from generation.driver.stages import (
    Ended,
    Fetching,
    Posting,
    Preparing,
    Publishing,
    Running,
    Stage,
    Stopping,
)
from generation.driver.submission_rules import posting, preparing

_RULES: dict[type, Callable[[Any, Observation, float], Step]] = {
    Preparing: preparing,
    Posting: posting,
    Running: running,
    Stopping: stopping,
    Fetching: fetching,
    Publishing: publishing,
}


def decide(stage: Stage, observed: Observation, now: float) -> Step:
    """Return the next stage, and what is to be done, in this order.

    What means nothing in a stage changes nothing. `now` is the time that the stage's times are of.
    """
    if isinstance(stage, Ended):
        return stage, ()
    if isinstance(observed, AttemptClosed):
        return end(LetGo())
    return _RULES[type(stage)](stage, observed, now)
