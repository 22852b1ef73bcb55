"""The order in which people number their files: 2 before 10."""

import re

_DIGITS = re.compile(r"([0-9]+)")


def key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return the key that sorts names by their numbers' values, without regard to case."""
    parts = _DIGITS.split(name.casefold())
    return tuple(
        (1, int(part[:18]), "") if index % 2 else (0, 0, part) for index, part in enumerate(parts)
    )
