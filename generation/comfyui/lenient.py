"""Reading JSON that a server, a file or a stranger wrote: nothing about its shape is believed."""

import json
import math
from typing import TypeAlias, cast

Json: TypeAlias = dict[str, object]


def lenient_json(text: str | bytes) -> object:
    """Parse JSON as ComfyUI writes it: NaN and the infinities become None.

    Raises ValueError on what is no JSON, or nested too deep to read. Source: protocol.md §1.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deep.") from error


def text(said: object, key: str) -> str:
    """Return `said[key]` as text that can be stored; empty when it is no string."""
    value = mapping(said).get(key)
    return storable(value) if isinstance(value, str) else ""


def storable(value: str) -> str:
    """Return the text without what databases refuse: NUL and lone surrogates."""
    return value.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8")


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
