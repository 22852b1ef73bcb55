"""What all commands share: expected failures become `CommandError`, long work shows a bar."""

import re
from argparse import ArgumentTypeError
from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from generation.errors import InvalidRequest, MadseaError, named

Item = TypeVar("Item")


class MadseaCommand(BaseCommand):
    """A command that ends with a sentence, whatever happens."""

    # `check` and `work` run them: a full disk is no reason to refuse a cancel.
    requires_system_checks = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; an error of Madsea's tree is an expected failure.

        Raises:
            CommandError: with what went wrong, one line for each problem.
        """
        try:
            return super().execute(*args, **options)
        except InvalidRequest as error:
            lines = [f"{each.attr or 'request'}: {each.detail}" for each in named(error.problems)]
            raise CommandError("\n".join(lines)) from error
        except MadseaError as error:
            raise CommandError(error.detail) from error


def add_actor(parser: CommandParser) -> None:
    """Add `--as`: on whose behalf the command acts."""
    parser.add_argument(
        "--as", dest="user", metavar="USER", help="the user to record as having done this"
    )


def actor(options: dict[str, Any]) -> User | None:
    """Return the user of `--as`; None when it was not given.

    Raises:
        CommandError: there is no such user.
    """
    name = options["user"]
    if name is None:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active user {name!r}.")
    return found


def add_dry_run(parser: CommandParser) -> None:
    """Add `--dry-run`."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between `low` and `high`, both included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ArgumentTypeError(
                f"must be a whole number from {low} to {high}, not {text!r:.60}"
            )
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
    """Return `1 plan` or `3 plans`."""
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{n} {noun if n == 1 else plural}"


def printable(text: str) -> str:
    """Return a text whose names any terminal can show, such as one with a line break in it."""
    shown = text.encode("utf-8", "backslashreplace").decode()
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in shown)
