"""Invariant 7: each run's log, replayed from its first entry, ends in the state that the run has.

A fenced driver that wrote, a transition without its entry, an entry without its transition: each
breaks the chain.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Max

from generation.models import Batch, LogEntry, PlanRun
from generation.states import FINISHED, FIRST, AttemptOutcome, Mode, RunState
from lab.chaos.audit.evidence import Evidence, Verdict

Q, W, R = RunState.QUEUED, RunState.WAITING, RunState.RUNNING
D, E, C = RunState.DONE, RunState.ERROR, RunState.CANCELLED
BACK = {R: Q}
#: What each event makes of a run, from each state in which it may happen.
ARROWS: Mapping[str, Mapping[RunState, RunState]] = {
    "claimed": {Q: R},
    "posted": {R: R},
    "reposted": {R: R},
    "adopted": {R: R},
    "runs_out": {R: R},
    "published": {R: D},
    "uploaded": {Q: D, W: D, E: D, D: D},
    "failed": {R: E, Q: E},
    "tried": BACK,
    "held_up": BACK,
    "unblamed": {E: Q},
    "refetched": {R: R},
    "disk_full": {R: R},
    "unanswered": {R: R},
    "answered": {R: R},
    "hung": {R: R},
    "staged_file_gone": {Q: Q, W: W, R: Q, D: D, E: E},
    "lost": BACK,
    "interrupted": BACK,
    "refused": BACK,
    "abandoned": BACK,
    "cancelled": {Q: C, W: C, R: C},
    "retried": {E: Q, C: Q},
    "retried_manually": {E: W, C: W},
    "panel_arrived": {Q: Q},
    "cancel_requested": {Q: Q, R: R},
    "kept": {Q: Q, W: W, R: R},
}


def transitions(case: Evidence) -> Verdict:
    """Invariant 7: counters, revisions and logs agree with the rows."""
    broken = case.wrong(7)
    n_logs = 0
    for batch in Batch.objects.prefetch_related("runs"):
        logs = list(LogEntry.objects.filter(batch=batch).order_by("id"))
        n_logs += len(logs)
        broken += _in_batch(batch, logs)
        for run in batch.runs.all():
            broken += _replayed(batch, run, logs)
            broken += _of_attempts(run)
    said = f"{Batch.objects.count()} batches, {n_logs} log entries replayed"
    return Verdict("7", "A transition is one function in one transaction", said, broken)


def _in_batch(batch: Batch, logs: Sequence[LogEntry]) -> Iterator[str]:
    states = Counter(RunState(run.state) for run in batch.runs.all())
    if {state: n for state, n in batch.counts.items() if n} != dict(states):
        yield f"batch {batch} counts {batch.counts}, its runs are {dict(states)}"
    if (batch.finished_at is not None) != (set(states) <= FINISHED):
        yield f"batch {batch} is {batch.status}, finished_at {batch.finished_at}"
    revisions = [log.revision for log in logs]
    if revisions != sorted(revisions):
        yield f"the log of batch {batch} goes back in revisions"
    last = batch.runs.aggregate(last=Max("revision"))["last"]
    if max([last, *revisions]) > batch.revision:
        yield f"batch {batch} is at {batch.revision}, something in it at {max([last, *revisions])}"


def _replayed(batch: Batch, run: PlanRun, logs: Sequence[LogEntry]) -> Iterator[str]:
    state, problem = replay(batch, run, logs)
    if problem:
        yield problem
    elif state != run.state:
        yield f"{run} is {run.state}, by its log {state}"


def replay(batch: Batch, run: PlanRun, logs: Sequence[LogEntry]) -> tuple[RunState, str]:
    """Return the state of a run after these entries of its batch's log, and what cannot be so."""
    state = FIRST[Mode(batch.mode)]
    told: list[str] = []
    for log in logs:
        if log.run_id is None:
            state = _with_its_batch(run, log, logs, state)
        elif log.run_id == run.pk:
            told.append(log.event)
            following = _following(log, state)
            if following is None:
                return state, f"{run} was {state} and then {log.event}: {told}"
            state = following
    return state, ""


def _with_its_batch(
    run: PlanRun, log: LogEntry, logs: Sequence[LogEntry], state: RunState
) -> RunState:
    """Return the state after an entry that is about the batch: of all its plans, or those alike."""
    if log.event == "batch_cancel_requested" and state in {Q, W}:
        return state if _is_kept(run, log, logs) else C
    if log.event == "failed_alike" and state == Q and _is_alike(run, log):
        return E
    return state


def _is_alike(run: PlanRun, log: LogEntry) -> bool:
    """Tell whether a run is made of what a server refused another plan of its batch for."""
    sequence, _, code = str(log.data["plan"]).partition("-")
    refused = PlanRun.objects.filter(
        batch=log.batch_id, plan__sequence__code=sequence, plan__code=code
    )
    return refused.filter(group=run.group_id, params=run.params).exists()


def _following(log: LogEntry, state: RunState) -> RunState | None:
    """Return the state after a log entry; None where it cannot happen in this one."""
    if log.event == "published" and log.data.get("image", 1) > 1:
        # The first of an attempt's pictures has ended the run, with the others.
        return state if state == D else None
    return ARROWS[log.event].get(state) if log.event in ARROWS else state


def _is_kept(run: PlanRun, log: LogEntry, logs: Sequence[LogEntry]) -> bool:
    kept = {"kept", "cancel_requested"}
    return any(
        each.run_id == run.pk and each.revision == log.revision and each.event in kept
        for each in logs
    )


def _of_attempts(run: PlanRun) -> Iterator[str]:
    attempts = list(run.attempts.order_by("number"))
    if [attempt.number for attempt in attempts] != list(range(1, run.n_attempts + 1)):
        yield f"{run} has {run.n_attempts} attempts: {[each.number for each in attempts]}"
    is_open = [each for each in attempts if each.outcome == AttemptOutcome.OPEN]
    if len(is_open) > (run.state == R):
        yield f"{run} is {run.state} and has {len(is_open)} open attempts"
