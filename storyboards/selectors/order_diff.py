"""Which things of an order stand elsewhere than before. Pure."""

from bisect import bisect_left
from collections.abc import Sequence


def moved(ranks: Sequence[int]) -> set[int]:
    """Return the places of a sequence that stand out of order: the fewest that explain it all.

    `ranks` are the former places of things, all different, in their order now.
    """
    tails: list[int] = []  # the place at which the best run of each length ends
    before: list[int | None] = []
    for at, rank in enumerate(ranks):
        length = bisect_left([ranks[tail] for tail in tails], rank)
        before.append(tails[length - 1] if length else None)
        tails[length : length + 1] = [at]
    kept: set[int] = set()
    at_last: int | None = tails[-1] if tails else None
    while at_last is not None:
        kept.add(at_last)
        at_last = before[at_last]
    return {at for at in range(len(ranks)) if at not in kept}
