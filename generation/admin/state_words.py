"""States, levels and the like in words for people: the API has them as codes."""

from collections.abc import Mapping

from wording import say

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
}


def in_words(code: str) -> str:
    """Return a code in words; one that has none stands for itself."""
    return _WORDS.get(code, code)
