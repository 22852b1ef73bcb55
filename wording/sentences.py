"""A sentence as a value: a text in English that knows its template and its data."""

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any, Self

from wording.translators import ENGLISH, Language, spoken_language

#: What stands before the number that decides between singular and plural, among the data.
N = "n"
#: The keys of a sentence that is stored as JSON.
_TEMPLATE, _MANY, _DATA = "say", "many", "with"
#: Where data lack what a template names.
_BLANK = "?"


class Sentence(str):
    """A sentence in English, which `str` and every format tell in the language spoken then.

    As a value it is the English one: what compares, hashes, cuts or stores it sees that. Data that
    are sentences themselves are told with it.
    """

    template: str
    many: str
    data: Mapping[str, object]

    def __new__(cls, template: str, data: Mapping[str, object], many: str = "") -> Self:
        """Make the sentence of a template and its data; `many`: the template of its plural."""
        plain = {name: _plain(value) for name, value in data.items()}
        self = super().__new__(cls, _said(template, many, plain, ENGLISH))
        self.template, self.many, self.data = template, many, plain
        return self

    def __str__(self) -> str:
        """Tell it in the language that is spoken now."""
        language = spoken_language()
        if language.is_english():
            return self.in_english()
        return _said(self.template, self.many, self.data, language)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.template, dict(self.data), self.many)

    def in_english(self) -> str:
        """Return it as a plain text in English."""
        return str.__str__(self)


def say(template: str, /, **data: object) -> Sentence:
    """Return a sentence: its template in English, a literal for the catalogues, and its data."""
    return Sentence(template, data)


def say_n(one: str, many: str, n: int, /, **data: object) -> Sentence:
    """Return a sentence that tells of `n` of something, which is among its data as `{n}`."""
    return Sentence(one, {N: n, **data}, many)


def as_json(value: Any) -> Any:
    """Return a JSON value with each sentence in it as an object of its template and data."""
    if isinstance(value, Sentence):
        many = {_MANY: value.many} if value.many else {}
        return {_TEMPLATE: value.template, **many, _DATA: as_json(value.data)}
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value


def from_json(value: Any) -> Any:
    """Return a JSON value with the sentences that `as_json` has taken apart."""
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    within = {name: from_json(each) for name, each in value.items()}
    if {_TEMPLATE, _DATA} <= within.keys() <= {_TEMPLATE, _MANY, _DATA}:
        return Sentence(within[_TEMPLATE], within[_DATA], within.get(_MANY, ""))
    return within


def to_say(template: str) -> str:
    """Return a template as it is: marked for the catalogues, to be said later with its data."""
    return template


def in_turn(sentences: Iterable[str], between: str = " ") -> Sentence:
    """Return sentences after one another as one."""
    parts = {f"part_{at}": each for at, each in enumerate(sentences)}
    return Sentence(between.join(f"{{{name}}}" for name in parts), parts)


def cleaned(text: str, clean: Callable[[str], str]) -> str:
    """Return a text, or a sentence, of which `clean` has seen every text that is filled in."""
    if not isinstance(text, Sentence):
        return clean(text)
    parts = ((name, each) for name, each in text.data.items())
    plain = {name: cleaned(each, clean) if isinstance(each, str) else each for name, each in parts}
    return Sentence(text.template, plain, text.many)


def any_of(words: Iterable[str]) -> str:
    """Return words of which any one will do: `a, b or c`."""
    *others, last = list(words) or [""]
    return say("{others} or {last}", others=", ".join(others), last=last) if others else last


def all_of(words: Iterable[str]) -> str:
    """Return words of which all are meant: `a, b and c`."""
    *others, last = list(words) or [""]
    return say("{others} and {last}", others=", ".join(others), last=last) if others else last


def words_of(error: BaseException) -> str:
    """Return what an error says: the sentence that it was raised with, where it was one."""
    given = getattr(error, "detail", None) or (error.args[0] if error.args else "")
    return given if isinstance(given, Sentence) else str(error)


def _plain(value: object) -> object:
    """Return a value that can be stored, and said again in another language."""
    if isinstance(value, Sentence) or value is None or isinstance(value, bool | int | float):
        return value
    return words_of(value) if isinstance(value, BaseException) else str(value)


def _said(template: str, many: str, data: Mapping[str, object], language: Language) -> str:
    words = language.one(template)
    if many:
        n = data.get(N)
        words = language.several(template, many, n if isinstance(n, int) else 0)
    return _Filling(language).vformat(words, (), data)


class _Filling(Formatter):
    """Puts data into a template, numbers as the language writes them, sentences in it."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Return the value of this very name: no template reaches into what a value has."""
        return kwargs.get(field_name, _BLANK), field_name

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        """Convert by `!r` and the others; by `!p` a sentence becomes part of one: no full stop."""
        if isinstance(value, Sentence):
            value = _said(value.template, value.many, value.data, self._language)
        return (
            str(value).rstrip(".")
            if conversion == "p"
            else super().convert_field(value, conversion)
        )

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{value:{format_spec}}" if format_spec.lstrip(".").isdigit() else str(value)
        return self._language.number(format(value, format_spec))
