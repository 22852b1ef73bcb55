"""The command line: what a terminal can show, and failures as sentences instead of tracebacks."""

import codecs
import gc
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import translation

from wording import say

#: What a console without Unicode gets instead; anything else is escaped.
PLAIN = {
    "→": "->",
    "…": "...",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "–": "-",
    "—": "-",
    "×": "x",
}
STOPPED = 130  # As a shell says it of a program that Ctrl-C has ended.


def run(arguments: Sequence[str]) -> int:
    """Run one management command; return the exit code.

    What somebody at a terminal can mend (a setting, the database) ends with one sentence and 1,
    Ctrl-C with 130. Only with `--traceback` are they shown as Python's errors.
    """
    write_plainly(sys.stdout, sys.stderr)
    try:
        _check_settings()
        _CommandLine(list(arguments)).execute()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _end(str(say("Stopped.")), STOPPED)
    except BrokenPipeError:
        return _hang_up()
    except (ImproperlyConfigured, OperationalError, InterfaceError, ProgrammingError) as error:
        if "--traceback" in arguments:
            raise
        return _end(_sentence(error), 1)
    return 0


class _CommandLine(ManagementUtility):
    """Django's; it speaks the language of whoever sits at the terminal.

    What was loaded until the command is there, the garbage collector leaves alone.
    """

    def fetch_command(self, subcommand: str) -> BaseCommand:
        # Django's catalogues need its apps, which are ready by now.
        translation.activate(settings.MADSEA_CONSOLE_LANGUAGE)
        command = super().fetch_command(subcommand)
        gc.freeze()
        gc.enable()
        return command


def write_plainly(*streams: TextIO) -> None:
    """Let streams write what their encoding lacks as something near it, instead of failing."""
    codecs.register_error("plain", _plain)
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(package) or _escaped(package) for package in lacking), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


def _check_settings() -> None:
    # Django reads them late, and from some places with an error of its own.
    _ = settings.INSTALLED_APPS


def _sentence(error: Exception) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, ImproperlyConfigured):
        return words
    is_unmigrated = isinstance(error, ProgrammingError) and "does not exist" in words
    if is_unmigrated or "no such table" in words or "no such column" in words:
        return str(
            say(
                "The database is not ready for this ({words}). Run manage.py migrate first.",
                words=words,
            )
        )
    return str(
        say(
            "The database (DATABASE_URL, by default in MADSEA_HOME) cannot be used: {words}",
            words=words,
        )
    )


def _hang_up() -> int:
    # Whoever read our output has enough: what is still to be flushed goes nowhere.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _end(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code
