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
        "give": say("given"),
        "upload": say("uploaded"),
        "set reasons": say("reasons set"),
        "reasons": say("reasons"),
        "write": say("written"),
        "new": say("new plans"),
        "changed": say("texts changed"),
        "panels": say("panels"),
        "plan": say("plan"),
        "label": say("label"),
        "storyboard_uid": say("uid"),
        "action": say("action"),
        "dialogue": say("dialogue"),
        "place": say("place"),
        "camera": say("camera"),
        "description": say("description"),
        "notes": say("notes"),
        "duration_ms": say("duration (ms)"),
        "position": say("position"),
        "production_status": say("in production"),
        "storyboardimport": say("storyboard"),
        "project_code": say("project"),
        "confirm": say("confirmed"),
        "delete": say("deleted"),
        "create": say("created"),
        "change": say("changed"),
        "enable": say("enabled"),
        "disable": say("disabled"),
        "drain": say("set to drain"),
        "undrain": say("taking work again"),
        "take back": say("taken back"),
        "lift": say("blocks lifted"),
        "give up": say("given up"),
        "forget": say("secrets forgotten"),
        "adopt": say("adopted"),
        "give token": say("token given"),
        "end token": say("token ended"),
        "try workflow": say("workflow tried"),
        "give workflow": say("workflow given"),
        "change workflow": say("workflow changed"),
        "send in": say("sent in"),
        "correct": say("corrected"),
        "server": say("server"),
        "volume": say("volume"),
        "namedworkflow": say("workflow"),
        "convention": say("convention"),
        "user": say("user"),
        "group": say("group"),
        CONSOLE: say("the console"),
        "True": say("yes"),
        "False": say("no"),
    }
)


def act_in_words(code: str) -> str:
    """Return a code in words; one that has none stands for itself."""
    found = (words[code] for words in WORDS if code in words)
    return next(found, in_words(code))
