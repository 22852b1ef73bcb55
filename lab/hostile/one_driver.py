"""One real driver process: reads a server, drives it for a plan, says what came of both as JSON.

`python -m lab.hostile.one_driver URL REQUEST SECONDS`, in the environment of a site.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from generation.driver import drive  # noqa: E402
from generation.models import Attempt, Batch, PlanRun, Server  # noqa: E402
from generation.services import batches, capability, servers  # noqa: E402
from generation.states import FINISHED  # noqa: E402


class StopSignal:
    """Up when the plan is finished, or the time is over."""

    def __init__(self, run: PlanRun, ends_at: float) -> None:
        self._run = run
        self.ends_at = ends_at

    def is_finished(self) -> bool:
        """Tell whether the plan has ended."""
        self._run.refresh_from_db()
        return self._run.state in FINISHED

    def poll(self) -> bool:
        """Tell whether the driver has to leave."""
        return self.is_finished() or time.monotonic() > self.ends_at


def main(url: str, request: str, seconds: float) -> dict[str, Any]:
    """Drive a plan on a server; return how it ended, and how much memory that took."""
    Server.objects.update(is_enabled=False)
    server = Server.objects.create(name=url[-60:], url=url)
    call_command("generate", request)
    batch = Batch.objects.latest("pk")
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    servers.read_now(server)
    capability.refresh()
    drive_repeatedly(server, StopSignal(batch.runs.get(), time.monotonic() + seconds))
    said = told(server, batch.runs.get()) | {"grown_mb": memory("VmHWM") - before}
    batches.cancel(batch, actor=None)
    return said


def drive_repeatedly(server: Server, stop: StopSignal) -> None:
    """Drive as the workers do: driver after driver while there is work."""
    while not stop.poll():
        drive(server.pk, stop=stop)
        time.sleep(0.2)
        servers.note_answer(server)


def told(server: Server, run: PlanRun) -> dict[str, Any]:
    """Return what a supervisor sees."""
    server.refresh_from_db()
    run.refresh_from_db()
    latest = Attempt.objects.filter(run=run).order_by("-pk").first()
    return {
        "state": run.state,
        "code": run.error_code,
        "words": run.error_message or server.health_detail,
        "n_attempts": run.attempts.count(),
        "detail": latest.outcome_detail[:100] if latest else "",
    }


def memory(name: str) -> int:
    """Return so many MiB of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) // 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2], float(sys.argv[3]))) + "\n")
