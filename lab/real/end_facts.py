"""What must be true at the end: from the database, the files and the servers' own histories."""

import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from PIL import Image

from lab.real import graphs
from lab.real.scenario import PLANS, Scenario
from tests.acceptance import wholeness
from tests.processes import PROJECT_ID

#: A server that is back gets a plan within this time, a cancel stops what runs within that.
RETURNS_WITHIN_S = 10.0
STOPS_WITHIN_S = 2.0
#: A lease, a tick, and the start of a task.
TAKES_OVER_WITHIN_S = 30.0
PLACE = f"{PROJECT_ID}/E202/SQ0010/AI-concept/E202_SQ0010-{{}}_AI-concept_v0001.png"
#: Of 255: each blur and each saving may round.
COLOR_TOLERANCE = 4
STATES = """SELECT p.code, r.state FROM generation_planrun r
    JOIN generation_plan p ON p.id = r.plan_id ORDER BY p.code"""
VERSIONS = """SELECT p.code, v.number, v.state, v.path, v.sha256, a.prompt_id
    FROM generation_version v JOIN generation_plan p ON p.id = v.plan_id
    LEFT JOIN generation_attempt a ON a.id = v.attempt_id WHERE v.task = 'AI-concept'"""
ATTEMPTS = """SELECT p.code, a.prompt_id, a.outcome FROM generation_attempt a
    JOIN generation_planrun r ON r.id = a.run_id JOIN generation_plan p ON p.id = r.plan_id"""
ADOPTED = "SELECT count(*) FROM generation_logentry WHERE event = 'adopted'"


@dataclass
class Fact:
    """One thing: what it is, what was counted, and a sentence for everything wrong."""

    title: str
    said: str
    wrong: list[str] = field(default_factory=list)


def blue_of(plan: str) -> int:
    """Return the one colour of a plan's panel, and so of its image."""
    return 8 * (int(plan) // 10)


def all_of(scenario: Scenario) -> Iterator[Fact]:
    """Yield every fact."""
    yield _ends(scenario)
    yield _versions(scenario)
    yield _files(scenario)
    yield _audit(scenario)
    yield _executions(scenario)
    yield _others(scenario)
    yield from _cancels(scenario)
    yield _driver(scenario)
    yield _server(scenario)


def _ends(scenario: Scenario) -> Fact:
    cancelled = {each.plan for each in scenario.cancels}
    wanted = {plan: "cancelled" if plan in cancelled else "done" for plan in PLANS}
    states = dict(scenario.site.rows(STATES))
    wrong = [f"plan {plan} is {states.get(plan)}" for plan in PLANS if states[plan] != wanted[plan]]
    return Fact("Every plan ended as it should", _counted(Counter(states.values())), wrong)


def _versions(scenario: Scenario) -> Fact:
    cancelled = {each.plan for each in scenario.cancels}
    numbers = defaultdict(list)
    for plan, number, state, *_ in scenario.site.rows(VERSIONS):
        numbers[plan].append((number, state))
    wanted = {plan: [] if plan in cancelled else [(1, "published")] for plan in PLANS}
    found = {plan: numbers[plan] for plan in PLANS}
    wrong = [f"plan {plan} has {found[plan]}" for plan in PLANS if found[plan] != wanted[plan]]
    return Fact("One version each", f"{sum(map(len, numbers.values()))} versions", wrong)


def _files(scenario: Scenario) -> Fact:
    rows = scenario.site.rows(VERSIONS)
    wrong: list[str] = []
    for plan, _, _, path, sha256, prompt_id in rows:
        content = (scenario.site.projects / path).read_bytes()
        wrong += [f"{path} is not the name"] * (path != PLACE.format(plan))
        wrong += wholeness.in_file(path, content, sha256, prompt_id)
        wrong += _in_picture(path, content, blue_of(plan))
    there = {str(each.name) for each in scenario.site.projects.rglob("*_AI-concept_*")}
    wrong += [f"{name} has no version" for name in there - {row[3].split("/")[-1] for row in rows}]
    return Fact("Every file is right", f"{len(there)} files, name, size, image and hash", wrong)


def _in_picture(path: str, content: bytes, blue: int) -> Iterator[str]:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    if image.size != (graphs.SIZE["width"], graphs.SIZE["height"]):
        yield f"{path} is {image.size}"
    pixel = image.getpixel((image.width // 2, image.height // 2))
    if not isinstance(pixel, tuple) or abs(pixel[2] - blue) > COLOR_TOLERANCE:
        yield f"{path} shows {pixel}, its panel's blue is {blue}"


def _audit(scenario: Scenario) -> Fact:
    try:
        said = scenario.site.manage("check_nomenclature").strip().splitlines()[-1]
    except AssertionError as error:
        return Fact("The auditor finds nothing", "", [str(error)])
    return Fact("The auditor finds nothing", said)


def _executions(scenario: Scenario) -> Fact:
    """Hold what the servers executed against the plans: twice is for what the killed one lost."""
    cancelled = {each.prompt_id for each in scenario.cancels}
    lost, wrong, n_all = [], [], 0
    for plan, prompt_ids in _prompts(scenario).items():
        ran = [(at, life) for each in prompt_ids for at, life in _lives(scenario, each)]
        cut = ran.count((scenario.victim, 1))
        n_all += len(ran)
        lost += [plan] * (len(ran) > 1)
        wrong += [f"plan {plan} was executed {len(ran)} times"] * (max(cut, len(ran) - cut) > 1)
        wrong += [f"plan {plan} was never executed"] * (not ran and not cancelled & prompt_ids)
    said = f"{n_all} executions, of {len(lost)} plans twice, for the killed server: {lost}"
    return Fact("No plan was executed twice but for the killed server", said, wrong)


def _prompts(scenario: Scenario) -> dict[str, set[str]]:
    prompts: dict[str, set[str]] = defaultdict(set)
    for plan, prompt_id, _ in scenario.site.rows(ATTEMPTS):
        prompts[plan].add(str(UUID(str(prompt_id))))
    return prompts


def _lives(scenario: Scenario, prompt_id: str) -> Iterator[tuple[object, int]]:
    for each in scenario.bystanders:
        for life in each.lives.get(prompt_id, ()):
            yield each, life


def _others(scenario: Scenario) -> Fact:
    fates: Counter[str] = Counter()
    wrong: list[str] = []
    for each in scenario.bystanders:
        for prompt_id, posted_at in each.posted.items():
            fate = each.outcome(prompt_id)
            if not fate and each is scenario.victim and posted_at <= scenario.killed_at:
                fate = "lost with the killed server"
            fates[fate] += 1
            if fate not in {"success", "lost with the killed server"}:
                wrong.append(f"the foreign prompt {prompt_id} ended as {fate or 'nothing'}")
    wrong += ["more than one was lost with the server"] * (fates["lost with the killed server"] > 1)
    return Fact("Somebody else's prompts all succeeded", _counted(fates), wrong)


def _cancels(scenario: Scenario) -> Iterator[Fact]:
    for each in scenario.cancels:
        began, ended = each.at.ran(each.foreign)
        outcome = each.at.outcome(each.foreign)
        wrong = ["theirs did not succeed"] * (outcome != "success")
        wrong += ["it took too long"] * (each.took_s > STOPS_WITHIN_S)
        wrong += ["theirs ended before the cancel"] * (ended < each.sent_at)
        wrong += ["theirs did not run"] * (each.foreign_ran and began > each.sent_at)
        what = (
            "waits while somebody else's runs"
            if each.foreign_ran
            else "runs, theirs waits behind it"
        )
        said = f"plan {each.plan} {what}: off after {each.took_s:.2f} s, theirs: {outcome}"
        yield Fact("A cancel stops one prompt and no other", said, wrong)


def _driver(scenario: Scenario) -> Fact:
    n_adopted = scenario.site.value(ADOPTED)
    said = f"another drives after {scenario.takeover_s:.1f} s, {n_adopted} prompts adopted"
    late = scenario.takeover_s > TAKES_OVER_WITHIN_S
    return Fact("A killed driver is followed by another", said, ["it took too long"] * late)


def _server(scenario: Scenario) -> Fact:
    victim = scenario.victim
    away_s, took_s = victim.returned_at - scenario.killed_at, victim.next_prompt_at
    took_s = took_s and took_s - victim.returned_at
    outcomes = Counter(outcome for _, _, outcome in scenario.site.rows(ATTEMPTS))
    said = f"away for {away_s:.1f} s, next prompt {took_s:.2f} s after its return"
    said += f"; attempts: {_counted(outcomes)}"
    is_right = victim.next_prompt_at and took_s <= RETURNS_WITHIN_S
    wrong = [] if is_right else ["no plan came in time"]
    return Fact("A killed server goes on once it is back", said, wrong)


def _counted(numbers: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(numbers.items()))
