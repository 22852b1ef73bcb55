"""Fields in texts that somebody gives for a prompt, such as `{plan}`: found, and filled in.

`{{` and `}}` are braces. What else stands in braces stays as it is: `{day|night}` is a choice that
some nodes make themselves; fields within it are filled in.

A field of which there is nothing takes a comma or semicolon along, so that none is left with
nothing beside it: `street, {place}, night` becomes `street, night`, `street, {place}` `street`.
"""

import re
from collections.abc import Iterator, Mapping

from generation.workflows.errors import GraphError
from wording import say

#: What a plan has to put in: what it is called, and what is known of it.
NAMES = ("episode", "sequence", "plan")
TEXTS = ("description", "camera", "place", "notes", "dialogue", "label")
FIELDS = (*NAMES, *TEXTS)
_BEGINS_SEPARATED = re.compile(r"[ \t]*[,;][ \t]*")
_ENDS_SEPARATED = re.compile(r"[ \t]*[,;][ \t]*\Z")
#: What ends a part of a text, before which no separator stands.
_ENDS_PART = re.compile(r"[ \t]*(?:[.!?)\]\n]|\Z)")
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
    done = ""
    pieces = [*_tokens(text)]
    for at, (piece, name) in enumerate(pieces):
        if not name:
            done += piece
        elif value := _value(name, values):
            done += _escaped(value)
        else:
            done = _without(done, pieces, at)
    return done


def _without(done: str, pieces: list[tuple[str, str]], at: int) -> str:
    """Leave a field out, and a separator beside it: the one behind, else the one before."""
    before, behind = _ENDS_SEPARATED.search(done), ""
    if at + 1 < len(pieces) and not pieces[at + 1][1]:
        behind = pieces[at + 1][0]
    separator = _BEGINS_SEPARATED.match(behind)
    if separator and (before or not done.strip() or done.endswith("\n")):
        pieces[at + 1] = behind[separator.end() :], ""
    elif before and (at + 1 == len(pieces) or _ENDS_PART.match(behind)):
        return done[: before.start()]
    elif done.endswith((" ", "\n")) and behind.startswith(" "):
        pieces[at + 1] = behind[1:], ""
    return done


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
