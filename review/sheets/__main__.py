"""The child process that draws: `python -m review.sheets`, told by one line of JSON.

It holds no secrets. The PDF goes to standard output; ends with 0 where it is whole.
"""

import json
import resource
import sys
from contextlib import suppress

from generation.decoding import process_limits
from review.sheets.drawing import draw
from review.sheets.job import SheetJob

MEMORY_BYTES, CPU_S = 768 * 2**20, 120
_PIPE = 0


def main() -> None:
    """Draw one contact sheet, as the line on standard input asks."""
    told = json.loads(sys.stdin.readline())
    process_limits.heed_signals(_PIPE)
    process_limits.limit_memory(MEMORY_BYTES)
    process_limits.watch(_PIPE, is_watched=True)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    sys.stdout.buffer.write(draw(SheetJob.of(told)))


if __name__ == "__main__":
    main()
