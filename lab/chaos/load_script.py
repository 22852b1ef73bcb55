"""What is asked for, and when: a day of production, drawn from the seed alone."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.processes import PROJECT_ID

WITH_PANEL = tuple(("SQ0010", f"{10 * n:04d}") for n in range(1, 13))
#: Their panels are sent while batches wait for them.
WITHOUT_PANEL = tuple(("SQ0020", f"{10 * n:04d}") for n in range(1, 5))
WORKFLOWS = ("Silhouette.json", "OmbresChinoises.json")
A_BATCH_EVERY_S = 3.2
STEPS_PER_S = 0.9

PlanKey = tuple[str, str]


@dataclass(frozen=True)
class Step:
    """One thing that a client does: `batch` is the number of a created one, `value` what with."""

    at_s: float
    verb: str
    batch: int = 0
    plan: PlanKey | None = None
    value: Any = None


@dataclass(frozen=True)
class WantedRequest:
    """A batch to be asked for, and the key that it is asked for with."""

    key: str
    body: dict[str, Any]

    @property
    def plans(self) -> list[PlanKey]:
        """Its plans, as pairs of sequence and plan."""
        return [
            (each["sequence_id"], plan) for each in self.body["sequences"] for plan in each["plans"]
        ]


@dataclass
class Script:
    """Everything that is asked for, in the order of its time."""

    wanted: list[WantedRequest] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


#: How often a verb is drawn.
VERBS = {
    "cancel_plan": 6,
    "cancel_batch": 2,
    "retry_plan": 4,
    "retry_batch": 5,
    "upload": 4,
    "pause": 2,
    "resume": 4,
    "priority": 3,
    "replay": 4,
    "mismatch": 1,
    "status": 5,
    "queue": 1,
    "new_panel": 1,
    "edit_workflow": 1,
}


def draw(seed: int, lasts_s: float) -> Script:
    """Return the script of a seed."""
    chance = random.Random(f"load {seed}")
    script = Script()
    n_batches = max(3, int(lasts_s / A_BATCH_EVERY_S))
    for number in range(n_batches):
        script.wanted.append(_wanted(chance, seed, number))
        script.steps.append(Step(round(0.9 * lasts_s * number / n_batches, 2), "create", number))
    verbs = chance.choices(list(VERBS), list(VERBS.values()), k=int(lasts_s * STEPS_PER_S))
    script.steps += [_step(chance, verb, lasts_s, script.wanted) for verb in verbs]
    script.steps += [
        Step(round(chance.uniform(0.2, 0.9) * lasts_s, 2), "panel", plan=plan)
        for plan in WITHOUT_PANEL
    ]
    script.steps.sort(key=lambda step: step.at_s)
    return script


def _wanted(chance: random.Random, seed: int, number: int) -> WantedRequest:
    chosen = chance.sample(WITH_PANEL, chance.randint(4, 9))
    chosen += chance.sample(WITHOUT_PANEL, chance.choice((0, 0, 1, 2)))
    mode = "manuel" if chance.random() < 0.2 else "auto"
    body: dict[str, Any] = {
        "project_id": PROJECT_ID,
        "episode": "E202",
        "season": "S02",
        "sequences": _sequences(chosen),
        "style": "ombres_chinoises",
        "mode": mode,
    }
    if mode == "auto":
        body["workflow_json"] = chance.choice(WORKFLOWS)
        body["params"] = _params(chance, body["workflow_json"])
    return WantedRequest(f"chaos-{seed}-{number}", body)


def _params(chance: random.Random, workflow: str) -> dict[str, Any]:
    if workflow == "Silhouette.json":
        return {}
    given = {"steps": chance.randint(4, 12), "cfg": 7.5}
    return given | ({"seed": chance.randrange(2**40)} if chance.random() < 0.3 else {})


def _sequences(chosen: Sequence[PlanKey]) -> list[dict[str, Any]]:
    return [
        {"sequence_id": sequence, "plans": sorted(plan for of, plan in chosen if of == sequence)}
        for sequence in sorted({of for of, _ in chosen})
    ]


def _step(
    chance: random.Random, verb: str, lasts_s: float, wanted: Sequence[WantedRequest]
) -> Step:
    at_s = round(chance.uniform(0.02, 1.0) * lasts_s, 2)
    begun = max(1, int(len(wanted) * at_s / lasts_s))
    batch = chance.randrange(max(0, begun - 4), begun)
    plan = chance.choice(wanted[batch].plans)
    value = chance.randint(-100, 100) if verb == "priority" else chance.randrange(10**6)
    return Step(
        at_s, verb, batch, chance.choice(WITH_PANEL) if verb == "new_panel" else plan, value
    )
