"""Invariants 2, 3, 4 and 9: what the servers executed, held against what was published."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import requests

from generation.models import Attempt, PlanRun, Version
from generation.states import AttemptOutcome, RunState
from lab.chaos.audit.evidence import Entry, Evidence, Verdict, counted

SLACK_S = 1.0
NEVER = float("inf")
#: How an attempt may end although the server executed it.
EXPLAINED = {AttemptOutcome.CANCELLED, AttemptOutcome.ERROR}
#: Failures that only the server's own history can tell of.
FAILED_THERE = {"node_error", "memory_short", "out_of_memory", "cuda_poisoned"}
GIVEN_UP = AttemptOutcome.ABANDONED
#: Acts that leave a driver thinking that it still is one.
STALE = (
    "freeze_driver",
    "freeze_main",
    "lease_into_past",
    "lease_into_future",
    "hold_database",
    "cut_connections",
)


def rendered_once(case: Evidence) -> Verdict:
    """Invariant 2: published exactly once, rendered at most once; the exceptions counted apart."""
    excused: Counter[str] = Counter()
    broken = case.wrong(2) + list(_published_once())
    n_executed = 0
    for prompt_id, attempt in case.attempts.items():
        executed = case.events(prompt_id, "executed")
        n_executed += len(executed)
        for sentence, excuse in _doubles(case, attempt, executed):
            if excuse:
                excused[excuse] += 1
            else:
                broken.append(sentence)
    renders = Version.objects.filter(origin=Version.Origin.RENDER)
    said = f"{n_executed} executed, {renders.count()} published; again: {counted(excused)}"
    return Verdict("2", "Published exactly once, rendered at most once", said, broken)


def _published_once() -> Iterator[str]:
    for run in PlanRun.objects.prefetch_related("versions", "logs"):
        origins = Counter(version.origin for version in run.versions.all())
        events = Counter(log.event for log in run.logs.all())
        if (origins["render"], origins["upload"]) != (events["published"], events["uploaded"]):
            yield f"{run}: versions {dict(origins)}, log {dict(events)}"
        yield from _pictures(run)
        if run.state == RunState.DONE and not origins:
            yield f"{run} is done without a version"


def _pictures(run: PlanRun) -> Iterator[str]:
    """Yield what is wrong with the pictures of a run: those of one attempt, each once."""
    renders = [version for version in run.versions.all() if version.origin == "render"]
    attempts = {version.attempt_id for version in renders}
    if len(attempts) > 1:
        yield f"{run} was published by {len(attempts)} attempts"
    images = sorted(version.image for version in renders)
    if len(attempts) == 1 and images != list(range(1, len(images) + 1)):
        yield f"{run} has the pictures {images} of its attempt"


def _doubles(case: Evidence, attempt: Attempt, executed: list[Entry]) -> Iterator[tuple[str, str]]:
    """Yield each execution that nobody needed, with what excuses it or nothing."""
    for first, second in pairwise(executed):
        sentence = f"{attempt.run}: prompt {attempt} was executed twice"
        yield sentence, _excuse(case, attempt, first["url"], first["at"], second["at"])
    if executed and attempt.outcome not in {*EXPLAINED, AttemptOutcome.DONE}:
        sentence = f"{attempt.run}: prompt {attempt} was executed, its attempt {attempt.outcome}"
        last = executed[-1]
        yield sentence, _excuse(case, attempt, last["url"], last["at"], _end(attempt))
    if not executed and attempt.outcome == AttemptOutcome.DONE:
        yield f"{attempt.run}: prompt {attempt} is done and was never executed", ""


def _excuse(case: Evidence, attempt: Attempt, url: str, since: float, until: float) -> str:
    if attempt.outcome == GIVEN_UP:
        return "server given up"
    if case.forgot(url, attempt.created_at.timestamp(), until + SLACK_S):
        return "server restarted"
    whom = f"server {list(case.journals).index(url)}"
    evictions = case.acts("evict_history")
    if any(act["whom"] == whom and act["at"] <= until for act in evictions):
        return "history cleared"
    if _is_stale(case, attempt, until):
        return "driver frozen, or cut off"
    return ""


def _is_stale(case: Evidence, attempt: Attempt, until: float) -> bool:
    """Tell whether a driver may have been stale while this attempt was open."""
    begun = attempt.created_at.timestamp() - SLACK_S
    return any(act["at"] <= until + SLACK_S and act["until"] >= begun for act in case.acts(*STALE))


def _end(attempt: Attempt) -> float:
    return attempt.finished_at.timestamp() if attempt.finished_at else NEVER


def gone_servers(case: Evidence) -> Verdict:
    """Invariant 3: a server that is gone keeps no plan, and its late results are dropped."""
    given_up = [each for each in case.attempts.values() if each.outcome == GIVEN_UP]
    late = sum(bool(case.events(str(each), "executed")) for each in given_up)
    broken = [f"prompt {each} was given up and published" for each in given_up if _is_shown(each)]
    broken += [f"prompt {each} is still to be swept" for each in given_up if each.is_left_behind]
    for url in case.journals:
        queued = [case.sent_as.get(prompt_id, prompt_id) for prompt_id in _queue(url)]
        left = [prompt_id for prompt_id in queued if prompt_id in case.attempts]
        broken += [f"{url} still has prompt {prompt_id}" for prompt_id in left]
    said = f"{len(given_up)} attempts given up, {late} of them rendered late and dropped"
    return Verdict("3", "A server that is gone does not keep its plans", said, broken)


def _is_shown(attempt: Attempt) -> bool:
    return Version.objects.filter(attempt=attempt).exists()


def _queue(url: str) -> list[str]:
    answer = requests.get(f"{url}/queue", timeout=5).json()
    return [str(item[1]) for item in answer["queue_running"] + answer["queue_pending"]]


def one_driver(case: Evidence) -> Verdict:
    """Invariant 4, from the outside: nothing is posted for an attempt that somebody has closed."""
    excused: Counter[str] = Counter()
    broken: list[str] = []
    for prompt_id, attempt in case.attempts.items():
        for entry in case.events(prompt_id, "accepted"):
            if entry["at"] <= _end(attempt) + SLACK_S:
                continue
            if _is_stale(case, attempt, entry["at"]):
                excused["posted late by a stale driver"] += 1
            else:
                late = entry["at"] - _end(attempt)
                broken.append(f"prompt {attempt} was posted {late:.1f} s after it was closed")
    twice = sum(len(case.events(each, "accepted")) > 1 for each in case.attempts)
    unknown = [each for each in case.by_prompt if not _is_known(case, each)]
    broken += [f"nobody knows prompt {each}" for each in unknown]
    said = f"{len(case.attempts)} prompts, {twice} accepted more than once; {counted(excused)}"
    return Verdict("4", "One driver per server", said, broken)


def _is_known(case: Evidence, prompt_id: str) -> bool:
    return prompt_id in case.attempts or prompt_id in case.noted["foreign"]


def outcomes(case: Evidence) -> Verdict:
    """Invariant 9: whatever the sockets said or kept silent, outcomes are those of the servers."""
    broken: list[str] = []
    seen: Counter[str] = Counter()
    for prompt_id, attempt in case.attempts.items():
        ends = [entry["outcome"] for entry in case.events(prompt_id, "finished")]
        seen[attempt.outcome] += 1
        if attempt.failure_code in FAILED_THERE:
            broken += [] if "error" in ends else [f"prompt {attempt} failed, the server: {ends}"]
        known = set(_remembered(case, prompt_id))
        if attempt.outcome == AttemptOutcome.DONE and known & {"error", "interrupted"}:
            broken.append(f"prompt {attempt} is done, the server: {ends}")
    hints = sum(1 for _ in case.acts("close_ws", "silent_ws", "drop_message", "duplicate_message"))
    said = f"attempts: {counted(seen)}; {hints} faults of sockets"
    return Verdict("9", "The socket is a hint, polling is the truth", said, broken)


def _remembered(case: Evidence, prompt_id: str) -> Iterator[str]:
    """Yield how a prompt ended, without what its server had forgotten when it ended last.

    Posted without an answer, failed, and forgotten before anybody could ask: it is posted again.
    """
    ends = case.events(prompt_id, "finished")
    for entry in ends:
        if not case.forgot(entry["url"], entry["at"], ends[-1]["at"]):
            yield entry["outcome"]


def foreign(case: Evidence) -> Verdict:
    """Nobody else's prompt was ever touched."""
    broken: list[str] = []
    seen: Counter[str] = Counter()
    for prompt_id in case.noted["foreign"]:
        entries = case.by_prompt.get(prompt_id, [])
        events = {entry["event"] for entry in entries}
        ends = {entry["outcome"] for entry in entries if entry["event"] == "finished"}
        if "deleted" in events or "interrupted" in ends:
            broken.append(f"the foreign prompt {prompt_id} was stopped: {sorted(events | ends)}")
        elif "executed" not in events and _fate(case, entries) == "VANISHED":
            broken.append(f"the foreign prompt {prompt_id} has vanished: {sorted(events)}")
        seen["executed" if "executed" in events else _fate(case, entries)] += 1
    return Verdict("C", "Somebody else's prompt is never touched", counted(seen), broken)


def _fate(case: Evidence, entries: list[Entry]) -> str:
    if not entries or entries[0]["event"] != "accepted":
        return "never arrived"
    forgot = case.forgot(entries[0]["url"], entries[0]["at"], NEVER)
    failed = any(entry.get("outcome") == "error" for entry in entries)
    return "failed" if failed else "lost with their server" if forgot else "VANISHED"
