"""What people did, in words: the acts' own are codes, of the apps above the engine too."""

from collections.abc import Mapping

from generation.extension_points import Registry
from generation.services.acts import CONSOLE
from generation.state_words import in_words
from wording import say

#: What is done, what it is done to, and what of it is changed: codes in words.
WORDS: Registry[Mapping[str, str]] = Registry()
WORDS.add(
    {
        "ask": say("asked for"),
        "steer": say("steered"),
        "cancel": say("cancelled"),
        "retry": say("retried"),
        "batch": say("batch"),
        "version": say("version"),
        "plans": say("plans"),
        "runs": say("plan runs"),
        "style": say("style"),
        "workflow": say("workflow"),
        "mode": say("mode"),
        "variations": say("variations"),
        "locked": say("approved plans"),
        "force": say("approved plans, too"),
        "name": say("name"),
        "priority": say("priority"),
        "max_tries": say("tries of each plan"),
        CONSOLE: say("the console"),
        "True": say("yes"),
        "False": say("no"),
    }
)


def told(code: str) -> str:
    """Return a code in words; one that has none stands for itself."""
    found = (words[code] for words in WORDS if code in words)
    return next(found, in_words(code))
