"""Where a case plays: preview servers with real sockets, and a driver that renders one plan."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import requests

from comfyui_preview.journal import entries
from comfyui_preview.server import PreviewServer
from generation.driver import drive
from generation.models import Attempt, Batch, LogEntry, PlanRun, Server
from generation.selectors import logs
from generation.services import capability, tick
from generation.states import FINISHED, RunState
from tests import factories
from tests.driver import flying

#: Far more than any case takes on a machine with nothing else to do.
GIVE_UP_S = 300.0
TICK_EVERY_S = 0.5
#: Longer than a driver takes to tell that it gets no answer, however slow the machine is.
SHUT_MOST_S = 240.0
#: A prompt of somebody else's, that takes as long as its server does.
FOREIGN = {
    **flying.SAMPLED,
    "6": {
        "class_type": "SaveImage",
        "inputs": {"images": ["5", 0], "filename_prefix": "somebody/else"},
    },
}


class StopSignal:
    """Tells a driver to leave as soon as `is_over`."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over

    def poll(self) -> bool:
        return self._is_over()


class Scene:
    """The servers (`comfy` is the first), the batch of one plan, and who else is about."""

    def __init__(self, comfies: list[PreviewServer], graph: Mapping[str, Any]) -> None:
        self.comfies = comfies
        self.servers = [
            factories.server(f"gpu-{number}", url=comfy.url)
            for number, comfy in enumerate(comfies, start=1)
        ]
        self._graph = dict(graph)
        self._ends_at = time.monotonic() + GIVE_UP_S
        self._ticked_at = 0.0
        self.foreign: list[str] = []
        self.batch: Batch

    # What there is -----------------------------------------------------------------------------

    @property
    def comfy(self) -> PreviewServer:
        """The server that the fault is at."""
        return self.comfies[0]

    @property
    def server(self) -> Server:
        """Its row."""
        return self.servers[0]

    @property
    def run(self) -> PlanRun:
        """The plan's run, as it is now."""
        return self.batch.runs.get()

    @property
    def attempt(self) -> Attempt:
        """The plan's latest attempt."""
        return Attempt.objects.filter(run__batch=self.batch).latest("pk")

    @property
    def prompt_id(self) -> str:
        """The prompt id of the latest attempt."""
        return str(self.attempt.prompt_id)

    def ask(self) -> None:
        """Ask for the plan."""
        workflow = flying.workflow(self._graph)
        needs = capability.keep(capability.needs_of_workflow(workflow, {}))
        capability.refresh([needs])
        loads = any(node["class_type"] == "LoadImage" for node in self._graph.values())
        self.batch = factories.batch(
            [RunState.QUEUED], workflow=workflow, needs=needs, needs_panel=loads
        )
        if loads:
            flying.panel(self.batch.runs.get().plan)

    # What others do ----------------------------------------------------------------------------

    def post(self, path: str, body: Any) -> requests.Response:
        """Say something to the first server, as anybody can."""
        return requests.post(self.comfy.url + path, json=body, timeout=60)

    def post_foreign(self, **more: Any) -> str:
        """Queue somebody else's prompt there."""
        body = {"prompt": FOREIGN, "prompt_id": str(uuid.uuid4()), "client_id": "somebody", **more}
        answer = self.post("/prompt", body)
        answer.raise_for_status()
        self.foreign.append(str(answer.json()["prompt_id"]))
        return self.foreign[-1]

    def hurry(self) -> None:
        """Let the first server be as fast as it can from its next prompt on, and end this one."""
        engine = self.comfy.engine
        engine.options = replace(engine.options, seconds_per_plan=None)
        engine.interrupts.request()

    def stay_away_until_told(self) -> bool:
        """Restart the first server, shut until the log says so; tell whether it is back."""
        if not self.happened("lost"):
            self.comfy.restart(down_s=SHUT_MOST_S)
        if "unanswered" not in self.events():
            return False
        self.comfy.come_back()
        return True

    # What has happened -------------------------------------------------------------------------

    def is_on_server(self) -> bool:
        """Tell whether the latest attempt was acknowledged and is open."""
        known = Attempt.objects.filter(run__batch=self.batch, acknowledged_at__isnull=False)
        return known.filter(outcome="open").exists()

    def happened(self, event: str, n_times: int = 1, *, on: int = 0) -> bool:
        """Tell whether a server's journal has an event of ours so many times."""
        return sum(1 for each in self.journal(on) if each["event"] == event) >= n_times

    def journal(self, on: int = 0) -> list[dict[str, Any]]:
        """Return what a server did of ours."""
        found = entries(self.comfies[on].journal_path)
        return [each for each in found if each.get("prompt_id") not in self.foreign]

    def renders(self) -> int:
        """Return how often a SaveImage node of ours was executed, on all servers together."""
        return sum(
            each["event"] == "executed" and each["class_type"] == "SaveImage"
            for on in range(len(self.comfies))
            for each in self.journal(on)
        )

    def is_running(self) -> bool:
        """Tell whether our prompt is the one that runs on the first server."""
        running = self.comfy.engine.queue.running()
        return bool(running) and running[0][1] not in self.foreign

    def outcomes(self) -> tuple[str, ...]:
        """Return how the attempts ended, oldest first."""
        return tuple(flying.outcomes(self.batch))

    def events(self) -> tuple[str, ...]:
        """Return the events of the plan's log, oldest first."""
        return tuple(flying.events(self.run))

    def sentences(self) -> list[str]:
        """Return what the plan's log says, oldest first."""
        rows = LogEntry.objects.filter(run=self.run).order_by("pk")
        return [line["message"] for line in logs.lines(rows)]

    # Rendering ---------------------------------------------------------------------------------

    def render(self, has_acted: Callable[["Scene"], bool], until: str) -> None:
        """Drive the servers in turn until the plan has ended and all acts are done.

        `until` is the state to wait for, which a finished plan need not reach.
        """
        acted = flying.Once(lambda: has_acted(self), lambda: None)
        self._ticked_at = time.monotonic()
        stop = StopSignal(lambda: self._is_over(acted, {*FINISHED, until}))
        while not stop.poll():
            for server in self.servers:
                drive(server.pk, stop=stop)

    def _is_over(self, acted: flying.Once, ends: set[str]) -> bool:
        assert time.monotonic() < self._ends_at, f"It went on: {self.sentences()}"
        self._tick()
        return acted() and self.run.state in ends

    def _tick(self) -> None:
        if time.monotonic() - self._ticked_at > TICK_EVERY_S:
            self._ticked_at = time.monotonic()
            tick.tick()
