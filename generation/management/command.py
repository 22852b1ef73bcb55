"""What all commands share: expected failures become `CommandError`, long work shows a bar."""

import re
from argparse import Action, ArgumentTypeError
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    DjangoHelpFormatter,
)
from tqdm import tqdm

from generation.errors import InvalidRequest, MadseaError, first_problems
from generation.services import permissions
from generation.services.permissions import Needed
from wording import say, say_n

Item = TypeVar("Item")
#: The spaces of French, which stand before a colon and in numbers.
_SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
#: What commands count.
_COUNTED: Mapping[str, Callable[[int], str]] = {
    "plan": lambda n: say_n("{n} plan", "{n} plans", n),
    "approved plan": lambda n: say_n("{n} approved plan", "{n} approved plans", n),
    "batch": lambda n: say_n("{n} batch", "{n} batches", n),
    "image": lambda n: say_n("{n} image", "{n} images", n),
    "legal file": lambda n: say_n("{n} legal file", "{n} legal files", n),
    "parameter": lambda n: say_n("{n} parameter", "{n} parameters", n),
    "question": lambda n: say_n("{n} question", "{n} questions", n),
    "version": lambda n: say_n("{n} version", "{n} versions", n),
    "file": lambda n: say_n("{n} file", "{n} files", n),
    "worker": lambda n: say_n("{n} worker", "{n} workers", n),
    "server": lambda n: say_n("{n} server", "{n} servers", n),
    "storyboard": lambda n: say_n("{n} storyboard", "{n} storyboards", n),
    "decision": lambda n: say_n("{n} decision", "{n} decisions", n),
    "row": lambda n: say_n("{n} row", "{n} rows", n),
    "picture": lambda n: say_n("{n} picture", "{n} pictures", n),
    "recipient": lambda n: say_n("{n} recipient", "{n} recipients", n),
    "board": lambda n: say_n("{n} board", "{n} boards", n),
}


class HelpInWords(DjangoHelpFormatter):
    """Tells helps in the language of whoever asks for them: argparse takes them as they are."""

    def _get_help_string(self, action: Action) -> str | None:
        return str(action.help) if action.help else action.help

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return super()._fill_text(str(text), width, indent)


class MadseaCommand(BaseCommand):
    """A command that ends with a sentence, whatever happens."""

    # `check` and `work` run them: a full disk is no reason to refuse a cancel.
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, whose helps are told in the language of whoever asks for them."""
        words = {"formatter_class": HelpInWords} | kwargs
        return super().create_parser(prog_name, subcommand, **words)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; an error of Madsea's tree is an expected failure.

        Raises:
            CommandError: with what went wrong, one line for each problem.
        """
        try:
            return super().execute(*args, **options)
        except InvalidRequest as error:
            lines = [
                f"{each.attr or 'request'}: {each.detail}"
                for each in first_problems(error.problems)
            ]
            raise CommandError("\n".join(lines)) from error
        except MadseaError as error:
            raise CommandError(error.detail) from error


def add_actor(parser: CommandParser) -> None:
    """Add `--as`: on whose behalf the command acts."""
    parser.add_argument(
        "--as", dest="user", metavar="USER", help=say("the user to record as having done this")
    )


def actor(options: dict[str, Any], needed: Needed | None = None) -> User | None:
    """Return the user of `--as`; None when it was not given.

    `needed` is what the command takes: asked before it reads anything else.

    Raises:
        CommandError: there is no such user.
        Forbidden: they may not do what is `needed`.
    """
    name = options["user"]
    if name is None:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(say("There is no active user {name!r}.", name=name))
    if needed is not None:
        permissions.require(found, *needed)
    return found


def add_dry_run(parser: CommandParser) -> None:
    """Add `--dry-run`."""
    parser.add_argument(
        "--dry-run", action="store_true", help=say("say what would be done, do nothing")
    )


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between `low` and `high`, both included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            must = say(
                "must be a whole number from {low} to {high}, not {text!r:.60}",
                low=low,
                high=high,
                text=text,
            )
            raise ArgumentTypeError(str(must))
        return int(text)

    return read


def day(text: str) -> date:
    """Read a day, such as 2025-01-31.

    Raises:
        ValueError: it is none.
    """
    return date.fromisoformat(text)


def bar(items: Collection[Item], what: str) -> Iterable[Item]:
    """Pass the items on under a progress bar, on standard error when that is a terminal."""
    return tqdm(items, desc=what, unit="", disable=None, leave=False)


def counted(n: int, noun: str) -> str:
    """Return `1 plan` or `3 plans`; `noun` is one of those that commands count."""
    return _COUNTED[noun](n)


def listed(words: Iterable[str]) -> str:
    """Return words after one another, each told in the language that is spoken."""
    return ", ".join(map(str, words))


def printable(text: str) -> str:
    """Return a text whose names any terminal can show, such as one with a line break in it."""
    shown = text.encode("utf-8", "backslashreplace").decode()
    return "".join(
        each if each.isprintable() or each in _SPACES else ascii(each)[1:-1] for each in shown
    )
