"""Who translates: English alone, until an application brings its catalogues."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Language(Protocol):
    """The language that is spoken at this moment, by this thread."""

    def is_english(self) -> bool:
        """Tell whether nothing is to be translated."""
        ...

    def one(self, template: str) -> str:
        """Return a template in this language; itself where it has none."""
        ...

    def several(self, one: str, many: str, n: int) -> str:
        """Return that of two templates which fits a number, in this language."""
        ...

    def number(self, written: str) -> str:
        """Return a number as this language writes it, from how English does: `1,234.5`."""
        ...


class English:
    """What all templates are written in."""

    def is_english(self) -> bool:
        """Tell whether nothing is to be translated: so it is."""
        return True

    def one(self, template: str) -> str:
        """Return the template."""
        return template

    def several(self, one: str, many: str, n: int) -> str:
        """Return the singular for 1, else the plural."""
        return one if n == 1 else many

    def number(self, written: str) -> str:
        """Return the number."""
        return written


ENGLISH = English()
_spoken: list[Language] = [ENGLISH]
_is_english: ContextVar[bool] = ContextVar("is_english", default=False)


def spoken_language() -> Language:
    """Return the language that is spoken now."""
    return ENGLISH if _is_english.get() else _spoken[0]


@contextmanager
def in_english() -> Iterator[None]:
    """Tell all in English within it: for logs, which programs read and everybody searches."""
    before = _is_english.set(True)
    try:
        yield
    finally:
        _is_english.reset(before)


def speak_by(language: Language) -> None:
    """Translate by `language` from now on, in the whole process."""
    _spoken[0] = language
