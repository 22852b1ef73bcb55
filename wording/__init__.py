"""Sentences that remember how they are made: stored as template and data, told when they are read.

No Django. Whoever has a catalogue brings it along by `speak_by`; until then all is said in English.
"""

from wording.languages import ENGLISH, Language, speak_by
from wording.sentences import Sentence, in_turn, restored, say, say_n, storable, to_say

__all__ = [
    "ENGLISH",
    "Language",
    "Sentence",
    "in_turn",
    "restored",
    "say",
    "say_n",
    "speak_by",
    "storable",
    "to_say",
]
