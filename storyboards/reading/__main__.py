"""The child process that reads: `python -m storyboards.reading`, told by one line of JSON.

It holds no secrets. It leaves `storyboard.json` or `refused.json` in the folder, each whole or not
at all, and meanwhile `progress.json`.
"""

import json
import resource
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from generation.decoding import process_limits
from storyboards.reading import child_results
from storyboards.reading.kind_detection import read
from storyboards.reading.limits import ReadingLimits
from storyboards.reading.storyboard_model import UnreadableStoryboard

_PIPE = 0
_TELL_EVERY_S = 0.25


def main() -> None:
    """Read one storyboard, as the line on standard input asks."""
    job = json.loads(sys.stdin.readline())
    limits = ReadingLimits(**job["limits"])
    into = Path(job["into"])
    _limit(limits)
    child_results.leave_result(into, _answer(Path(job["source"]), into, limits, job["pictures"]))


def _limit(limits: ReadingLimits) -> None:
    process_limits.limit_files(limits.written_bytes)
    process_limits.heed_signals(_PIPE)
    process_limits.limit_memory(limits.memory_bytes)
    process_limits.watch(_PIPE, is_watched=True)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))


def _answer(source: Path, into: Path, limits: ReadingLimits, pictures: Any) -> child_results.Answer:
    try:
        return read(source, into, limits=limits, pictures=pictures, on_progress=_Teller(into).tell)
    except UnreadableStoryboard as error:
        return error
    except MemoryError:
        return child_results.too_costly(limits)
    except OSError as error:
        sys.stderr.write(f"storyboard: {error}\n")
        return child_results.unreadable_files(error)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a reader stumbles over
        sys.stderr.write(f"storyboard: {type(error).__name__}: {error}\n")
        return child_results.broken_refusal()


class _Teller:
    """Writes how far the read has come, now and then."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._told = float("-inf")

    def tell(self, done: int, whole: int) -> None:
        """Write it, unless that was done a moment ago."""
        now = monotonic()
        if now - self._told >= _TELL_EVERY_S or done == whole:
            self._told = now
            child_results.leave_progress(self._into, done, whole)


if __name__ == "__main__":
    main()
