"""A sentence as a value: a text in English that knows its template and its data."""

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any, Self

from wording.languages import ENGLISH, Language, spoken

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
        language = spoken()
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


def storable(value: Any) -> Any:
    """Return a JSON value with each sentence in it as an object of its template and data."""
    if isinstance(value, Sentence):
        many = {_MANY: value.many} if value.many else {}
        return {_TEMPLATE: value.template, **many, _DATA: storable(value.data)}
    if isinstance(value, Mapping):
        return {name: storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value


def restored(value: Any) -> Any:
    """Return a JSON value with the sentences that `storable` has taken apart."""
    if isinstance(value, list):
        return [restored(each) for each in value]
    if not isinstance(value, dict):
        return value
    within = {name: restored(each) for name, each in value.items()}
    if {_TEMPLATE, _DATA} <= within.keys() <= {_TEMPLATE, _MANY, _DATA}:
        return Sentence(within[_TEMPLATE], within[_DATA], within.get(_MANY, ""))
    return within


def to_say(template: str) -> str:
    """Return a template as it is: marked for the catalogues, to be said later with its data."""
    return template


def in_turn(sentences: Iterable[str]) -> Sentence:
    """Return sentences after one another as one."""
    parts = {f"part_{at}": each for at, each in enumerate(sentences)}
    return Sentence(" ".join(f"{{{name}}}" for name in parts), parts)


def _plain(value: object) -> object:
    """Return a value that can be stored, and said again in another language."""
    if isinstance(value, Sentence) or value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


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

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Sentence):
            value = _said(value.template, value.many, value.data, self._language)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{value:{format_spec}}" if format_spec.lstrip(".").isdigit() else str(value)
        return self._language.number(format(value, format_spec))
