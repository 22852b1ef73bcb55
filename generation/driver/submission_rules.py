"""The state machine's rules before a prompt is on its server: Preparing and Posting."""

from dataclasses import replace
from math import inf

from generation.comfyui.errors import ANSWERED, ComfyError, Denied, TooLarge, Unreachable
from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver.next_steps import ERRORS_MOST, Step, end, end_untold, fail
from generation.driver.observations import Observation
from generation.driver.running_rules import LOOK_SOON_S, on_server
from generation.driver.stages import Absence, Fetching, Posting, Preparing, Running, Stopping
from generation.errors import Busy
from generation.failures import failure
from generation.storage import StorageError
from wording import say, words_of

LOOK_TWINS_S = 0.05
#: So long after too much was being decoded, a panel is tried again.
BUSY_S = 2.0
#: POSTs without any answer, after each of which the prompt was not there, though all else answered.
UNANSWERED_MOST = 10


def preparing(stage: Preparing, observed: Observation, now: float) -> Step:
    """Return what follows for an attempt that is not posted yet."""
    match observed:
        case seen.Claimed():
            return stage, (do.BuildGraph(),)
        case seen.GraphNotBuilt(why=why):
            return end(do.Fail(why))
        case seen.TurnCame(has_panel=has_panel) if has_panel or stage.submission.has_panel:
            return Posting(due_at=now, submission=stage.submission), (do.Post(),)
        case seen.TurnCame():
            return replace(stage, due_at=inf), (do.UploadPanel(),)
        case seen.TurnDelayed():
            return replace(stage, due_at=now + LOOK_TWINS_S), ()
        case seen.ServerStoodAside():
            return end(do.StepBack())
        case seen.PanelUploaded(name=name):
            submission = replace(stage.submission, has_panel=True)
            return Preparing(due_at=now, submission=submission), (do.UsePanel(name),)
        case seen.PanelNotUploaded():
            return _panel_not_uploaded(stage, observed, now)
        case seen.CancelRequested() if stage.submission.is_repost:
            # The first POST may come late.
            return Stopping(due_at=now + LOOK_SOON_S, was_acknowledged=False), (do.TakeOff(),)
        case seen.CancelRequested():
            return end(do.EndCancelled())
    return stage, ()


def _panel_not_uploaded(stage: Preparing, observed: seen.PanelNotUploaded, now: float) -> Step:
    problem, submission = observed.problem, stage.submission
    match problem:
        case Busy():
            return replace(stage, due_at=now + BUSY_S), ()
        case StorageError() if observed.is_settled:
            return replace(stage, due_at=now), ()
        case StorageError(is_permanent=False):
            return fail("storage_away", words_of(problem))
        case TooLarge():
            return fail("upload_refused", words_of(problem))
        case ComfyError():
            is_answered = isinstance(problem, ANSWERED)
            submission = replace(submission, n_refused=submission.n_refused + is_answered)
            if submission.n_refused >= ERRORS_MOST:
                return fail("upload_refused", words_of(problem))
            return Preparing(due_at=now, submission=submission), (do.PauseServer(problem),)
    return fail("panel_unreadable", words_of(problem))


# Posting ------------------------------------------------------------------------------------------


def posting(stage: Posting, observed: Observation, now: float) -> Step:
    """Return what follows for an attempt that is perhaps on its server."""
    match observed:
        case seen.PromptAccepted(look_after_s=after_s):
            event = "reposted" if stage.submission.is_repost else "posted"
            return Running(due_at=now + after_s), (do.Acknowledge(event),)
        case seen.PromptPartlyAccepted(refused=refused):
            return end(do.TakeOff(), do.TurnAway(refused, "partly_refused"))
        case seen.PromptRefused(refused=refused):
            return end(do.TurnAway(refused, "graph_refused"))
        case seen.PanelVanished():
            return _panel_vanished(stage, observed, now)
        case seen.PromptNotPosted(error=error):
            return _prompt_not_posted(stage, error, now)
        case seen.FoundInQueue(drops_result=True) | seen.FoundInHistory(drops_result=True):
            words = say("The server took the prompt without the node of its result.")
            return end(do.TakeOff(), do.Fail(failure("partly_refused", words)))
        case seen.FoundInQueue():
            copies = (do.DeleteDoubledPrompt(),) if observed.n_copies > 1 else ()
            running = _running_now(stage, now + observed.look_after_s)
            return running, (do.Acknowledge(), *copies)
        case seen.FoundInHistory():
            return _running_now(stage, now), (do.Acknowledge(), do.Observe(observed))
        case seen.NotToBeFound(left=files) if files:
            running = _running_now(stage, now)
            return Fetching(running=running, files=files, is_left=True), (do.Fetch(files),)
        case seen.NotToBeFound():
            return _never_there(stage, observed, now)
    return on_server(stage, observed, now)


def _running_now(stage: Posting, due_at: float) -> Running:
    absence = Absence(was_in_history=stage.absence.was_in_history)
    untold, ungiven = stage.n_untold, stage.n_ungiven
    return Running(due_at=due_at, absence=absence, n_untold=untold, n_ungiven=ungiven)


def _panel_vanished(stage: Posting, observed: seen.PanelVanished, now: float) -> Step:
    if observed.is_split:
        return end(do.StepBack())
    n_refused = stage.submission.n_refused + 1
    if n_refused > 1:
        return end(do.ForgetPanels(), do.Fail(failure("upload_refused", observed.words)))
    submission = replace(stage.submission, n_refused=n_refused, has_panel=False)
    return Preparing(due_at=now, submission=submission), (do.ForgetPanels(),)


def _prompt_not_posted(stage: Posting, error: ComfyError, now: float) -> Step:
    """Keep for later what cannot have got there; the rest is in doubt, and looked for."""
    submission = stage.submission
    said = words_of(error) if isinstance(error, ANSWERED) else ""
    pause = do.PauseServer(error)
    if isinstance(error, TooLarge):
        return fail("upload_refused", words_of(error))
    if isinstance(error, Denied):
        submission = replace(submission, n_answered=submission.n_answered + 1)
        if submission.n_answered >= ERRORS_MOST:
            return end(do.Fail(failure("prompt_not_taken", said)), pause)
        return Preparing(due_at=now, submission=submission), (pause,)
    if isinstance(error, Unreachable) and not error.maybe_sent:
        return Preparing(due_at=now, submission=submission), (pause,)
    if not said:
        submission = replace(submission, n_unanswered=submission.n_unanswered + 1)
    return replace(stage, due_at=now, submission=submission, error=said), (pause,)


def _never_there(stage: Posting, observed: seen.NotToBeFound, now: float) -> Step:
    """Post it again: it was looked for after each POST, while all else was answered."""
    if stage.n_untold >= ERRORS_MOST:
        return end_untold()
    if observed.is_split:
        return end(do.StepBack())
    submission = stage.submission
    n_answered = submission.n_answered + bool(stage.error)
    if n_answered >= ERRORS_MOST or submission.n_unanswered >= UNANSWERED_MOST:
        words = stage.error or say("The server gives no answer to the prompt.")
        return fail("prompt_not_taken", words)
    again = replace(submission, n_answered=n_answered, is_repost=True)
    return Preparing(due_at=now, submission=again), ()
