"""`manage.py work` that is killed once, at an exact step; for tests only.

Usage: cut.py MARKER MODULE:NAME before|after process|session [work's own arguments]

The first call of the named function, in whichever process, kills that process or its whole
session, before or after the real call. The marker file makes it happen once, also after a restart.
"""

import functools
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def cut(marker: Path, whom: str) -> None:
    """Kill, unless it was done already."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    if whom == "session":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def wrapped(real: Callable[..., Any], when: str, strike: Callable[[], None]) -> Callable[..., Any]:
    """Return the function with a strike before or after it."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            strike()
        result = real(*args, **kwargs)
        if when == "after":
            strike()
        return result

    return call


def main() -> None:
    """Wrap the function and become `manage.py work`."""
    marker, target, when, whom, *arguments = sys.argv[1:]
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
    # The settings look at the command that runs.
    sys.argv = [str(ROOT / "manage.py"), "work", *arguments]
    django = importlib.import_module("django")
    django.setup()
    module_name, _, path = target.partition(":")
    owner: Any = importlib.import_module(module_name)
    *classes, name = path.split(".")
    owner = functools.reduce(getattr, classes, owner)
    strike = functools.partial(cut, Path(marker), whom)
    setattr(owner, name, wrapped(getattr(owner, name), when, strike))
    importlib.import_module("django.core.management").execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
