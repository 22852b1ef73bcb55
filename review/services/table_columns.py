"""A table of decisions: its columns, the words of its cells, and cells that stay text.

A spreadsheet computes what begins like a formula: such a cell is written with an apostrophe.
"""

import re
import unicodedata
from collections.abc import Mapping

from generation.states import ReviewState
from review.states import Decision
from wording import Sentence, say

#: What may stand between two cells, by what a client calls it.
SEPARATORS: Mapping[str, str] = {";": ";", ",": ",", "semicolon": ";", "comma": ","}
VERSION, FILE, PROJECT, SEEN, DECISION, COMMENT = (
    "version",
    "file",
    "project",
    "seen",
    "decision",
    "comment",
)
#: The columns, in their order, as they are headed.
HEADS: Mapping[str, Sentence] = {
    "plan": say("plan"),
    "label": say("label"),
    DECISION: say("decision"),
    COMMENT: say("comment"),
    "by": say("by"),
    "made_at": say("when"),
    SEEN: say("seen"),
    FILE: say("file"),
    VERSION: say("version"),
    "sequence": say("sequence"),
    "episode": say("episode"),
    PROJECT: say("project"),
}
NEEDED = (VERSION, SEEN, DECISION)
#: Under what else a column is known; without accents.
_ALSO: Mapping[str, str] = {
    "libelle": "label",
    "commentaire": COMMENT,
    "par": "by",
    "quand": "made_at",
    "when": "made_at",
    "made at": "made_at",
    "vu": SEEN,
    "etat vu": SEEN,
    "fichier": FILE,
    "projet": PROJECT,
}
#: A spreadsheet would compute what begins so; with ' before it, it is a text.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
STATES: Mapping[str, ReviewState] = {
    "to review": ReviewState.TO_REVIEW,
    "a valider": ReviewState.TO_REVIEW,
    "approved": ReviewState.APPROVED,
    "valide": ReviewState.APPROVED,
    "retake": ReviewState.RETAKE,
    "superseded": ReviewState.SUPERSEDED,
    "remplace": ReviewState.SUPERSEDED,
}
DECISION_WORDS: Mapping[str, Decision] = {
    **dict.fromkeys(
        ("approve", "approved", "valide", "valider", "ok", "oui", "yes", "x"), Decision.APPROVE
    ),
    **dict.fromkeys(("retake", "refaire", "a refaire", "non", "no"), Decision.RETAKE),
    **dict.fromkeys(("reopen", "reopened", "rouvrir", "rouvert"), Decision.REOPEN),
    **dict.fromkeys(("undo", "annuler"), Decision.UNDO),
    **dict.fromkeys(("comment", "commentaire"), Decision.COMMENT),
}


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet computes; `plain` takes that back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """Return what a cell said before it was made harmless."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def column_of(cell: str) -> str:
    """Return the column that a cell of the first line heads; empty where it is none of ours."""
    word = as_compared(cell)
    return _ALSO.get(word, word if word in HEADS else "")


def as_compared(cell: str) -> str:
    """Return a word as it is compared: without accents, capitals and blanks around."""
    parts = unicodedata.normalize("NFKD", plain(cell)).replace("_", " ")
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).casefold().split())
