"""Several real connections at once: every act waits at a barrier, then all go."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from generation.errors import MadseaError

WAIT_S = 20


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts at the same moment, each on a connection of its own.

    Returns what each returned, or the MadseaError that it ended with.
    """
    barrier = threading.Barrier(len(acts))
    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        futures = [pool.submit(_run, barrier, act) for act in acts]
        return [future.result(timeout=WAIT_S) for future in futures]


def _run(barrier: threading.Barrier, act: Callable[[], Any]) -> Any:
    try:
        connection.ensure_connection()
        barrier.wait(WAIT_S)
        return act()
    except MadseaError as error:
        return error
    finally:
        connection.close()


def errors(results: Sequence[Any]) -> list[str]:
    """Return the codes of the acts that ended with an error."""
    return [result.code for result in results if isinstance(result, MadseaError)]
