"""What the page of a draft says by itself: its script finds it in the page."""

from wording import say

_CHANGES = {
    "change_added": say("added"),
    "change_changed": say("changed"),
    "change_moved": say("moved"),
    "change_same": say("same"),
    "change_left_out": say("left out"),
}
_WORDS = _CHANGES | {
    "saving": say("Saving …"),
    "saved": say("Saved."),
    "unsaved": say("It is not saved: the server cannot be reached."),
    "goesOn": say("Goes on with the sequence above"),
    "begins": say("A sequence begins here"),
    "making": say("The plans are being made …"),
    "unreachable": say("The server cannot be reached: try it again."),
    "sure": say("Delete this storyboard, with what was corrected in it?"),
}


def script_sentences() -> dict[str, str]:
    """Return the words in the language of whoever opens the page."""
    return {name: str(words) for name, words in _WORDS.items()}
