"""The state machine's rules once a prompt is rendered: Fetching and Publishing."""

from dataclasses import replace

from generation.comfyui.errors import ANSWERED, ComfyError, FileMissing, TooLarge
from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver.next_steps import ERRORS_MOST, Step, end, fail
from generation.driver.observations import Observation
from generation.driver.stages import Fetching, Publishing
from generation.errors import BadImage, PlanFailure
from generation.failures import failure
from generation.storage import StorageError
from wording import say, words_of

FETCH_AGAIN_S = 2.0
#: So often the time is doubled while our own disk takes nothing.
DOUBLED_MOST = 3
#: What is wrong with an image that is whole: every server would render it so.
_OF_THE_WORKFLOW = {
    "too_large": "output_too_large",
    "too_many_pixels": "output_too_large",
    "too_many_parts": "output_too_large",
    "too_costly": "output_too_large",
    "unsupported_format": "output_unusable",
}


def fetching(stage: Fetching, observed: Observation, now: float) -> Step:
    """Return what follows for an attempt that is rendered."""
    match observed:
        case seen.PicturesFetched(images=images, misfit=misfit):
            proof = (do.ProveSplit(),) if observed.is_split else ()
            if misfit is not None:
                return end(*proof, do.Discard(images), do.Fail(misfit))
            over = (do.EndStorageTrouble(),) if stage.running.retrieval.n_short else ()
            reserve = do.Reserve(images, stage.render_s)
            publishing = Publishing(images=images, render_s=stage.render_s)
            return publishing, (*proof, *over, reserve)
        case seen.PicturesNotFetched():
            return _pictures_not_fetched(stage, observed, now)
        case seen.NoVolume(problem=problem):
            return _short(stage, problem, now)
        case seen.CancelRequested():
            return end(do.EndCancelled())
    return stage, ()


def _pictures_not_fetched(stage: Fetching, observed: seen.PicturesNotFetched, now: float) -> Step:
    problem, running = observed.problem, stage.running
    if stage.is_left and isinstance(problem, FileMissing):
        return end(do.Lose(say("it no longer knows it, and its file is gone")))
    if why := _for_good(problem):
        return end(do.Fail(why))
    match problem:
        case BadImage():
            return _unreadable(stage, problem)
        case StorageError() if observed.is_settled:
            return stage, (do.Fetch(stage.files),)
        case StorageError():
            return _short(stage, problem, now)
    # The server is in trouble: the history will still be there.
    running = replace(
        running,
        due_at=now + FETCH_AGAIN_S,
        n_ungiven=running.n_ungiven + isinstance(problem, ANSWERED),
    )
    if isinstance(problem, ANSWERED) and running.n_ungiven >= ERRORS_MOST:
        return fail("output_not_given", words_of(problem))
    return running, (do.PauseServer(problem),) if isinstance(problem, ComfyError) else ()


def _for_good(problem: Exception) -> PlanFailure | None:
    """Return why fetching is of no use any more; None while it may be."""
    match problem:
        case FileMissing():
            return failure("output_missing", words_of(problem))
        case TooLarge():
            return failure("output_too_large", words_of(problem))
        case BadImage(code=code) if code in _OF_THE_WORKFLOW:
            return failure(_OF_THE_WORKFLOW[code], words_of(problem))
        case StorageError(is_permanent=True):
            return failure("not_storable", problem.detail)
    return None


def _unreadable(stage: Fetching, problem: BadImage) -> Step:
    """Fetch broken pictures once more: they may have been cut short on the way."""
    retrieval = stage.running.retrieval
    if retrieval.n_unreadable and stage.is_left:
        # Its server was ended while it wrote.
        return end(do.Lose(say("it no longer knows it, and its file is incomplete")))
    if retrieval.n_unreadable:
        return fail("unreadable_output", words_of(problem))
    running = replace(stage.running, retrieval=replace(retrieval, n_unreadable=1))
    return replace(stage, running=running), (do.Note("refetched"), do.Fetch(stage.files))


def _short(stage: Fetching, problem: Exception, now: float) -> Step:
    """Keep what is rendered on its server until our own disk takes it."""
    retrieval = stage.running.retrieval
    after_s = FETCH_AGAIN_S * 2 ** min(retrieval.n_short, DOUBLED_MOST)
    told = replace(retrieval, n_short=retrieval.n_short + 1, is_short_told=True)
    note = do.Note("disk_full", {"detail": words_of(problem)}, once=True)
    running = replace(stage.running, due_at=now + after_s, retrieval=told)
    return running, () if retrieval.is_short_told else (note,)


# Publishing ---------------------------------------------------------------------------------------


def publishing(stage: Publishing, observed: Observation, _now: float) -> Step:
    """Return what follows for an attempt whose pictures are staged."""
    match observed:
        case seen.NumbersReserved(versions=versions):
            return end(do.Publish(versions, stage.render_s))
        case seen.CancelCameFirst():
            return end(do.Discard(stage.images), do.EndCancelled())
        case seen.NumbersExhausted(words=words):
            why = failure("versions_exhausted", words)
            return end(do.Discard(stage.images), do.Fail(why))
    return stage, ()
