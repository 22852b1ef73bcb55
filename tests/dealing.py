"""The order of the tests over several processes: what waits and what computes, side by side.

Each process begins with a share of the list, all of one size, and who is done first takes from the
end of another's. So each share begins with the longest (real processes, browsers), and the rest is
mixed, file by file: in the order of their folders, all that waits would wait at the same time.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import islice
from typing import TypeVar

Test = TypeVar("Test")
LONGEST = ("tests/acceptance/", "tests/browser/")


def deal(tests: Sequence[Test], n_processes: int, file_of: Callable[[Test], str]) -> list[Test]:
    """Return all tests as `n_processes` take them; those of a file stay in their order."""
    files: defaultdict[str, list[Test]] = defaultdict(list)
    for test in tests:
        files[file_of(test)].append(test)
    longest = sorted((file for file in files if file.startswith(LONGEST)), key=_size_in(files))
    others = sorted(files.keys() - longest, key=lambda file: sha256(file.encode()).digest())
    rest = iter([test for file in others for test in files[file]])
    bounds = [len(tests) * n // n_processes for n in range(n_processes + 1)]
    dealt: list[Test] = []
    for n, end in enumerate(bounds[1:]):
        dealt += [test for file in longest[n::n_processes] for test in files[file]]
        dealt += islice(rest, max(0, end - len(dealt)))
    return [*dealt, *rest]


def _size_in(files: dict[str, list[Test]]) -> Callable[[str], tuple[int, str]]:
    return lambda file: (-len(files[file]), file)
