"""One step of the state machine: the next stage, and what is to be done, in this order."""

from generation.driver.effects import Effect, Fail
from generation.driver.stages import Ended, Stage
from generation.failures import failure
from wording import say

Step = tuple[Stage, tuple[Effect, ...]]

#: So often a server may answer a request of a plan's with an error, while it answers others.
ERRORS_MOST = 3


def end(*effects: Effect) -> Step:
    """Return the last step of an attempt."""
    return Ended(), effects


def fail(code: str, words: str) -> Step:
    """Return the last step of an attempt that failed; `code` is of the table of failures."""
    return end(Fail(failure(code, words)))


def end_untold() -> Step:
    """End an attempt of which the server cannot tell how it ended."""
    words = say("The server cannot tell how the prompt ended, and has no file of it.")
    return fail("output_not_given", words)
