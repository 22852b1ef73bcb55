"""The load: a client that plays a script over HTTP, insists on answers, and notes what it hears."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import requests

from lab.chaos import small_images
from lab.chaos.attacked_site import AttackedSite
from lab.chaos.load_script import PlanKey, Script, Step, WantedRequest
from tests.processes import PROJECT_ID

INSISTS_S = 60.0
ASK_S = 20.0


@dataclass
class Heard:
    """What one request came to: `code` and `detail` are those of a refusal."""

    verb: str
    batch_id: str
    plan: PlanKey | None
    status: int
    code: str
    detail: str
    sent_at: float
    answered_at: float
    n_tries: int


class Load(threading.Thread):
    """Plays the script; `heard`, `batches` and `wrong` are what came of it."""

    def __init__(self, field: AttackedSite, token: str, script: Script, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self._field = field
        self._script = script
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {token}"
        self._chance = random.Random(f"images {seed}")
        self._n_edits = 0
        self._revisions: dict[str, int] = {}
        self.heard: list[Heard] = []
        #: Batch ids by the number of the script's batch.
        self.batches: dict[int, str] = {}
        #: What no client may ever see, each with the number of the invariant that it breaks.
        self.wrong: list[tuple[int, str]] = []
        self.failure: BaseException | None = None
        self.over = threading.Event()

    def run(self) -> None:
        """Play every step at its time, or as soon after as the answers allow."""
        begun = time.monotonic()
        try:
            for step in self._script.steps:
                if self.over.wait(max(0.0, begun + step.at_s - time.monotonic())):
                    return
                self._play(step)
        except BaseException as error:  # noqa: BLE001 - raised again by who joins this thread
            self.failure = error

    def finish(self) -> None:
        """Send what a batch may still wait for: every panel, every resume, every upload.

        Raises:
            BaseException: what the load stumbled over.
        """
        self.join(INSISTS_S)
        self.over.set()
        if self.failure is not None:
            raise self.failure
        played = {step.plan for step in self._script.steps if step.verb == "panel"}
        for plan in sorted(filter(None, played)):
            self._panel(Step(0, "panel", plan=plan))
        for number in self.batches:
            self._steer(Step(0, "resume", number), paused=False)

    def settle(self) -> list[str]:
        """Retry what failed, upload what is waited for; return the batches that are not at rest."""
        return [batch_id for number, batch_id in self.batches.items() if self._settle(number)]

    def _settle(self, number: int) -> bool:
        document = self._status(Step(0, "status", number))
        if document is None:
            return True
        states = {(each["sequence_id"], each["plan"]): each["status"] for each in document["plans"]}
        for plan in [plan for plan, state in states.items() if state == "waiting"]:
            self._upload(Step(0, "upload", number, plan))
        if document["counts"]["error"]:
            self._retry_batch(Step(0, "retry_batch", number))
        return not set(states.values()) <= {"done", "cancelled"}

    # The verbs -----------------------------------------------------------------------------------

    def _play(self, step: Step) -> None:
        if step.verb == "create":
            self._create(step)
        elif step.verb in {"panel", "new_panel"}:
            self._panel(step)
        elif step.verb == "edit_workflow":
            self._edit_workflow(step)
        elif step.batch in self.batches:
            verbs: dict[str, Callable[[Step], Any]] = {
                "pause": lambda each: self._steer(each, paused=True),
                "resume": lambda each: self._steer(each, paused=False),
                "priority": lambda each: self._steer(each, priority=each.value),
            }
            verbs.get(step.verb, getattr(self, f"_{step.verb}", None))(step)  # type: ignore[misc]

    def _create(self, step: Step) -> None:
        wanted = self._script.wanted[step.batch]
        answer = self._generate(step, wanted, wanted.body)
        if answer.status_code == 201:
            self.batches[step.batch] = answer.json()["batch_id"]

    def _replay(self, step: Step) -> None:
        wanted = self._script.wanted[step.batch]
        answer = self._generate(step, wanted, wanted.body)
        made = answer.json().get("batch_id")
        if made != self.batches[step.batch] or "Idempotent-Replayed" not in answer.headers:
            self.wrong.append((2, f"key {wanted.key} made {self.batches[step.batch]}, then {made}"))

    def _mismatch(self, step: Step) -> None:
        wanted = self._script.wanted[step.batch]
        answer = self._generate(step, wanted, wanted.body | {"style": "labo"})
        if answer.status_code != 409:
            self.wrong.append((2, f"key {wanted.key} with another body: {answer.status_code}"))

    def _generate(
        self, step: Step, wanted: WantedRequest, body: dict[str, Any]
    ) -> requests.Response:
        headers = {"Idempotency-Key": wanted.key}
        return self._ask(step, "POST", "generate_ai_concept", json=body, headers=headers)

    def _cancel_plan(self, step: Step) -> None:
        self._ask(step, "POST", "generate_ai_concept/cancel", json=self._place(step))

    def _cancel_batch(self, step: Step) -> None:
        self._ask(step, "POST", "generate_ai_concept/cancel", json=self._whole(step))

    def _retry_plan(self, step: Step) -> None:
        self._ask(step, "POST", "generate_ai_concept/retry", json=self._place(step))

    def _retry_batch(self, step: Step) -> None:
        self._ask(step, "POST", "generate_ai_concept/retry", json=self._whole(step))

    def _upload(self, step: Step) -> None:
        files = {"file": ("by-hand.png", self._image())}
        self._ask(step, "POST", "generate_ai_concept/upload", data=self._place(step), files=files)

    def _panel(self, step: Step) -> None:
        assert step.plan is not None
        place = {"project_id": PROJECT_ID, "season": "S02", "episode": "E202"}
        data = place | {"sequence_id": step.plan[0], "plan": step.plan[1]}
        self._ask(step, "POST", "panels", data=data, files={"file": ("p.png", self._image())})

    def _steer(self, step: Step, **change: Any) -> None:
        self._ask(step, "PATCH", f"batches/{self.batches[step.batch]}", json=change)

    def _queue(self, step: Step) -> None:
        self._ask(step, "GET", "queue")

    def _edit_workflow(self, step: Step) -> None:
        """Change the file that running batches were made from."""
        file = self._field.workflows / "Silhouette.json"
        graph = json.loads(file.read_text(encoding="utf-8"))
        graph["3"]["inputs"]["blur_radius"] = 1 + step.value % 20
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(graph), encoding="utf-8")
        draft.replace(file)
        self._n_edits += 1

    def _status(self, step: Step) -> Any:
        answer = self._ask(step, "GET", "generate_ai_concept/status", params=self._whole(step))
        if answer.status_code != 200:
            return None
        self._judge(answer.json())
        return answer.json()

    # Asking --------------------------------------------------------------------------------------

    def _whole(self, step: Step) -> dict[str, str]:
        return {"batch_id": self.batches[step.batch]}

    def _place(self, step: Step) -> dict[str, str]:
        assert step.plan is not None
        return {**self._whole(step), "sequence_id": step.plan[0], "plan": step.plan[1]}

    def _image(self) -> bytes:
        return small_images.png(f"#{self._chance.randrange(2**24):06x}")

    def _ask(self, step: Step, method: str, path: str, **given: Any) -> requests.Response:
        """Ask until there is an answer that is no server's error; note the last one."""
        sent_at, n_tries = time.time(), 0
        while True:
            n_tries += 1
            try:
                url = f"{self._field.url}/api/{path}"
                answer = self._session.request(method, url, timeout=ASK_S, **given)
            except requests.RequestException:
                answer = requests.Response()
                answer.status_code, answer._content = 599, b"{}"
            if answer.status_code < 500 or time.time() - sent_at > INSISTS_S:
                break
            time.sleep(0.3)
        self._note(step, answer, sent_at, n_tries)
        return answer

    def _note(self, step: Step, answer: requests.Response, sent_at: float, n_tries: int) -> None:
        refused = answer.json() if answer.status_code >= 400 else {}
        batch_id = self.batches.get(step.batch, "")
        code, detail = refused.get("code", ""), refused.get("detail", "")
        heard = Heard(
            step.verb,
            batch_id,
            step.plan,
            answer.status_code,
            code,
            detail,
            sent_at,
            time.time(),
            n_tries,
        )
        self.heard.append(heard)
        if answer.status_code >= 400 and not (code and detail):
            self.wrong.append((11, f"{step.verb} was answered {answer.status_code}: {refused}"))

    def _judge(self, document: dict[str, Any]) -> None:
        """Hold a status document against what every document must be."""
        batch_id, revision = document["batch_id"], document["revision"]
        if revision < self._revisions.get(batch_id, 0):
            self.wrong.append((7, f"the revision of {batch_id} fell to {revision}"))
        self._revisions[batch_id] = revision
        for plan in document["plans"]:
            self._judge_plan(batch_id, plan)

    def _judge_plan(self, batch_id: str, plan: dict[str, Any]) -> None:
        name, state = f"{batch_id} {plan['sequence_id']}-{plan['plan']}", plan["status"]
        if state in {"queued", "waiting"} and not (plan["waits"] or {}).get("message"):
            self.wrong.append((11, f"{name} is {state} and does not say why"))
        if state == "error" and not all((plan["error"] or {"": ""}).values()):
            self.wrong.append((11, f"{name} is in error: {plan['error']}"))

    def as_json(self) -> dict[str, Any]:
        """Return what an audit has to know."""
        wanted = {batch_id: self._script.wanted[n].body for n, batch_id in self.batches.items()}
        keys = {self._script.wanted[n].key: batch_id for n, batch_id in self.batches.items()}
        heard = [asdict(each) for each in self.heard]
        asked = {"wanted": wanted, "keys": keys, "heard": heard, "n_edits": self._n_edits}
        return {**asked, "wrong": self.wrong}
