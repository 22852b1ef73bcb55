"""What a workflow may be called: any name of a file, composed, and never a path."""

import unicodedata
from pathlib import PurePath

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
        return "A workflow needs a name."
    if len(name) > LENGTH_MAX:
        return f"The name has {len(name):,} characters; {LENGTH_MAX} are allowed."
    if name.startswith("."):
        return "The name begins with a dot: such files are hidden."
    unusable = [one for one in name if one in "/\\" or unicodedata.category(one) in {"Cc", "Cs"}]
    if unusable:
        return f"The name holds {unusable[0]!a}: no slash and no control character is allowed."
    return ""


def is_file_of_workflow(name: str) -> bool:
    """Tell whether a file of the workflows folder is read, by its name."""
    return PurePath(name).suffix.lower() in ENDINGS and not problem(name)
