"""Texts of foreign files as they may be stored: composed, without control characters."""

import re
import unicodedata

#: A line break and a tab stay; lone surrogates go, as no database takes them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SPACE_BEFORE_ACCENT = re.compile("[ \u00a0]+([\u0300-\u036f])")


def clean(text: str) -> str:
    """Return a text composed (NFC), with `\\n` between its lines and no control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    return composed(_CONTROL.sub("", lines)).strip()


def composed(text: str) -> str:
    """Return a text whose accents stand in their letters, also where a space came between."""
    return unicodedata.normalize("NFC", _SPACE_BEFORE_ACCENT.sub(r"\1", text))


def one_line(text: str, most: int) -> str:
    """Return a text on one line, of so many characters at most."""
    return " ".join(clean(text).split())[:most]
