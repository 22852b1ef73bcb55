"""The driver's state machine, line by line of its table: no server, socket, database or clock."""

from dataclasses import replace
from math import inf
from typing import Any, cast

import pytest

from generation.comfyui.errors import (
    BadAnswer,
    ComfyError,
    Denied,
    FileMissing,
    Refused,
    TooLarge,
    Unreachable,
)
from generation.comfyui.protocol import OutputFile
from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver import running_rules, submission_rules, timeouts
from generation.driver.observations import FoundInHistory, FoundInQueue, Observation, ProgressLimits
from generation.driver.stages import (
    Absence,
    Ended,
    Fetching,
    Posting,
    Preparing,
    Publishing,
    Retrieval,
    Running,
    Stage,
    Stopping,
    Submission,
    Timers,
)
from generation.driver.state_machine import decide
from generation.errors import BadImage, Busy
from generation.failures import failure
from generation.models import Version
from generation.services.publication import Image
from generation.storage import StorageError

NOW = 1000.0
LIMITS = ProgressLimits(hung_s=60.0, unknown_s=180.0, dead_s=30.0)
FILE = OutputFile("9", "a_00001_.png", "madsea", "output")
IMAGES = cast("tuple[Image, ...]", ("image",))
VERSIONS = cast("tuple[Version, ...]", ("version",))
REFUSED = Refused("", "", "", {})
HUNG = failure("hung", "No progress for 70 s.")

PREPARING = Preparing(due_at=NOW)
POSTING = Posting(due_at=NOW)
RUNNING = Running(due_at=NOW)
STOPPING = Stopping(due_at=NOW)
FETCHING = Fetching(running=RUNNING, files=(FILE,))
PUBLISHING = Publishing(images=IMAGES)

#: Missed for long enough, in looks enough.
LONG_GONE = Absence(since=NOW - 10, n_missed=5)


def queued(**fields: Any) -> FoundInQueue:
    """Return what a look at the queue shows of a prompt that is there."""
    return FoundInQueue(look_after_s=2.0, limits=LIMITS, **fields)


def follows(stage: Stage, observed: Observation) -> tuple[type[Stage], list[type]]:
    """Return the next stage and the effects, by their types."""
    following, effects = decide(stage, observed, NOW)
    return type(following), [type(effect) for effect in effects]


def code(stage: Stage, observed: Observation) -> str:
    """Return the failure that an attempt ends with."""
    following, effects = decide(stage, observed, NOW)
    assert isinstance(following, Ended)
    return next(effect.why.code for effect in effects if isinstance(effect, do.Fail))


def storage_error(*, is_permanent: bool = False) -> StorageError:
    error = StorageError("The disk is full.")
    error.is_permanent = is_permanent
    return error


# The table, line by line --------------------------------------------------------------------------

REPOST = Preparing(due_at=NOW, submission=Submission(is_repost=True))


@pytest.mark.parametrize(
    ("stage", "observed", "following", "effects"),
    [
        # Preparing
        (PREPARING, seen.Claimed(), Preparing, [do.BuildGraph]),
        (PREPARING, seen.GraphNotBuilt(HUNG), Ended, [do.Fail]),
        (PREPARING, seen.TurnCame(has_panel=False), Preparing, [do.UploadPanel]),
        (PREPARING, seen.TurnCame(has_panel=True), Posting, [do.Post]),
        (PREPARING, seen.TurnDelayed(), Preparing, []),
        (PREPARING, seen.ServerStoodAside(), Ended, [do.StepBack]),
        (PREPARING, seen.PanelUploaded("madsea/a.png"), Preparing, [do.UsePanel]),
        (PREPARING, seen.PanelNotUploaded(Busy()), Preparing, []),
        (PREPARING, seen.PanelNotUploaded(Unreachable()), Preparing, [do.PauseServer]),
        (PREPARING, seen.PanelNotUploaded(storage_error(), is_settled=True), Preparing, []),
        (PREPARING, seen.CancelRequested(), Ended, [do.EndCancelled]),
        (REPOST, seen.CancelRequested(), Stopping, [do.TakeOff]),
        # Posting
        (POSTING, seen.PromptAccepted(2.0), Running, [do.Acknowledge]),
        (POSTING, queued(), Running, [do.Acknowledge]),
        (POSTING, queued(n_copies=2), Running, [do.Acknowledge, do.DeleteDoubledPrompt]),
        (POSTING, queued(drops_result=True), Ended, [do.TakeOff, do.Fail]),
        (POSTING, seen.PromptPartlyAccepted(REFUSED), Ended, [do.TakeOff, do.TurnAway]),
        (POSTING, seen.PromptRefused(REFUSED), Ended, [do.TurnAway]),
        (POSTING, seen.PanelVanished(""), Preparing, [do.ForgetPanels]),
        (POSTING, seen.PanelVanished("", is_split=True), Ended, [do.StepBack]),
        (POSTING, seen.PromptNotPosted(Unreachable()), Preparing, [do.PauseServer]),
        (POSTING, seen.PromptNotPosted(Denied()), Preparing, [do.PauseServer]),
        (POSTING, seen.PromptNotPosted(BadAnswer(maybe_sent=True)), Posting, [do.PauseServer]),
        (POSTING, FoundInHistory(outcome="success"), Running, [do.Acknowledge, do.Observe]),
        (POSTING, seen.NotToBeFound(), Preparing, []),
        (POSTING, seen.NotToBeFound((FILE,)), Fetching, [do.Fetch]),
        (POSTING, seen.NotToBeFound(is_split=True), Ended, [do.StepBack]),
        # Running
        (RUNNING, queued(), Running, []),
        (RUNNING, queued(n_copies=2), Running, [do.DeleteDoubledPrompt]),
        (RUNNING, FoundInHistory(outcome="success", files=(FILE,)), Fetching, [do.Fetch]),
        (RUNNING, FoundInHistory(outcome="success"), Ended, [do.Fail]),
        (RUNNING, FoundInHistory(outcome="error", why=HUNG), Ended, [do.Fail]),
        (RUNNING, FoundInHistory(outcome="interrupted"), Ended, [do.LoseInterrupted]),
        (RUNNING, seen.NotToBeFound((FILE,)), Fetching, [do.Fetch]),
        (RUNNING, seen.NotToBeFound(), Ended, [do.Lose]),
        (RUNNING, seen.CancelRequested(), Stopping, [do.TakeOff]),
        # Stopping
        (STOPPING, queued(), Stopping, [do.TakeOff]),
        (STOPPING, FoundInHistory(outcome="success", files=(FILE,)), Ended, [do.EndCancelled]),
        (STOPPING, seen.CancelRequested(), Stopping, []),
        # Fetching
        (FETCHING, seen.PicturesFetched(IMAGES), Publishing, [do.Reserve]),
        (FETCHING, seen.PicturesFetched(IMAGES, misfit=HUNG), Ended, [do.Discard, do.Fail]),
        (FETCHING, seen.PicturesNotFetched(Unreachable()), Running, [do.PauseServer]),
        (FETCHING, seen.PicturesNotFetched(BadImage("")), Fetching, [do.Note, do.Fetch]),
        (FETCHING, seen.PicturesNotFetched(Busy()), Running, []),
        (FETCHING, seen.PicturesNotFetched(storage_error()), Running, [do.Note]),
        (FETCHING, seen.PicturesNotFetched(storage_error(), is_settled=True), Fetching, [do.Fetch]),
        (FETCHING, seen.NoVolume(storage_error(is_permanent=True)), Running, [do.Note]),
        (FETCHING, seen.CancelRequested(), Ended, [do.EndCancelled]),
        # Publishing
        (PUBLISHING, seen.NumbersReserved(VERSIONS), Ended, [do.Publish]),
        (PUBLISHING, seen.CancelCameFirst(), Ended, [do.Discard, do.EndCancelled]),
        (PUBLISHING, seen.NumbersExhausted(""), Ended, [do.Discard, do.Fail]),
        (PUBLISHING, seen.CancelRequested(), Publishing, []),
    ],
)
def test_a_line_of_the_table(
    stage: Stage, observed: Observation, following: type[Stage], effects: list[type]
) -> None:
    assert follows(stage, observed) == (following, effects)


@pytest.mark.parametrize(
    "stage", [PREPARING, POSTING, RUNNING, STOPPING, FETCHING, PUBLISHING], ids=repr
)
def test_what_was_taken_away_is_let_go_in_every_stage(stage: Stage) -> None:
    assert follows(stage, seen.AttemptClosed()) == (Ended, [do.LetGo])


def test_nothing_follows_once_it_has_ended() -> None:
    assert follows(Ended(), seen.AttemptClosed()) == (Ended, [])


# Failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "observed", "failed"),
    [
        (PREPARING, seen.PanelNotUploaded(TooLarge()), "upload_refused"),
        (PREPARING, seen.PanelNotUploaded(storage_error()), "storage_away"),
        (
            PREPARING,
            seen.PanelNotUploaded(storage_error(is_permanent=True)),
            "panel_unreadable",
        ),
        (PREPARING, seen.PanelNotUploaded(BadImage("")), "panel_unreadable"),
        (POSTING, seen.PromptNotPosted(TooLarge()), "upload_refused"),
        (FETCHING, seen.PicturesNotFetched(FileMissing()), "output_missing"),
        (FETCHING, seen.PicturesNotFetched(TooLarge()), "output_too_large"),
        (
            FETCHING,
            seen.PicturesNotFetched(storage_error(is_permanent=True)),
            "not_storable",
        ),
        (PUBLISHING, seen.NumbersExhausted(""), "versions_exhausted"),
    ],
)
def test_a_failure_has_its_code(stage: Stage, observed: Observation, failed: str) -> None:
    assert code(stage, observed) == failed


def after(stage: Stage, *observed: Observation) -> Stage:
    """Return the stage after several observations at the same time."""
    for each in observed:
        stage, _ = decide(stage, each, NOW)
    return stage


def test_a_post_that_is_denied_three_times_fails() -> None:
    denied, turn = seen.PromptNotPosted(Denied()), seen.TurnCame(has_panel=True)

    twice = after(PREPARING, turn, denied, turn, denied, turn)

    assert code(twice, denied) == "prompt_not_taken"


def test_a_post_that_is_answered_by_nothing_is_given_up_in_the_end() -> None:
    n_unanswered = submission_rules.UNANSWERED_MOST
    stage = Posting(due_at=NOW, submission=Submission(n_unanswered=n_unanswered))

    assert code(stage, seen.NotToBeFound()) == "prompt_not_taken"


def test_what_was_answered_with_an_error_three_times_and_is_never_there_fails() -> None:
    stage = replace(POSTING, error="500", submission=Submission(n_answered=2))

    assert code(stage, seen.NotToBeFound()) == "prompt_not_taken"


def test_a_panel_that_vanishes_twice_fails() -> None:
    once = after(POSTING, seen.PanelVanished(""), seen.TurnCame(has_panel=True))

    assert code(once, seen.PanelVanished("gone")) == "upload_refused"


def test_an_upload_that_is_answered_with_errors_three_times_fails() -> None:
    bad = seen.PanelNotUploaded(BadAnswer())

    assert code(after(PREPARING, bad, bad), bad) == "upload_refused"


def test_pictures_that_are_unreadable_twice_fail() -> None:
    once = after(FETCHING, seen.PicturesNotFetched(BadImage("")))

    assert code(once, seen.PicturesNotFetched(BadImage(""))) == "unreadable_output"


def test_a_file_that_is_answered_with_errors_three_times_fails() -> None:
    running = replace(RUNNING, n_ungiven=2)

    assert code(replace(FETCHING, running=running), seen.PicturesNotFetched(BadAnswer())) == (
        "output_not_given"
    )


def test_what_the_server_cannot_tell_and_left_no_file_fails() -> None:
    assert code(replace(RUNNING, n_untold=3), seen.NotToBeFound()) == "output_not_given"


# Absent -------------------------------------------------------------------------------------------


def test_what_is_missed_the_first_time_is_looked_for_again() -> None:
    stage, effects = decide(RUNNING, seen.PromptNotThere(), NOW)

    assert isinstance(stage, Running)
    assert stage.absence == Absence(since=NOW, n_missed=1)
    assert NOW < stage.due_at < NOW + running_rules.ABSENT_AGAIN_S
    assert effects == (do.AskOnceMore(),)


@pytest.mark.parametrize("stage", [POSTING, RUNNING], ids=["posting", "running"])
def test_what_is_missed_for_long_is_searched_by_its_prefix(stage: Any) -> None:
    gone = replace(stage, absence=LONG_GONE)

    assert follows(gone, seen.PromptNotThere()) == (type(stage), [do.SearchByPrefix])


def test_at_a_split_address_it_is_missed_ten_times_as_long() -> None:
    gone = replace(RUNNING, absence=LONG_GONE)

    assert follows(gone, seen.PromptNotThere(is_split=True)) == (Running, [])


def test_what_was_never_acknowledged_and_is_absent_is_posted_again() -> None:
    stage, _ = decide(replace(POSTING, absence=LONG_GONE), seen.NotToBeFound(), NOW)
    posted, _ = decide(stage, seen.TurnCame(has_panel=True), NOW)

    assert decide(posted, seen.PromptAccepted(2.0), NOW)[1] == (do.Acknowledge("reposted"),)


def test_a_history_that_is_broken_three_times_counts_as_absent() -> None:
    broken = seen.HistoryBroken(BadAnswer())

    assert follows(RUNNING, broken) == (Running, [do.PauseServer])
    assert follows(replace(RUNNING, n_untold=2, absence=LONG_GONE), broken) == (
        Running,
        [do.SearchByPrefix],
    )


def test_a_left_file_that_is_answered_with_errors_three_times_counts_as_none() -> None:
    broken = seen.LeftFileUnreadable(BadAnswer())

    assert follows(RUNNING, broken) == (Running, [do.PauseServer])
    assert follows(replace(RUNNING, n_ungiven=2), broken) == (Running, [do.Observe])


def test_there_gone_and_there_again_proves_a_split_address() -> None:
    missed = replace(RUNNING, absence=Absence(since=NOW, n_missed=1))

    assert follows(missed, queued()) == (Running, [do.ProveSplit])


def test_a_late_history_proves_nothing() -> None:
    missed = replace(RUNNING, absence=Absence(since=NOW, n_missed=1))

    ended = FoundInHistory(outcome="interrupted")

    assert follows(missed, ended) == (Ended, [do.LoseInterrupted])


def test_a_left_file_that_is_gone_when_it_is_fetched_is_lost() -> None:
    left = replace(FETCHING, is_left=True)

    assert follows(left, seen.PicturesNotFetched(FileMissing())) == (Ended, [do.Lose])


# Progress -----------------------------------------------------------------------------------------


def test_what_makes_no_progress_for_too_long_is_stopped() -> None:
    quiet = replace(RUNNING, timers=Timers(quiet_since=NOW - 70))

    stage, effects = decide(quiet, queued(is_running=True, runs_any=True), NOW)

    assert isinstance(stage, Stopping)
    assert (stage.verdict, stage.told_at) == (HUNG, NOW)
    assert [type(effect) for effect in effects] == [do.Note, do.RememberTimers, do.TakeOff]


def test_what_the_socket_told_counts_as_progress() -> None:
    quiet = replace(RUNNING, timers=Timers(quiet_since=NOW - 70))

    assert follows(quiet, queued(is_running=True, runs_any=True, heard_at=NOW - 1)) == (Running, [])


def test_what_waits_while_nothing_runs_fails_and_its_server_with_it() -> None:
    idle = replace(RUNNING, timers=Timers(idle_since=NOW - 31))

    assert code(idle, queued()) == "worker_dead"


def test_what_waits_too_long_behind_somebody_else_makes_way() -> None:
    behind = replace(RUNNING, timers=Timers(behind="x", behind_since=NOW - 181))

    assert follows(behind, queued(runs_any=True, foreign="x")) == (Running, [do.YieldServer])


def test_another_prompt_before_ours_starts_the_wait_anew() -> None:
    behind = replace(RUNNING, timers=Timers(behind="x", behind_since=NOW - 181))

    stage, effects = decide(behind, queued(runs_any=True, foreign="y"), NOW)

    assert isinstance(stage, Running)
    assert (stage.timers.behind_since, effects) == (NOW, ())


# Stopping -----------------------------------------------------------------------------------------


def test_what_hung_and_is_off_the_server_has_failed() -> None:
    assert code(replace(STOPPING, verdict=HUNG), FoundInHistory(outcome="interrupted")) == "hung"


def test_what_hung_and_succeeds_all_the_same_is_fetched() -> None:
    succeeded = FoundInHistory(outcome="success", files=(FILE,))

    assert follows(replace(STOPPING, verdict=HUNG), succeeded) == (Fetching, [do.Fetch])


@pytest.mark.parametrize(("runs_out", "is_deaf"), [(False, True), (True, False)])
def test_what_does_not_obey_is_left_behind(runs_out: bool, is_deaf: bool) -> None:
    told_at = NOW - timeouts.DEAF_S - 1
    deaf = Stopping(due_at=NOW, verdict=HUNG, told_at=told_at, runs_out=runs_out)

    assert decide(deaf, queued(), NOW)[1] == (do.Fail(HUNG, is_left=True, is_deaf=is_deaf),)


def test_what_was_acknowledged_and_is_gone_twice_is_stopped() -> None:
    once = after(STOPPING, seen.PromptNotThere())

    assert follows(once, seen.PromptNotThere()) == (Ended, [do.EndCancelled])


def test_what_may_come_late_is_waited_for_before_it_is_stopped() -> None:
    unknown = replace(STOPPING, was_acknowledged=False)

    assert isinstance(after(unknown, seen.PromptNotThere(), seen.PromptNotThere()), Stopping)
    assert follows(replace(unknown, absence=LONG_GONE), seen.PromptNotThere()) == (
        Ended,
        [do.EndCancelled],
    )


def test_what_runs_out_is_asked_after_less_often_and_told_anew_when_it_can_be() -> None:
    stage = after(STOPPING, seen.PromptTakenOff(runs_out=True))

    assert isinstance(stage, Stopping)
    assert (stage.runs_out, stage.due_at) == (True, NOW + running_rules.LOOK_RUNNING_S)
    assert after(stage, seen.PromptTakenOff()) == replace(stage, runs_out=False, told_at=NOW)


# Our own disk -------------------------------------------------------------------------------------


def test_a_short_disk_is_told_once_and_tried_later_and_later() -> None:
    short = seen.PicturesNotFetched(storage_error())
    first = after(FETCHING, short)
    assert isinstance(first, Running)

    second, effects = decide(replace(FETCHING, running=first), short, NOW)

    assert isinstance(second, Running)
    assert (first.due_at, second.due_at) == (NOW + 2, NOW + 4)
    assert second.retrieval == Retrieval(n_short=2, is_short_told=True)
    assert effects == ()


def test_a_disk_that_takes_pictures_again_is_told() -> None:
    running = replace(RUNNING, retrieval=Retrieval(n_short=1))

    assert follows(replace(FETCHING, running=running), seen.PicturesFetched(IMAGES)) == (
        Publishing,
        [do.EndStorageTrouble, do.Reserve],
    )


# The socket ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [POSTING, RUNNING, STOPPING], ids=lambda s: type(s).__name__)
def test_the_end_that_the_socket_tells_is_looked_for_at_once(stage: Any) -> None:
    later = replace(stage, due_at=NOW + 2)

    assert after(later, seen.EndHeard()) == replace(later, due_at=NOW, has_ended=True)


def test_without_its_socket_a_prompt_is_looked_for_sooner() -> None:
    later = replace(RUNNING, due_at=NOW + 2)

    assert after(later, seen.SocketLost()).due_at == NOW + running_rules.LOOK_BLIND_S


@pytest.mark.parametrize("observed", [seen.SocketLost(), seen.EndHeard()], ids=["lost", "ended"])
def test_what_a_thread_works_at_is_not_due_for_it(observed: Observation) -> None:
    uploading = Preparing(due_at=inf)

    assert after(uploading, observed) == uploading
    assert after(FETCHING, observed) == FETCHING


def test_errors_of_the_server_are_values_here() -> None:
    error = ComfyError("x")

    assert decide(FETCHING, seen.PicturesNotFetched(error), NOW)[1] == (do.PauseServer(error),)


# Pictures -----------------------------------------------------------------------------------------


def test_all_pictures_of_a_prompt_are_fetched_at_once() -> None:
    files = tuple(replace(FILE, filename=f"a_{number:05}_.png") for number in range(1, 17))

    _, effects = decide(RUNNING, FoundInHistory(outcome="success", files=files), NOW)

    assert effects[-1] == do.Fetch(files)


def test_more_pictures_than_a_plan_may_have_fail() -> None:
    ended = FoundInHistory(outcome="success", files=(FILE,) * 17)

    assert code(RUNNING, ended) == "too_many_pictures"
