"""The one error of the nomenclature: which field is wrong, and what was expected."""

import reprlib

from wording import say

_SHORTENED = reprlib.Repr()
_SHORTENED.maxstring = 60
_SHORTENED.maxother = 60


class NomenclatureError(ValueError):
    """A field of a name, an identifier or a path does not follow the nomenclature.

    `field` is the wrong field (`episode`, `plan`, `folder`, ...), `value` what was given,
    `expected` a phrase that completes "expected ...", `code` a stable word for programs.
    """

    def __init__(self, field: str, value: object, expected: str, code: str = "") -> None:
        # All arguments go to the base class, so that the error survives pickling.
        super().__init__(field, value, expected, code)
        self.field = field
        self.value = value
        self.expected = expected
        self.code = code or f"invalid_{field}"

    def __str__(self) -> str:
        told = say(
            "{field}: expected {expected}; got {value}",
            field=self.field,
            expected=self.expected,
            value=_shown(self.value),
        )
        return str(told)


def _shown(value: object) -> str:
    try:
        return _SHORTENED.repr(value)
    except ValueError:  # an integer of more digits than Python agrees to write
        return str(say("a huge {kind}", kind=type(value).__name__))
