"""What a request costs a process, as the kernel counts it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.benchmarks import process_usage
from lab.hostile import raw_requests
from lab.hostile.raw_requests import Reply

#: What is closed behind an answer takes its time too.
SETTLE_S = 0.2
_RESET_PEAK = "5"


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU and MiB of memory at the peak, beside the answer."""

    reply: Reply
    cpu_s: float
    memory_mib: float

    def said(self) -> str:
        """Return it for people."""
        answer = self.reply.status or "closed"
        spent = f"{self.cpu_s:.2f} s of CPU, {max(0, self.memory_mib):.1f} MiB"
        return f"{answer}, {spent}, {self.reply.n_bytes:,} bytes answered"


def of(pid: int, port: int, parts: Iterable[bytes]) -> Cost:
    """Send a request to a process that does nothing else, and return what it cost."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
    resident, cpu_s = process_usage.resident_mib(pid), process_usage.cpu_s(pid)
    reply = raw_requests.send(port, parts)
    time.sleep(SETTLE_S)
    return Cost(reply, process_usage.cpu_s(pid) - cpu_s, process_usage.peak_mib(pid) - resident)
