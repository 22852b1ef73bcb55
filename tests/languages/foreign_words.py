"""Which texts are in the other language: its catalogue's sentences, and words that only it has."""

import re
from functools import cache
from string import Formatter

from django.utils.translation.trans_real import translation

ENGLISH, FRENCH = "en", "fr"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_FIELD = re.compile(r"%(?:\(\w+\))?[-.\d]*[sd]")
#: A name, a file, an address or a code: no word of a language.
_NAME = re.compile(r"\S*(?:[\d_/\\@{}<>=*]|\w\.\w)\S*|“[^”]*”|«[^»]*»|`[^`]*`|\"[^\"]*\"")
#: How a workflow's nodes are offered: by number, and by the title that the workflow gives them.
_TITLE_OF_NODE = re.compile(r"\d+ · ")
#: Words of names, and what both languages have though their catalogues have it in one alone.
_BOTH = frozenset(
    re.findall(
        r"\w+",
        "madsea comfyui django python supervisor guest gpu labo token tokens api json png jpeg webp"
        " pdf zip sha utc id ids uid s h d j min ms px kb mb mib gib ko mo go octets bytes to on as"
        " a i en fr"
        # Names that a studio's rows have: the roles' groups, files' tasks, what tasks are called.
        " height width steps artist technical director concept extracted raw tick simple ai x",
    )
)


@cache
def _sentences() -> dict[str, str]:
    """Return each text of every catalogue, and its French where that is another."""
    catalogue = translation(FRENCH)._catalog
    told: dict[str, str] = {}
    for layer in catalogue._catalogs:
        for key, french in layer.items():
            english = key if isinstance(key, str) else key[0]
            told[english.strip()] = str(french).strip()
    return {english: french for english, french in told.items() if english and french}


def words(text: str) -> set[str]:
    """Return the words of a text, without names, addresses and what is quoted."""
    plain = _NAME.sub(" ", text.replace("’", "'"))
    return {word.lower() for word in _WORD.findall(plain) if len(word) > 1} - _BOTH


def _template_words(text: str) -> set[str]:
    """Return the words of a template."""
    try:
        literals = " ".join(literal for literal, *_ in Formatter().parse(text))
    except ValueError:
        literals = text
    return words(_FIELD.sub(" ", literals))


@cache
def vocabulary(language: str) -> frozenset[str]:
    """Return the words that only this one of the two languages has in the catalogues."""
    english: set[str] = set()
    french: set[str] = set()
    for one, other in _sentences().items():
        english |= _template_words(one)
        french |= _template_words(other)
    return frozenset(english - french if language == ENGLISH else french - english)


@cache
def _untold(language: str) -> frozenset[str]:
    """Return the texts that stand on no page of the other language: they are told otherwise."""
    pairs = [(one, other) for one, other in _sentences().items() if one != other]
    english, french = {one for one, _ in pairs}, {other for _, other in pairs}
    same = {one for one, other in _sentences().items() if one == other}
    return frozenset((english - french if language == ENGLISH else french - english) - same)


def foreign(text: str, language: str) -> str:
    """Return what of a text is in the other language than this one; empty where nothing is."""
    if _TITLE_OF_NODE.match(text):
        return ""
    other = ENGLISH if language == FRENCH else FRENCH
    if text in _untold(other):
        return text
    return " ".join(sorted(words(text) & vocabulary(other)))
