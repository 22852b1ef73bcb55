"""`python -m lab.hostile [KIND …]`: be hostile to Madsea, and print one line per fact.

A kind is a module of this folder with a function `facts(ground)` that yields each `Fact` as soon as
it is known. The exit code is 1 when one of them does not hold.
"""

import argparse
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from generation.runtime.processes import leave_on_sigterm
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground, ground

Kind = Callable[[Ground], Iterable[Fact]]


def kinds() -> dict[str, Kind]:
    """Return what each kind of hostility does, by its module's name."""
    here = str(Path(__file__).parent)
    names = [each.name for each in pkgutil.iter_modules([here]) if not _is_apart(each.name)]
    modules = {name: import_module(f"lab.hostile.{name}") for name in sorted(names)}
    return {name: each.facts for name, each in modules.items() if hasattr(each, "facts")}


def _is_apart(name: str) -> bool:
    return name.startswith(("_", "test_"))


def main(argv: Sequence[str] | None = None) -> int:
    """Play the kinds that were asked for; return the exit code."""
    known = kinds()
    given = _parsed(argv, known)
    leave_on_sigterm()
    with ground(keep=given.keep) as made:
        say(f"{os.environ.get('DATABASE_URL') or 'SQLite'}; {made.folder}")
        n_wrong = sum(told(known, given.kinds or list(known), made))
    return int(n_wrong > 0)


def _parsed(argv: Sequence[str] | None, known: Mapping[str, Kind]) -> argparse.Namespace:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m lab.hostile", description=__doc__, formatter_class=kind
    )
    parser.add_argument("kinds", metavar="KIND", nargs="*", help=f"of {', '.join(known)}")
    parser.add_argument("--keep", action="store_true", help="keep homes, logs and files")
    given = parser.parse_args(argv)
    unknown = [name for name in given.kinds if name not in known]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)} (known: {', '.join(known)})")
    return given


def told(known: Mapping[str, Kind], names: Iterable[str], made: Ground) -> Iterator[bool]:
    """Print the facts of these kinds; yield of each whether it is wrong."""
    for name in names:
        say(f"{name}:")
        for fact in known[name](made):
            say(f"  {fact.line()}")
            yield not fact.holds


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
