"""What a child process that reads foreign bytes may take: the kernel sees to it.

Too much memory is not given, and the end of whoever started it ends it, at any moment.
"""

import fcntl
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path


def limit_memory(more_bytes: int) -> None:
    """Give this process so much memory beside what it has, where its size can be limited."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_size_bytes() + more_bytes, _hard_memory()))


def unlimit_memory() -> None:
    """Take the limit off again."""
    hard = _hard_memory()
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _hard_memory() -> int:
    return resource.getrlimit(resource.RLIMIT_AS)[1]


def _size_bytes() -> int:
    n_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return n_pages * resource.getpagesize()


def limit_files(most_bytes: int) -> None:
    """Let this process write no file that is larger, and leave none of its memory behind."""
    for limit, most in ((resource.RLIMIT_FSIZE, most_bytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))


def heed_signals(pipe: int) -> None:
    """Ignore what a terminal sends to all its processes, and let the pipe's end be watched for."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        # Whoever asked ends it: a Ctrl-C goes to all of a terminal's processes.
        signal.signal(ignored, signal.SIG_IGN)
    for ending in (signal.SIGPROF, signal.SIGIO):
        # They end the process, in the middle of a decoder too: nobody handles them.
        signal.signal(ending, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())


def watch(pipe: int, *, is_watched: bool) -> None:
    """While a job is done nothing can come through the pipe but its end, which ends the process."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    flags = flags | os.O_ASYNC if is_watched else flags & ~os.O_ASYNC
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)
