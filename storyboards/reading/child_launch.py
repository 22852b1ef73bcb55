"""Reading a storyboard in a child process that has little to lose and may be ended."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from storyboards.reading import child_results
from storyboards.reading.kind_detection import Pictures
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.pictures import Progress
from storyboards.reading.storyboard_model import Storyboard

_ROOT = Path(__file__).resolve().parents[2]
_LOOK_EVERY_S = 0.1
#: How PDFium ends where it is not given the memory that it asks for.
_CRASHES = frozenset({signal.SIGABRT, signal.SIGSEGV, signal.SIGTRAP, signal.SIGILL, signal.SIGBUS})


def read_in_child(
    source: Path,
    into: Path,
    *,
    limits: ReadingLimits | None = None,
    pictures: Pictures = "first",
    on_progress: Progress | None = None,
) -> Storyboard:
    """Return the storyboard that a child process reads; its pictures are written into a folder.

    The folder is made where it is missing. Beside the pictures it holds `storyboard.json` or
    `refused.json` then, and `progress.json` from the start. `on_progress` is told as it goes on;
    what it raises ends the child.

    Raises:
        UnreadableStoryboard: the file is refused, or its reader has ended or was ended.
    """
    limits = limits or ReadingLimits()
    into.mkdir(parents=True, exist_ok=True)
    child_results.forget(into)
    child = _started(source, into, limits, pictures)
    try:
        _wait(child, into, limits, on_progress)
    finally:
        _end(child)
    storyboard = child_results.left_storyboard(into)
    if storyboard is not None:
        return storyboard
    if child.returncode == -signal.SIGXCPU:
        raise child_results.too_long(limits.cpu_s)
    if -child.returncode in _CRASHES:
        raise child_results.too_costly(limits)
    raise child_results.ended_refusal(child.returncode)


def _started(
    source: Path, into: Path, limits: ReadingLimits, pictures: Pictures
) -> "subprocess.Popen[bytes]":
    # Nothing else of our environment: it holds secrets, and this reads what anybody has sent.
    where = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        [sys.executable, "-m", "storyboards.reading"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        bufsize=0,
        cwd=_ROOT,
        env=where,
    )
    job = {
        "source": str(source.absolute()),
        "into": str(into.absolute()),
        "limits": asdict(limits),
        "pictures": pictures,
    }
    try:
        # The pipe stays open: its end tells the child that nobody waits any more.
        child.stdin.write(json.dumps(job).encode() + b"\n")  # type: ignore[union-attr]
    except BrokenPipeError:
        pass
    except BaseException:
        _end(child)
        raise
    return child


def _wait(
    child: "subprocess.Popen[bytes]",
    into: Path,
    limits: ReadingLimits,
    on_progress: Progress | None,
) -> None:
    deadline = monotonic() + limits.wall_s
    told = None
    while True:
        try:
            child.wait(_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if monotonic() > deadline:
                raise child_results.too_long(limits.wall_s) from None
        else:
            return
        finally:
            now = child_results.progress(into) if on_progress else None
            if on_progress and now and now != told:
                told = now
                on_progress(*now)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a child, if it has not ended."""
    if child.poll() is None:
        child.kill()
    if child.stdin is not None:
        child.stdin.close()
    child.wait()
