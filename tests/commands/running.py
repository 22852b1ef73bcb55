"""Runs a command as a terminal would, and gives back what it said."""

from io import StringIO
from typing import Any

from django.core.management import call_command


def run(command: str, *arguments: Any, **options: Any) -> str:
    """Return what a command writes to standard output."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, **options)
    return out.getvalue()
