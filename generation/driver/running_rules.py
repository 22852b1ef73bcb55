"""The state machine's rules while a prompt is on its server: Running, Stopping, and all alike."""

from dataclasses import replace
from typing import Any

from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver import timeouts
from generation.driver.effects import Effect
from generation.driver.next_steps import ERRORS_MOST, Step, end, end_untold, fail
from generation.driver.observations import Observation
from generation.driver.stages import (
    Fetching,
    OnServer,
    Running,
    Stopping,
    Timers,
    is_acknowledged,
)
from generation.failures import failure
from generation.models.version import PICTURES_MAX
from wording import say

LOOK_BLIND_S = 1.0
LOOK_RUNNING_S = 2.0
LOOK_STOPPING_S = 0.5
LOOK_SOON_S = 0.1
#: A prompt counts as absent once it was missed for this long, in at least half of the looks that
#: fit into that time.
ABSENT_AGAIN_S = 3.0
LOOKS_ABSENT = 8
#: How many times longer a prompt may be missed at an address that is known to be split.
TIMES_LONGER = 10
GONE_AFTER = 2


def running(stage: Running, observed: Observation, now: float) -> Step:
    """Return what follows for an attempt that its server has acknowledged."""
    match observed:
        case seen.FoundInQueue():
            return _running_in_queue(stage, observed, now)
        case seen.FoundInHistory():
            running, proof = _seen_there(stage, has_ended=True)
            return _running_ended(running, observed, proof)
        case seen.NotToBeFound(left=files) if files:
            return Fetching(running=stage, files=files, is_left=True), (do.Fetch(files),)
        case seen.NotToBeFound() if stage.n_untold >= ERRORS_MOST:
            return end_untold()
        case seen.NotToBeFound() if stage.n_ungiven >= ERRORS_MOST:
            return fail("output_not_given", "")
        case seen.NotToBeFound():
            return end(do.Lose(say("it is neither in its queue nor in its history")))
    return on_server(stage, observed, now)


def _running_in_queue(stage: Running, observed: seen.FoundInQueue, now: float) -> Step:
    running, effects = _seen_in_queue(stage, observed, now + observed.look_after_s)
    timers = timeouts.timers_after(stage.timers, observed, now)
    running = replace(running, timers=timers)
    why = timeouts.judge(timers, observed, now)
    if why is None:
        return running, effects
    if why.code == "occupied":
        return running, (*effects, do.YieldServer(timers.behind, why))
    if why.code != "hung":
        return end(*effects, do.Fail(why))
    quiet_s = round(now - (timers.quiet_since or now))
    note = do.Note("hung", {"seconds": quiet_s})
    stopping = replace(_stopping_now(running, now), verdict=why, told_at=now)
    return stopping, (*effects, note, do.RememberTimers(), do.TakeOff())


def _running_ended(
    running: Running, observed: seen.FoundInHistory, before: tuple[Effect, ...]
) -> Step:
    if observed.why is not None:
        return end(*before, do.Fail(observed.why))
    if observed.outcome == "interrupted":
        return end(*before, do.LoseInterrupted())
    if not observed.files:
        words = say("The prompt succeeded, but its SaveImage node left no file.")
        return end(*before, do.Fail(failure("no_output", words)))
    if len(observed.files) > PICTURES_MAX:
        words = say(
            "The prompt saved {n} pictures, and {most} are the most.",
            n=len(observed.files),
            most=PICTURES_MAX,
        )
        return end(*before, do.Fail(failure("too_many_pictures", words)))
    fetching = Fetching(running=running, files=observed.files, render_s=observed.render_s)
    return fetching, (*before, do.Fetch(observed.files))


# Stopping -----------------------------------------------------------------------------------------


def stopping(stage: Stopping, observed: Observation, now: float) -> Step:
    """Return what follows for an attempt that is being taken off its server."""
    match observed:
        case seen.FoundInQueue():
            stage, effects = _seen_in_queue(stage, observed, now + LOOK_STOPPING_S)
            if stage.verdict is not None and now - stage.told_at > timeouts.DEAF_S:
                # One that runs out for somebody else's sake was never told to stop.
                left = do.Fail(stage.verdict, is_left=True, is_deaf=not stage.runs_out)
                return end(*effects, left)
            return stage, (*effects, do.TakeOff(is_told=stage.runs_out))
        case seen.FoundInHistory(outcome="success") if stage.verdict is not None:
            running = Running(due_at=now, n_untold=stage.n_untold, n_ungiven=stage.n_ungiven)
            return _running_ended(running, observed, ())
        case seen.FoundInHistory() | seen.NotToBeFound():
            return _stopped(stage)
        case seen.PromptTakenOff(runs_out=True):
            due_at = max(stage.due_at, now + LOOK_RUNNING_S)
            return replace(stage, runs_out=True, due_at=due_at), ()
        case seen.PromptTakenOff() if stage.runs_out:
            return replace(stage, runs_out=False, told_at=now), ()
    return on_server(stage, observed, now)


def _stopping_now(stage: OnServer, now: float) -> Stopping:
    return Stopping(
        due_at=now + LOOK_SOON_S,
        has_ended=stage.has_ended,
        absence=replace(stage.absence, since=None),
        n_untold=stage.n_untold,
        n_ungiven=stage.n_ungiven,
        was_acknowledged=is_acknowledged(stage),
        timers=stage.timers if isinstance(stage, Running) else Timers(),
    )


def _stopped(stage: Stopping) -> Step:
    return end(do.EndCancelled() if stage.verdict is None else do.Fail(stage.verdict))


# Posting, Running and Stopping alike --------------------------------------------------------------


def on_server(stage: OnServer, observed: Observation, now: float) -> Step:
    """Return what follows alike for whatever is, or may be, on its server."""
    match observed:
        case seen.EndHeard():
            return replace(stage, has_ended=True, due_at=now), ()
        case seen.SocketLost():
            return replace(stage, due_at=min(stage.due_at, now + LOOK_BLIND_S)), ()
        case seen.PromptNotThere(is_split=is_split):
            return _missed(stage, is_split, now)
        case seen.HistoryBroken():
            stage = replace(stage, n_untold=stage.n_untold + 1)
            if stage.n_untold < ERRORS_MOST:
                return stage, (do.PauseServer(observed.error),)
            # What counts then is whether it left its file.
            return _missed(stage, observed.is_split, now)
        case seen.LeftFileUnreadable():
            stage = replace(stage, n_ungiven=stage.n_ungiven + 1)
            if stage.n_ungiven < ERRORS_MOST:
                return stage, (do.PauseServer(observed.error),)
            return stage, (do.Observe(seen.NotToBeFound(is_split=observed.is_split)),)
        case seen.CancelRequested() if not isinstance(stage, Stopping):
            return _stopping_now(stage, now), (do.TakeOff(),)
    return stage, ()


def _seen_there(stage: Any, *, has_ended: bool = False) -> tuple[Any, tuple[Effect, ...]]:
    """Have it missed no more; there, gone and there again, it is on one of two servers.

    A history may be late, so an entry in it counts from the second time on.
    """
    absence = stage.absence
    was_there = absence.was_in_history if has_ended else is_acknowledged(stage)
    proof = (do.ProveSplit(),) if was_there and absence.n_missed else ()
    seen_again = replace(absence, n_missed=0, was_in_history=absence.was_in_history or has_ended)
    return replace(stage, absence=seen_again), proof


def _seen_in_queue(
    stage: Any, observed: seen.FoundInQueue, due_at: float
) -> tuple[Any, tuple[Effect, ...]]:
    stage, proof = _seen_there(stage)
    absence = replace(stage.absence, since=None)
    copies = (do.DeleteDoubledPrompt(),) if observed.n_copies > 1 else ()
    return replace(stage, absence=absence, has_ended=False, due_at=due_at), (*proof, *copies)


def _missed(stage: OnServer, is_split: bool, now: float) -> Step:
    n_missed = stage.absence.n_missed + (not stage.has_ended)
    since = stage.absence.since
    absence = replace(stage.absence, n_missed=n_missed, since=now if since is None else since)
    asks = (do.AskOnceMore(),) if not stage.has_ended and n_missed % 2 else ()
    is_stopping = isinstance(stage, Stopping) and stage.was_acknowledged
    if isinstance(stage, Stopping) and is_stopping and n_missed >= GONE_AFTER and not is_split:
        # The server had it and has it no more: it was deleted while it waited there.
        return _stopped(stage)
    if since is None:
        # The socket may be a moment ahead of the history.
        is_soon = stage.has_ended or is_stopping
        due_at = now + (LOOK_SOON_S if is_soon else ABSENT_AGAIN_S / LOOKS_ABSENT)
        return replace(stage, absence=absence, due_at=due_at), asks
    is_long = now - since >= ABSENT_AGAIN_S * (TIMES_LONGER if is_split else 1)
    if not is_long or n_missed < LOOKS_ABSENT // 2:
        due_at = now + ABSENT_AGAIN_S / LOOKS_ABSENT
        return replace(stage, absence=absence, due_at=due_at, has_ended=False), asks
    if isinstance(stage, Stopping):
        return _stopped(stage)
    return replace(stage, absence=absence), (*asks, do.SearchByPrefix())
