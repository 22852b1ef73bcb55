"""Django's catalogues of messages, for what `wording` says; and which language is spoken now."""

from django.utils.translation import get_language, gettext, ngettext

#: How French writes what English writes as `1,234.5`: a narrow space that no line breaks at.
_FRENCH = str.maketrans({",": "\N{NARROW NO-BREAK SPACE}", ".": ","})


class Catalogues:
    """Translates by the language that Django has activated for this thread."""

    def is_english(self) -> bool:
        """Tell whether nothing is to be translated."""
        return not language_code_unless_english()

    def one(self, template: str) -> str:
        """Return a template in this language; itself where it has none."""
        return gettext(template) if template else ""

    def several(self, one: str, many: str, n: int) -> str:
        """Return that of two templates which fits a number, in this language."""
        return ngettext(one, many, n)

    def number(self, written: str) -> str:
        """Return a number as this language writes it, from how English does: `1,234.5`."""
        return written.translate(_FRENCH)


def language_code_unless_english() -> str:
    """Return the code of the language that is spoken now; empty for English."""
    language = get_language() or ""
    return "" if language.startswith("en") else language
