"""States, levels and the like in words for people: the API has them as codes."""

from collections.abc import Callable, Mapping

from generation.parameter_sources import ValueSource
from generation.states import RunState
from wording import say, say_n

_WORDS: Mapping[str, str] = {
    "queued": say("queued"),
    "waiting": say("waiting"),
    "running": say("running"),
    "done": say("done"),
    "error": say("error"),
    "cancelled": say("cancelled"),
    "started": say("started"),
    "open": say("open"),
    "lost": say("lost"),
    "refused": say("refused"),
    "abandoned": say("abandoned"),
    "unknown": say("unknown"),
    "up": say("up"),
    "down": say("down"),
    "disabled": say("disabled"),
    "draining": say("draining"),
    "set aside": say("set aside"),
    "blocked": say("blocked"),
    "info": say("info"),
    "warning": say("warning"),
    "to_review": say("to review"),
    "retake": say("retake"),
    "approved": say("approved"),
    "superseded": say("superseded"),
    "reserved": say("reserved"),
    "published": say("published"),
    "auto": say("auto"),
    "manuel": say("by hand"),
    "active": say("active"),
    "on_hold": say("on hold"),
    "omitted": say("omitted"),
    "reading": say("reading"),
    "draft": say("draft"),
    "confirmed": say("confirmed"),
    "failed": say("failed"),
    "expired": say("expired"),
    "revoked": say("revoked"),
    "admin": say("the admin"),
    "api": say("the API"),
    "storyboard": say("the storyboard"),
}
#: Whose a value is.
_SOURCES: Mapping[str, str] = {
    ValueSource.WORKFLOW: say("the workflow"),
    ValueSource.PRESET: say("the preset"),
    ValueSource.STYLE: say("the style"),
    ValueSource.VARIANT: say("the light variant"),
    ValueSource.REQUEST: say("the request"),
    ValueSource.SEQUENCE: say("the sequence"),
    ValueSource.PLAN: say("the plan"),
    ValueSource.RETRY: say("a retry"),
    ValueSource.DRAWN: say("drawn"),
}
_COUNTED: Mapping[RunState, Callable[[int], str]] = {
    RunState.QUEUED: lambda n: say_n("{n:,} queued", "{n:,} queued", n),
    RunState.WAITING: lambda n: say_n("{n:,} waiting", "{n:,} waiting", n),
    RunState.RUNNING: lambda n: say_n("{n:,} running", "{n:,} running", n),
    RunState.DONE: lambda n: say_n("{n:,} done", "{n:,} done", n),
    RunState.ERROR: lambda n: say_n("{n:,} error", "{n:,} error", n),
    RunState.CANCELLED: lambda n: say_n("{n:,} cancelled", "{n:,} cancelled", n),
}


def in_words(code: str) -> str:
    """Return a code in words; one that has none stands for itself."""
    return _WORDS.get(code, code)


def source_in_words(source: str) -> str:
    """Return whose a value is in words; a source that has none stands for itself."""
    return _SOURCES.get(source, source)


def counted_runs(n: int, state: RunState) -> str:
    """Return how many runs are in a state, in words."""
    return _COUNTED[state](n)
