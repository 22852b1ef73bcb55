"""What a workflow may be called: any name of a file, composed, and never a path."""

import unicodedata
from pathlib import PurePath

from wording import say

LENGTH_MAX = 128
#: Files of the workflows folder that may be workflows.
ENDINGS = frozenset({".json", ".png", ".webp"})


def composed(name: str) -> str:
    """Return a name as it is stored (NFC), whichever way a disk or a keyboard spells it."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Return a name without regard to case: two workflows never differ in case alone."""
    return unicodedata.normalize("NFC", composed(name).casefold())


def problem(name: str) -> str:
    """Return why a workflow cannot be called so; empty when it can."""
    if not name.strip():
        return say("A workflow needs a name.")
    if len(name) > LENGTH_MAX:
        return say(
            "The name has {n:,} characters; {length_max} are allowed.",
            n=len(name),
            length_max=LENGTH_MAX,
        )
    if name.startswith("."):
        return say("The name begins with a dot: such files are hidden.")
    unusable = [one for one in name if one in "/\\" or unicodedata.category(one) in {"Cc", "Cs"}]
    if unusable:
        return say(
            "The name holds {unusable!a}: no slash and no control character is allowed.",
            unusable=unusable[0],
        )
    return ""


def is_file_of_workflow(name: str) -> bool:
    """Tell whether a file of the workflows folder is read, by its name."""
    return PurePath(name).suffix.lower() in ENDINGS and not problem(name)
