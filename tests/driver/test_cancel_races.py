"""Cancels at random moments of quick renders, over another connection than the driver's."""

import itertools
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from comfyui_preview.journal import entries
from comfyui_preview.server import PreviewServer
from generation.errors import Conflict
from generation.models import Batch, PlanRun, Version
from generation.services import plan_runs
from generation.states import RunState, VersionState
from tests import factories
from tests.driver import flying
from tests.services.counting import counted, counters

pytestmark = pytest.mark.django_db(transaction=True)

N_PLANS = 17
RENDER_S = 0.05


class Canceller:
    """Cancels each plan of a batch, one soon after it was posted, the next when it begins, ends…"""

    def __init__(self, batch: Batch, comfy: PreviewServer, seed: int) -> None:
        self._batch = batch
        self._journal = comfy.journal_path
        self._random = random.Random(seed)

    def run(self) -> list[bool]:
        """Return for each plan whether its cancel was accepted."""
        moments = itertools.cycle([self.is_posted, self.is_begun, self.is_over, self.is_reserved])
        try:
            return [
                self.cancel(run, moment)
                for run, moment in zip(self._batch.runs.order_by("position"), moments, strict=False)
            ]
        finally:
            connection.close()

    def cancel(self, run: PlanRun, moment: Callable[[PlanRun], bool]) -> bool:
        """Cancel a plan at that moment, or a little later."""
        assert flying.is_soon(lambda: moment(run))
        time.sleep(self._random.choice([0, RENDER_S * self._random.random()]))
        try:
            plan_runs.cancel(run, actor=None)
        except Conflict:
            return False
        return True

    def is_posted(self, run: PlanRun) -> bool:
        """Tell whether the server has a plan's prompt."""
        return run.attempts.filter(acknowledged_at__isnull=False).exists()

    def is_begun(self, run: PlanRun) -> bool:
        """Tell whether the server has begun to render a plan."""
        return self._is_in_journal(run, "started")

    def is_over(self, run: PlanRun) -> bool:
        """Tell whether the server has rendered a plan."""
        return self._is_in_journal(run, "finished")

    def is_reserved(self, run: PlanRun) -> bool:
        """Tell whether a plan has its version."""
        return run.versions.exists()

    def _is_in_journal(self, run: PlanRun, event: str) -> bool:
        mine = {attempt.id_on_server for attempt in run.attempts.all()}
        return any(entry["prompt_id"] in mine for entry in entries(self._journal, event))


def was_cancelled_or_kept(run: PlanRun) -> bool:
    return run.state == RunState.CANCELLED or "kept" in flying.events(run)


@pytest.mark.parametrize(
    ("generation", "seed"), [("classic", 1), ("targeted", 2), ("jobs", 3)], ids=lambda each: each
)
def test_a_raced_cancel_leaves_a_version_or_a_cancelled_plan(
    generation: str, seed: int, start_comfy: Any, projects_root: Path
) -> None:
    comfy = start_comfy(seconds_per_plan=RENDER_S, generation=generation, pre_encoded=True)
    server = factories.server(
        url=comfy.url,
        has_jobs_api=generation == "jobs",
        version=comfy.options.comfyui_version,
    )
    batch = flying.sampled(N_PLANS)

    with ThreadPoolExecutor(max_workers=1) as pool:
        accepted = pool.submit(Canceller(batch, comfy, seed).run)
        flying.drive_until(server, lambda: accepted.done() and flying.is_finished(batch))

    made = list(batch.runs.order_by("position"))
    done = [run.pk for run in made if run.state == RunState.DONE]
    versions = Version.objects.filter(run__in=done, state=VersionState.PUBLISHED)
    executed = [entry["prompt_id"] for entry in entries(comfy.journal_path, "executed")]
    rendered = [
        version.attempt.id_on_server
        for version in versions.select_related("attempt")
        if version.attempt
    ]
    assert {run.state for run in made} == {RunState.DONE, RunState.CANCELLED}
    assert accepted.result() == [was_cancelled_or_kept(run) for run in made]
    assert sorted(version.run_id or 0 for version in Version.objects.all()) == done
    assert all((projects_root / version.path).is_file() for version in versions)
    assert len(executed) == len(set(executed))
    assert set(rendered) <= set(executed)
    assert counters(batch) == counted(batch)
