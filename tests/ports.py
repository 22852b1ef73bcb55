"""Ports for processes that are started later, which nobody takes in between.

A port that the system chooses is free again at once, and it may give it to the next who asks, or
to a connection that goes out, before whoever it is meant for listens there. So these are below
those that it chooses from, and each is claimed by a lock that lasts as long as its process.
"""

import fcntl
import getpass
import random
import socket
import tempfile
from pathlib import Path
from typing import IO

#: Below Linux' own (`ip_local_port_range`).
PORTS = range(20_000, 32_768)

_FOLDER = Path(tempfile.gettempdir()) / f"madsea-ports-{getpass.getuser()}"
_claims: list[IO[str]] = []


def own_port() -> int:
    """Return a free port of 127.0.0.1 that no other process of tests on this machine is given.

    Raises:
        OSError: all of them are taken.
    """
    _FOLDER.mkdir(exist_ok=True)
    for port in random.Random().sample(PORTS, len(PORTS)):
        if _claim(port):
            return port
    raise OSError(f"no port from {PORTS[0]} to {PORTS[-1]} is free")


def _claim(port: int) -> bool:
    """Claim a port for this process; tell whether it is its own now."""
    claim = (_FOLDER / str(port)).open("w")
    if _lock(claim) and _is_free(port):
        _claims.append(claim)
        return True
    claim.close()
    return False


def _lock(claim: IO[str]) -> bool:
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
