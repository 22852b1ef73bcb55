"""Many ids in an address: `1-13,20`, as those of a sequence's plans mostly follow one another."""

import re
from collections.abc import Iterable

_PART = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")
#: An address that names more is none of ours.
IDS_MAX = 20_000


def as_ranges(ids: Iterable[int]) -> str:
    """Return ids as an address holds them."""
    pairs: list[list[int]] = []
    for row_id in sorted(set(ids)):
        if pairs and pairs[-1][1] == row_id - 1:
            pairs[-1][1] = row_id
        else:
            pairs.append([row_id, row_id])
    return ",".join(f"{low}-{high}" if low < high else str(low) for low, high in pairs)


def ids_in(text: str) -> list[int]:
    """Return the ids that an address holds; what is no range is passed over."""
    ids: list[int] = []
    for match in map(_PART.fullmatch, text.split(",")):
        if match is None:
            continue
        low, high = int(match[1]), int(match[2] or match[1])
        room = IDS_MAX - len(ids)
        ids.extend(range(low, min(high + 1, low + room)))
    return ids
