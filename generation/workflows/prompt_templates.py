"""Fields in texts that somebody gives for a prompt, such as `{plan}`: found, and filled in.

`{{` and `}}` are braces. What else stands in braces stays as it is: `{day|night}` is a choice that
some nodes make themselves; fields within it are filled in.
"""

import re
from collections.abc import Iterator, Mapping

from generation.workflows.errors import GraphError
from wording import say

#: What a plan has to put in: what it is called, and what is known of it.
NAMES = ("episode", "sequence", "plan")
TEXTS = ("description", "camera", "place", "notes", "dialogue", "label")
FIELDS = (*NAMES, *TEXTS)
_TOKEN = re.compile(r"\{([a-z_]+)\}|\{\{|\}\}|[{}]|[^{}]+")
#: What would be a weight in a prompt.
_BRACKETS = re.compile(r"[()]")


def names(text: str) -> list[str]:
    """Return the names of the fields in a text."""
    return [name for _, name in _tokens(text) if name]


def unknown(text: str) -> list[str]:
    """Return the names of fields in a text that no plan has."""
    return [name for name in names(text) if name not in FIELDS]


def has_any(text: str) -> bool:
    """Tell whether a text is anything but itself: it has a field or a doubled brace."""
    return "{" in text or "}}" in text


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the fields' values put in, so that their brackets are no weights.

    Raises:
        GraphError: it has a field of which there is no value.
    """
    return "".join(
        _escaped(_value(name, values)) if name else piece for piece, name in _tokens(text)
    )


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise GraphError(
            "unknown_field", say("There is no field {{{name}}} to put into a text.", name=name)
        )
    return values[name]


def _escaped(value: str) -> str:
    return _BRACKETS.sub(lambda found: f"\\{found[0]}", value)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield pieces of a text as they stay, or the names of fields, with an empty other half."""
    depth = 0
    for token in _TOKEN.finditer(text):
        piece, name = token[0], token[1] or ""
        if name:
            yield "", name
            continue
        if piece in ("{{", "}}") and depth == 0:
            piece = piece[0]
        else:
            depth = max(0, depth + piece.count("{") - piece.count("}"))
        yield piece, ""
