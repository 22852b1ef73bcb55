"""The process that reads storyboards: started by whoever has work for it, one on each machine."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings

from generation.decoding.slots import alone_on_this_machine
from generation.errors import Busy

_ROOT = Path(__file__).resolve().parents[2]
COMMAND = "read_storyboards"

#: What this process has started, to be asked for its end.
_started: list["subprocess.Popen[bytes]"] = []


def lock() -> Path:
    """Return the file that whoever reads on this machine has locked."""
    return Path(settings.MADSEA_HOME) / "storyboards.lock"


def start() -> None:
    """Start a process that reads what waits, unless one reads on this machine already.

    It is neither this one's thread nor a worker of the queue: what it reads is foreign, and drivers
    may hold all workers. It ends by itself; what it leaves is taken up by the next.
    """
    _started[:] = [process for process in _started if process.poll() is None]
    try:
        with alone_on_this_machine(lock(), wait_s=0):
            pass
    except Busy:
        return
    _started.append(
        subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(_ROOT / "manage.py"), COMMAND],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    )
