"""Starts a process of Madsea with a witness in it: files and network while in a transaction.

Usage: transaction_witness.py work [its own arguments], or, with the web application,
`uvicorn lab.chaos.witnessed_asgi:application`.

Each call to storage or to a ComfyUI server is a dot in a file; one inside a transaction is a line.
"""

import functools
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "witness"
WATCHED = (
    "generation.storage:stage",
    "generation.storage:link",
    "generation.storage:read",
    "generation.storage:read_in_pieces",
    "generation.storage:discard",
    "generation.storage:left_over",
    "generation.storage:clear",
    "generation.storage:probe",
    "generation.storage:survey",
    "generation.storage:read_mark",
    "generation.storage:make_mark",
    "generation.storage:is_there",
    "generation.comfyui.http_transport:Transport.send",
    "generation.comfyui.http_transport:Transport.status_only",
    "generation.comfyui.socket:Socket.connect",
)


def _note(name: str, text: str) -> None:
    folder = Path(os.environ["MADSEA_HOME"]) / FOLDER
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _watched(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    connection = importlib.import_module("django.db").connection

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        _note("calls", ".")
        if connection.in_atomic_block:
            callers = [f"{each.name}:{each.lineno}" for each in traceback.extract_stack()[-8:-1]]
            _note("offences", f"{name} from {' > '.join(callers)}\n")
        return real(*args, **kwargs)

    return call


def install() -> None:
    """Watch this process from now on."""
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
    importlib.import_module("django").setup()
    for target in WATCHED:
        owner, name = owner_of(target)
        setattr(owner, name, _watched(getattr(owner, name), target))


def owner_of(target: str) -> tuple[Any, str]:
    """Return the module or class that has what is watched, and its name there."""
    module_name, _, path = target.partition(":")
    *classes, name = path.split(".")
    return functools.reduce(getattr, classes, importlib.import_module(module_name)), name


def main() -> None:
    """Become `manage.py` with the arguments given."""
    # The settings look at the command that runs.
    sys.argv = [str(ROOT / "manage.py"), *sys.argv[1:]]
    install()
    importlib.import_module("django.core.management").execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
