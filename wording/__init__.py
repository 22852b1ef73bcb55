"""Sentences that remember how they are made: stored as template and data, told when they are read.

No Django. Whoever has a catalogue brings it along by `speak_by`; until then all is said in English.
"""

from wording.sentences import (
    Sentence,
    all_of,
    any_of,
    as_json,
    cleaned,
    from_json,
    in_turn,
    say,
    say_n,
    to_say,
    words_of,
)
from wording.translators import ENGLISH, Language, in_english, speak_by

__all__ = [
    "ENGLISH",
    "Language",
    "Sentence",
    "all_of",
    "any_of",
    "as_json",
    "cleaned",
    "from_json",
    "in_english",
    "in_turn",
    "say",
    "say_n",
    "speak_by",
    "to_say",
    "words_of",
]
