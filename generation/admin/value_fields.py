"""The values of workflows as fields: each in its bounds, what differs from its default told apart.

A field carries what it would be by itself (`was:<name>`): what is typed counts as changed where it
is another text. So the default may change with the style, and what was changed stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from generation.parameter_sources import ValueSource
from generation.services.requests_from_plans import OfferedParameter
from generation.workflows.parameters import Parameter
from wording import say

#: A slider has no more places than this: beyond, a number is typed.
SLIDER_PLACES_MAX = 1000
#: Whose a value is that nobody has changed.
_WORDS = {
    ValueSource.WORKFLOW: say("the workflow's"),
    ValueSource.PRESET: say("the preset"),
    ValueSource.STYLE: say("the style's"),
    ValueSource.VARIANT: say("the light variant's"),
}


@dataclass(frozen=True)
class Default:
    """What a parameter is by itself, as a field writes it, and whose it is.

    `text` is None where there is no single one: each plan or style brings its own.
    """

    text: str | None
    whose: str


@dataclass
class ValueField:
    """One parameter in the form: its default, what the form holds, what is wrong with that."""

    parameter: Parameter
    default: Default
    text: str
    problem: str = ""

    @property
    def name(self) -> str:
        """How the form calls it."""
        return f"value:{self.parameter.name}"

    @property
    def label(self) -> str:
        """What people call it."""
        return self.parameter.label or self.parameter.name.replace("_", " ").capitalize()

    @property
    def held(self) -> str:
        """What it would hold unchanged."""
        return self.default.text or ""

    @property
    def is_changed(self) -> bool:
        """Whether it holds something else than its default."""
        return self.text != self.held

    @property
    def is_long(self) -> bool:
        """Whether it is a text of several lines."""
        return self.parameter.type == "STRING"

    @property
    def unchanged(self) -> str:
        """What it is by itself, in words, beside something that was put in its place."""
        held = self.default.text
        if held is None or self.is_long:
            return self.default.whose
        return f"{self.default.whose}: {held}"

    @property
    def has_slider(self) -> bool:
        """Whether its bounds are near enough to slide between."""
        of = self.parameter
        if of.type not in {"INT", "FLOAT"} or of.minimum is None or of.maximum is None:
            return False
        return (of.maximum - of.minimum) / _step(of) <= SLIDER_PLACES_MAX

    def widget(self) -> SafeString:
        """The field itself."""
        of = self.parameter
        if of.type == "BOOLEAN":
            return self._select([("true", "yes"), ("false", "no")])
        if of.options:
            return self._select([(str(option), str(option)) for option in of.options])
        if self.is_long:
            return format_html(
                '<textarea name="{}" id="{}" rows="3" class="madsea-input">\n{}</textarea>',
                self.name,
                self.name,
                self.text,
            )
        return self._input()

    def _input(self) -> SafeString:
        of = self.parameter
        is_number = of.type in {"INT", "FLOAT"}
        bounds = {"min": of.minimum, "max": of.maximum, "step": _step(of) if is_number else None}
        attributes = format_html_join(
            "",
            ' {}="{}"',
            ((name, as_text(value)) for name, value in bounds.items() if value is not None),
        )
        kind = "number" if is_number else "text"
        slider = (
            format_html('<input type="range" aria-hidden="true" tabindex="-1"{}>', attributes)
            if self.has_slider
            else ""
        )
        return format_html(
            '{}<input type="{}" name="{}" id="{}" value="{}" placeholder="{}"{}'
            ' class="madsea-number" autocomplete="off">',
            slider,
            kind,
            self.name,
            self.name,
            self.text,
            "" if self.default.text is not None else self.default.whose,
            attributes if is_number else "",
        )

    def _select(self, choices: Iterable[tuple[str, str]]) -> SafeString:
        known = list(choices)
        for text in (self.held, self.text):
            if text not in dict(known):
                known.insert(0, (text, text or self.default.whose))
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (value, SafeString(" selected") if value == self.text else "", shown)
                for value, shown in known
            ),
        )
        return format_html(
            '<select name="{}" id="{}" class="madsea-input">{}</select>',
            self.name,
            self.name,
            options,
        )

    def value(self) -> object:
        """Return what the field holds as a request gives it; a text where it is nothing else.

        What cannot be read as what it should be is given as it is: the check says why it is none.
        """
        of, text = self.parameter, self.text
        if of.type == "BOOLEAN":
            return {"true": True, "false": False}.get(text, text)
        if of.options:
            return {str(option): option for option in of.options}.get(text, text)
        try:
            return {"INT": int, "FLOAT": float}.get(of.type, str)(text)
        except ValueError:
            return text


def fields(offered: Iterable[OfferedParameter], posted: Mapping[str, str]) -> list[ValueField]:
    """Return the fields of what is offered, which hold what was posted; long texts come last."""
    made = [_field(of.parameter, _default(of.found), posted) for of in offered]
    return sorted(made, key=lambda field: field.is_long)


def _field(of: Parameter, default: Default, posted: Mapping[str, str]) -> ValueField:
    made = ValueField(of, default, default.text or "")
    given = _lines(posted.get(made.name))
    before = _lines(posted.get(f"was:{of.name}"))
    if given is not None and given != before:
        made.text = given
    return made


def _lines(text: str | None) -> str | None:
    """Return a text with plain ends of lines: browsers have their own."""
    return None if text is None else text.replace("\r\n", "\n")


def _default(found: Sequence[tuple[object, str]]) -> Default:
    if any(source == ValueSource.DRAWN for _, source in found):
        return Default(None, say("drawn for each picture"))
    texts, sources = {as_text(value) for value, _ in found}, {source for _, source in found}
    if len(texts) > 1:
        return Default(None, say("each style its own"))
    whose = _WORDS[ValueSource(sources.pop())] if len(sources) == 1 else say("by itself")
    return Default(texts.pop(), whose)


def as_text(value: object) -> str:
    """Return a value as a field writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _step(of: Parameter) -> float:
    return of.step or (1 if of.type == "INT" else 0.01)
