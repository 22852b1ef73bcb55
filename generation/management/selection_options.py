"""The options that say which plans or batches a command is about."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management.command import day
from generation.selectors import selection
from generation.selectors.selection import Choice
from wording import say


def add_choice(parser: CommandParser, *, since: str, until: str) -> None:
    """Add the filters; `since` and `until` say in the help which days they are about."""
    parser.add_argument("--batch", metavar="ID")
    parser.add_argument("--project", metavar="PROJECT")
    parser.add_argument("--episode", metavar="E202")
    parser.add_argument("--sequence", metavar="SQ0010")
    parser.add_argument("--style", metavar="STYLE")
    parser.add_argument("--since", type=day, metavar="DAY", help=since)
    parser.add_argument("--until", type=day, metavar="DAY", help=until)
    parser.add_argument(
        "--all", action="store_true", help=say("all there are, when no filter is given")
    )


def choice(options: dict[str, Any]) -> Choice:
    """Return what the filters mean.

    Raises:
        CommandError: none is given, and `--all` is not either.
        NotFound: one names something that does not exist.
    """
    names = ("batch", "project", "episode", "sequence", "style", "since", "until")
    chosen = Choice(**{name: options[name] for name in names})
    if chosen.is_unfiltered and not options["all"]:
        raise CommandError(say("Say which: give a filter (see --help), or --all."))
    selection.check(chosen)
    return chosen
