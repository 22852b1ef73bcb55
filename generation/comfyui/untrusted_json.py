"""Reading JSON that a server, a file or a stranger wrote: nothing about its shape is believed.

What comes out is finite, not deep, and holds no character that acts on a terminal or a page.
"""

import json
import math
import re
from collections.abc import Callable
from typing import TypeAlias, cast

from wording import say

Json: TypeAlias = dict[str, object]

#: More values than this, or deeper ones, are read from nobody: they take memory without end.
VALUES_MOST = 1_500_000
DEPTH_MOST = 100
#: Text that is no ASCII takes four times its bytes; ComfyUI itself writes ASCII.
_WIDE_MOST = 8 * 2**20
#: Whole numbers with more digits than 2^64 mean nothing in ComfyUI.
_DIGITS_MOST = 20
WORDS_MOST = 2000
LINE_MOST = 300
NAME_MOST = 1000

#: Characters that databases, terminals or pages do not take as text become characters of a private
#: plane that nobody uses, and can be told again: control characters, marks of direction, lone
#: surrogates. NUL is dropped; lines and tabs are kept.
_PLANE = 0x100000
_ACTS = "\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSTORABLE = re.compile(f"[\x00{_ACTS}]")
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_BREAKS = re.compile("[\t\n]")
_ACTED = (
    "\U00100001-\U0010009f\U0010061c\U0010200e\U0010200f\U00102028-\U0010202e\U00102066-\U00102069"
)
_KEPT = re.compile(f"[{_ACTED}\U0010d800-\U0010dfff]")
_KEPT_ACTS = re.compile(f"[{_ACTED}]")
#: A terminal's command, from its escape to the letter that ends it; or any other such character.
_COMMAND = re.compile("[\x1b\U0010001b](?:\\[[0-?]*[ -/]*[@-~])?")


def lenient_json(text: str | bytes, *, is_of_names: bool = False) -> object:
    """Parse JSON as ComfyUI writes it; all text becomes `storable`.

    NaN, infinities and numbers of more than 20 digits become None. `is_of_names`: all of its texts
    are names, of which none may pass for two lines. Raises ValueError on what is no JSON, or
    nested too deep, or too much to read. Source: protocol.md §1.
    """
    if _n_values(text) > VALUES_MOST:
        raise ValueError(say("The JSON holds too many values."))
    if len(text) > _WIDE_MOST and not text.isascii():
        raise ValueError(say("The JSON holds too much text."))
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    try:
        value = json.loads(
            text,
            parse_constant=lambda _: None,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError as error:
        raise ValueError(say("The JSON is nested too deep.")) from error
    return _clean(value, DEPTH_MOST, _one_line if is_of_names else storable)


def _n_values(text: str | bytes) -> int:
    """Return how many values JSON holds at the most, by its marks."""
    if isinstance(text, bytes):
        return sum(map(text.count, (b",", b":", b"[", b"{")))
    return sum(map(text.count, ",:[{"))


def exact_json(value: object) -> bytes:
    """Write JSON for a server: the names that it gave are written as it gave them."""
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    told = _KEPT.sub(lambda found: f"\\u{ord(found[0]) - _PLANE:04x}", written)
    return told.encode("utf-8", errors="backslashreplace")


def exact_text(value: str) -> str:
    """Return a name as the server gave it."""
    return _KEPT.sub(lambda found: chr(ord(found[0]) - _PLANE), value)


def text(said: object, key: str) -> str:
    """Return `said[key]`; empty when it is no string."""
    value = as_mapping(said).get(key)
    return value if isinstance(value, str) else ""


def readable_text(value: object, most: int = WORDS_MOST) -> str:
    """Return a text for people to read: without a terminal's commands, cut where it is too long.

    Empty when it is no string.
    """
    if not isinstance(value, str):
        return ""
    # What is far too long is cut first: nobody reads it, and looking through it takes long.
    plain = _KEPT_ACTS.sub("", storable(_COMMAND.sub("", value[: 4 * most])))
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def readable_line(value: object, most: int = LINE_MOST) -> str:
    """Return `readable_text` on one line."""
    return " ".join(readable_text(value, most).split())


def name_or_empty(said: object, key: str) -> str:
    """Return `said[key]`, a name that goes back to the server (`exact_text`), on one line."""
    return one_line(text(said, key))[:NAME_MOST]


def one_line(value: str) -> str:
    """Return a `storable` name of which no part passes for another line."""
    return _BREAKS.sub(_private, value)


def storable(value: str) -> str:
    """Return the text without what databases and terminals refuse or obey.

    A file name that is no UTF-8 holds lone surrogates (`mod\\udce9le`, as Python reads it): each
    becomes a private character, which `exact_json` turns back, and so does a control character.
    Storing twice changes nothing.
    """
    return _UNSTORABLE.sub(_private, value)


def is_storable(value: str) -> bool:
    """Tell whether databases take a text as it is; what a person wrote may hold any mark."""
    return not _REFUSED.search(value)


def _private(found: re.Match[str]) -> str:
    return "" if found[0] == "\x00" else chr(ord(found[0]) + _PLANE)


def _one_line(value: str) -> str:
    return one_line(storable(value))


def _clean(value: object, depth: int, told: Callable[[str], str]) -> object:
    """Clean in place: of what a server says, there is never a second copy."""
    if isinstance(value, str):
        return told(value)
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        raise ValueError(say("The JSON is nested too deep."))
    if isinstance(value, list):
        for place, item in enumerate(value):
            value[place] = _clean(item, depth - 1, told)
        return value
    for key, item in list(value.items()):
        clean_key = told(key)
        if clean_key != key:
            del value[key]
        value[clean_key] = _clean(item, depth - 1, told)
    return value


def as_mapping(value: object) -> Json:
    """Return the value if it is a JSON object, else an empty one."""
    return cast(Json, value) if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """Return a finite number below 2^64 as an int, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) <= 2**64 else None


def number(value: object) -> float | None:
    """Return a finite number as a float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def as_list(value: object) -> list[object]:
    """Return the value if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a list; empty when it is no list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS_MOST + 1 else None


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None
