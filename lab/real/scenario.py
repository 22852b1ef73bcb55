"""The scenario: thirty plans in one batch, and what befalls them, in an order drawn by the seed."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

import requests

from lab.real import graphs
from lab.real.bystander import Bystander
from tests.processes import QUICK, Site, alive, request, wait_for

WORKFLOW = "Real.json"
PLANS = tuple(f"{10 * number:04d}" for number in range(1, 31))
#: How many plans are done when each of the four things happens.
DONE_BEFORE = (2, 5, 8, 11)
ENDS_WITHIN_S = 180.0
JUST_BEGUN_S = 0.4
OPEN = """SELECT a.prompt_id, p.code FROM generation_attempt a
    JOIN generation_planrun r ON r.id = a.run_id JOIN generation_plan p ON p.id = r.plan_id
    WHERE a.outcome = 'open' AND a.acknowledged_at IS NOT NULL"""
N_DONE = "SELECT count(*) FROM generation_planrun WHERE state = 'done'"
N_UNFINISHED = "SELECT n_queued + n_running + n_waiting FROM generation_batch"
STATE = """SELECT r.state FROM generation_planrun r JOIN generation_plan p ON p.id = r.plan_id
    WHERE p.code = '{}'"""
OWNER = "SELECT lease_owner FROM generation_server WHERE url = '{}'"


@dataclass(frozen=True)
class Cancel:
    """A cancel of one plan: what ran and what waited at its server in the moment before."""

    plan: str
    prompt_id: str
    at: Bystander
    foreign: str
    foreign_ran: bool
    sent_at: float
    gone_at: float

    @property
    def took_s(self) -> float:
        """From the request until its prompt had stopped, or was off the queue."""
        return (self.at.ran(self.prompt_id)[1] or self.gone_at) - self.sent_at


class Scenario:
    """Plays; `cancels`, `victim`, `killed_at` and `takeover_s` are what came of it."""

    def __init__(self, site: Site, token: str, bystanders: Sequence[Bystander], seed: int) -> None:
        self.site = site
        self.bystanders = bystanders
        self._chance = random.Random(seed)
        self._token = token
        self._url = ""
        self.victim, self._other = self._chance.sample(list(bystanders), 2)
        self.cancels: list[Cancel] = []
        self.killed_at = self.takeover_s = 0.0
        site.settings |= dict.fromkeys(QUICK, "")  # Times as they are by default.
        site.settings["COMFYUI_SERVERS"] = ",".join(each.comfy.url for each in bystanders)
        file = site.home / "workflows" / WORKFLOW
        file.write_text(json.dumps(graphs.ours()), encoding="utf-8")

    def play(self) -> None:
        """Play from the request to the end of the batch and of what others have posted."""
        self._work = self.site.work()
        self._url = f"{self.site.web()}/api/generate_ai_concept"
        self._batch_id = self._post("", request(PLANS, workflow_json=WORKFLOW))["batch_id"]
        acts = [self._kill_driver, self._cancel_running, self._cancel_waiting]
        self._chance.shuffle(acts)
        # Early, so that there is something left to do when it is back.
        acts.insert(self._chance.randrange(2), self._kill_server)
        for n_done, act in zip(DONE_BEFORE, acts, strict=True):
            self._wait_done(n_done)
            act()
        self._wait(lambda: self.site.value(N_UNFINISHED) == 0, "the end of the batch")
        for each in self.bystanders:
            each.leaves.set()
        for each in self.bystanders:
            each.join(ENDS_WITHIN_S)

    # What befalls --------------------------------------------------------------------------------

    def _kill_server(self) -> None:
        self._wait(lambda: self._begins(self.victim, foreign=False), "a plan on the victim")
        self.killed_at = time.time()
        self.victim.comfy.kill()
        time.sleep(self._chance.uniform(1, 4))
        self.victim.comfy.start()

    def _kill_driver(self) -> None:
        self._wait(lambda: self._begins(self._other, foreign=False), "a plan on the other server")
        query = OWNER.format(self._other.comfy.url)
        owner = self.site.value(query)
        pid = int(owner.rpartition(":")[2])
        assert pid in alive(self._work.process.pid), f"{owner} drives, and is none of ours"
        killed_at = time.time()
        os.kill(pid, signal.SIGKILL)
        self._wait(lambda: self.site.value(query) not in {owner, ""}, "another driver")
        self.takeover_s = time.time() - killed_at

    def _cancel_running(self) -> None:
        self._cancel(foreign_runs=False)

    def _cancel_waiting(self) -> None:
        self._cancel(foreign_runs=True)

    def _cancel(self, *, foreign_runs: bool) -> None:
        """Cancel a plan that has just begun while a foreign prompt waits, or the other way."""

        def moment() -> tuple[Bystander, str, str] | None:
            found = (self._begins(each, foreign=foreign_runs) for each in self.bystanders)
            return next(filter(None, found), None)

        at, first, second = self._wait(moment, "the moment for a cancel")
        prompt_id, foreign = (second, first) if foreign_runs else (first, second)
        plan, sent_at = self._plan_of(prompt_id), time.time()
        place = {"batch_id": self._batch_id, "sequence_id": "SQ0010", "plan": plan}
        self._post("/cancel", place)
        self._wait(lambda: prompt_id not in chain(*at.comfy.queue()), "the stop")
        cancel = Cancel(plan, prompt_id, at, foreign, foreign_runs, sent_at, time.time())
        self._wait(lambda: self.site.value(STATE.format(plan)) == "cancelled", "the cancel")
        # Nothing else befalls this server before it is known what became of theirs.
        self._wait(lambda: at.outcome(foreign), "the end of somebody else's prompt")
        self.cancels.append(cancel)

    # Looking -------------------------------------------------------------------------------------

    def _begins(self, at: Bystander, *, foreign: bool) -> tuple[Bystander, str, str] | None:
        """Return what has just begun at a server, theirs or ours, and the next of the other's."""
        looked = at.looked
        first = looked.running
        if not first or looked.age_s > JUST_BEGUN_S or (first in at.posted) != foreign:
            return None
        ours = self._ours()
        others = [each for each in looked.waiting if each in (ours if foreign else at.posted)]
        return (at, first, others[0]) if others and ours & {first, others[0]} else None

    def _ours(self) -> set[str]:
        return {str(UUID(str(prompt_id))) for prompt_id, _ in self.site.rows(OPEN)}

    def _plan_of(self, prompt_id: str) -> str:
        return next(
            str(plan) for of, plan in self.site.rows(OPEN) if str(UUID(str(of))) == prompt_id
        )

    def _wait_done(self, n_plans: int) -> None:
        self._wait(lambda: self.site.value(N_DONE) >= n_plans, f"{n_plans} plans")

    @staticmethod
    def _wait(what: Callable[[], Any], name: str) -> Any:
        return wait_for(what, ENDS_WITHIN_S, name)

    def _post(self, action: str, body: object) -> dict[str, str]:
        headers = {"Authorization": f"Token {self._token}"}
        answer = requests.post(self._url + action, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())
