"""Batches that a preview server renders in a moment, and a driver that stops when all is said."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import DateTimeField, F
from django.test import override_settings

from comfyui_preview.journal import entries, renders
from comfyui_preview.server import PreviewServer
from generation import storage
from generation.driver import drive
from generation.models import Attempt, Batch, LogEntry, Plan, PlanRun, Server, Workflow
from generation.states import FINISHED, RunState
from tests import factories

GIVE_UP_S = 180.0
#: Of drivers that take turns, each lives so many times as long as the one before it.
LONGER_LIFE = 1.25

#: Two nodes: the panel, turned inside out.
INVERTED: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "panel.png"}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {
        "class_type": "SaveImage",
        "inputs": {"images": ["2", 0], "filename_prefix": "x"},
        "_meta": {"title": "@result"},
    },
}

#: A sampler of ten steps, without a panel.
SAMPLED: dict[str, Any] = {
    "1": {
        "class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "RealVisXL_V5.0_fp16.safetensors"},
    },
    "2": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "a lamp"}},
    "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "4": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["2", 0],
            "latent_image": ["3", 0],
            "seed": 1,
            "steps": 10,
            "cfg": 7.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
        },
    },
    "5": {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["1", 2]}},
    "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "x"}},
}


def workflow(graph: dict[str, Any]) -> Workflow:
    """Return the frozen workflow of a graph."""
    sha256 = hashlib.sha256(json.dumps(graph).encode()).hexdigest()
    made, _ = Workflow.objects.get_or_create(name="Test.json", sha256=sha256, graph=graph)
    return made


def sampled(n_plans: int = 1, **fields: Any) -> Batch:
    """Return a batch whose plans need no panel and a sampler."""
    return factories.batch([RunState.QUEUED] * n_plans, workflow=workflow(SAMPLED), **fields)


def inverted(n_plans: int = 1, *, of: Sequence[Plan] | None = None, **fields: Any) -> Batch:
    """Return a batch whose plans have a panel each, of another colour each."""
    made = factories.batch(
        [RunState.QUEUED] * n_plans,
        of=of,
        workflow=workflow(INVERTED),
        needs_panel=True,
        **fields,
    )
    for number, run in enumerate(made.runs.all()):
        panel(run.plan, color=(number, 0, 0))
    return made


def panel(plan: Plan, color: Any = "white") -> None:
    """Give a plan a panel, if it has none."""
    if not plan.versions.filter(task="extracted-raw").exists():
        factories.version(plan, task="extracted-raw", content=factories.png(color=color))


class StopSignal:
    """Stops a driver as soon as `is_enough`, which may act as well as look; or after too long."""

    def __init__(self, is_enough: Callable[[], object]) -> None:
        self._is_enough = is_enough
        self._ends_at = time.monotonic() + GIVE_UP_S

    def poll(self) -> bool:
        assert time.monotonic() < self._ends_at, "The driver never came to that."
        return bool(self._is_enough())


class Once:
    """Acts once, when a condition is first true; then it is true itself."""

    def __init__(self, when: Callable[[], object], act: Callable[[], object]) -> None:
        self._when = when
        self._act = act
        self.has_acted = False

    def __call__(self) -> bool:
        if not self.has_acted and self._when():
            self._act()
            self.has_acted = True
        return self.has_acted


def drive_until(server: Server, is_enough: Callable[[], object]) -> None:
    """Drive a server until that is true."""
    drive(server.pk, stop=StopSignal(is_enough))


def finish(server: Server, *batches: Batch) -> None:
    """Drive a server until these batches are finished."""
    drive_until(server, lambda: all(is_finished(batch) for batch in batches))


def take_turns(server: Server, is_enough: Callable[[], object], *, most: int = 20) -> None:
    """Drive a server by one driver after the other, each for its life, until that is true.

    Each lives longer than the one before: however slow the machine is, what a driver must do in
    one life (upload a panel, decode an image) fits into that of one of them.
    """
    for turn in range(most):
        life_s = settings.MADSEA_DRIVER_LIFE_S * LONGER_LIFE**turn
        with override_settings(MADSEA_DRIVER_LIFE_S=life_s):
            drive_until(server, is_enough)
        if is_enough():
            return
    raise AssertionError("No driver ever came to that.")


def is_finished(batch: Batch) -> bool:
    """Tell whether every run of a batch is finished."""
    return not batch.runs.exclude(state__in=FINISHED).exists()


def states(batch: Batch) -> list[str]:
    """Return the states of a batch's runs, in their order."""
    return list(batch.runs.order_by("position").values_list("state", flat=True))


def events(run: PlanRun) -> list[str]:
    """Return what the log says of a run, oldest first."""
    return list(LogEntry.objects.filter(run=run).order_by("pk").values_list("event", flat=True))


def outcomes(batch: Batch) -> list[str]:
    """Return how the attempts of a batch ended, oldest first."""
    attempts = Attempt.objects.filter(run__batch=batch).order_by("pk")
    return list(attempts.values_list("outcome", flat=True))


def is_on_server(batch: Batch) -> bool:
    """Tell whether every run of a batch has an acknowledged attempt."""
    acknowledged = Attempt.objects.filter(run__batch=batch, acknowledged_at__isnull=False)
    return acknowledged.count() >= batch.runs.count()


def is_running_on(comfy: PreviewServer) -> bool:
    """Tell whether a server has begun with a prompt."""
    return any(entries(comfy.journal_path, "started"))


def n_accepted(comfy: PreviewServer) -> int:
    """Return how many prompts a server took."""
    return sum(1 for _ in entries(comfy.journal_path, "accepted"))


def render_counts(comfy: PreviewServer) -> list[int]:
    """Return how often each prefix was rendered: all 1 when nothing was rendered twice."""
    return sorted(renders(comfy.journal_path).values())


def deleted(comfy: PreviewServer) -> list[str]:
    """Return the prompts that were taken out of a server's queue."""
    return [entry["prompt_id"] for entry in entries(comfy.journal_path, "deleted")]


def outcomes_on(comfy: PreviewServer) -> list[str]:
    """Return how the prompts ended that a server ran."""
    return [entry["outcome"] for entry in entries(comfy.journal_path, "finished")]


def is_soon(is_true: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Wait a little for something to come true on the server's side; tell whether it did."""
    ends_at = time.monotonic() + within_s
    while not is_true() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return is_true()


def let_pass(span: timedelta) -> None:
    """Make everything that is written down so much older, on disk as well."""
    for model in apps.get_app_config("generation").get_models():
        times = [field.name for field in model._meta.fields if isinstance(field, DateTimeField)]
        model._default_manager.update(**{name: F(name) - span for name in times})
    for file in storage.absolute(storage.STAGING).glob("*"):
        then = file.stat().st_mtime - span.total_seconds()
        os.utime(file, (then, then))


def codes(batch: Batch) -> list[str]:
    """Return what the attempts of a batch failed of, oldest first."""
    attempts = Attempt.objects.filter(run__batch=batch).order_by("pk")
    return list(attempts.values_list("failure_code", flat=True))


def n_tries(batch: Batch) -> list[int]:
    """Return how many tries the runs of a batch have used, in their order."""
    return list(batch.runs.order_by("position").values_list("n_tries", flat=True))


def is_aside(server: Server) -> bool:
    """Tell whether a server was set aside."""
    return Server.objects.exclude(set_aside_at=None).filter(pk=server.pk).exists()
