"""Reading JSON that a server, a file or a stranger wrote: nothing about its shape is believed."""

import json
import math
import re
from typing import TypeAlias, cast

Json: TypeAlias = dict[str, object]

#: Lone surrogates become characters of a private plane that nobody uses, and can be told again.
_PLANE = 0x100000
_KEPT = re.compile("[\U0010d800-\U0010dfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_MAY_BE_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]|\\u(?:0000|[dD][89a-fA-F])")


def lenient_json(text: str | bytes) -> object:
    """Parse JSON as ComfyUI writes it: NaN and the infinities become None, all text `storable`.

    Raises ValueError on what is no JSON, or nested too deep to read. Source: protocol.md §1.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        return _all_storable(value) if _MAY_BE_UNSTORABLE.search(text) else value
    except RecursionError as error:
        raise ValueError("The JSON is nested too deep.") from error


def exact_json(value: object) -> bytes:
    """Write JSON for a server: the names that it gave are written as it gave them."""
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    told = _KEPT.sub(lambda found: chr(ord(found[0]) - _PLANE), written)
    # UTF-8 has no form for a lone surrogate: it becomes `\udce9`, as JSON has it.
    return told.encode("utf-8", errors="backslashreplace")


def text(said: object, key: str) -> str:
    """Return `said[key]`; empty when it is no string."""
    value = mapping(said).get(key)
    return value if isinstance(value, str) else ""


def storable(value: str) -> str:
    """Return the text without what databases refuse: NUL and lone surrogates.

    A file name that is no UTF-8 holds lone surrogates (`mod\\udce9le`, as Python reads it): each
    becomes a private character, which `exact_json` turns back. Storing twice changes nothing.
    """
    return _UNSTORABLE.sub(_private, value)


def _private(found: re.Match[str]) -> str:
    return "" if found[0] == "\x00" else chr(ord(found[0]) + _PLANE)


def _all_storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_all_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): _all_storable(item) for key, item in value.items()}
    return value


def mapping(value: object) -> Json:
    """Return the value if it is a JSON object, else an empty one."""
    return cast(Json, value) if isinstance(value, dict) else {}


def integer(value: object) -> int | None:
    """Return a finite number as an int, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or math.isfinite(value) else None


def number(value: object) -> float | None:
    """Return a finite number as a float, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def listed(value: object) -> list[object]:
    """Return the value if it is a JSON list, else an empty one."""
    return value if isinstance(value, list) else []


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a list; empty when it is no list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None
