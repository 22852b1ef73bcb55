"""Asking one address for one thing again and again, each time over a connection of its own.

Where two servers answer in turn, behind a balancer or a name with two addresses, what one of them
has is there, gone, and there again.
"""

from collections.abc import Callable, Iterable

from generation.comfyui.client import Client
from generation.comfyui.protocol import OutputFile


def went_and_came_back(seen: Iterable[bool]) -> bool:
    """Tell whether something was there, gone, and there again: one server cannot show that."""
    told = "".join("y" if answer else "n" for answer in seen)
    return "n" in told.strip("n")


def is_mixed(seen: Iterable[bool]) -> bool:
    """Tell whether something was there at one time and not at another."""
    return len(set(seen)) > 1


def ask_history(client: Client, prompt_id: str, times: int) -> list[bool]:
    """Ask for a prompt that has ended, so many times.

    Raises:
        ComfyError: the server did not answer.
    """
    return _asked(client, times, lambda: client.history(prompt_id) is not None)


def ask_for_file(client: Client, file: OutputFile, times: int) -> list[bool]:
    """Ask whether a file is there, so many times.

    Raises:
        ComfyError: the server did not answer.
    """
    return _asked(client, times, lambda: client.view_exists(file))


def _asked(client: Client, times: int, is_there: Callable[[], bool]) -> list[bool]:
    seen = []
    for _ in range(times):
        client.drop_connection()
        seen.append(is_there())
    return seen
