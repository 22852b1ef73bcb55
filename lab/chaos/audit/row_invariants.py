"""Invariants 1, 10, 11 and 12: what the database says at the end, and says of how it came there."""

import string
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.apps import apps

from generation import events
from generation.events import EVENTS
from generation.models import Attempt, Batch, Block, LogEntry, PlanRun, Server, Version
from generation.states import FINISHED, UNFINISHED, AttemptOutcome, RunState, VersionState
from lab.chaos.audit import log_replay
from lab.chaos.audit.evidence import Entry, Evidence, Verdict, counted

#: What the log must say after a request that was taken, of the plan or of the batch.
TELLS = {
    "cancel_plan": {"cancel_requested", "cancelled", "kept", "batch_cancel_requested"},
    "cancel_batch": {"batch_cancel_requested"},
    "retry_plan": {"retried", "retried_manually"},
    "retry_batch": {"retried", "retried_manually"},
    "upload": {"uploaded"},
    "pause": {"paused"},
}
SLACK_S = 1.0


def truth(case: Evidence) -> Verdict:
    """Invariant 1: with every message lost or doubled, nothing is left undone."""
    broken = [f"batch {batch_id} did not come to rest" for batch_id in case.noted["unfinished"]]
    states = Counter(PlanRun.objects.values_list("state", flat=True))
    left = {
        "unfinished plans": sum(states[state] for state in UNFINISHED),
        "plans in error": states[RunState.ERROR],
        "open attempts": Attempt.objects.filter(outcome=AttemptOutcome.OPEN).count(),
        "prompts left behind": Attempt.objects.filter(is_left_behind=True).count(),
        "reserved versions": Version.objects.filter(state=VersionState.RESERVED).count(),
    }
    broken += [f"{n} {what}" for what, n in left.items() if n]
    n_lost = sum(1 for _ in case.acts("lose_messages", "ring_twice", "broker_away"))
    aside = Server.objects.exclude(set_aside_at=None).count()
    within = f"{case.noted['ended_within_s']:.0f} s after the last fault"
    said = f"plans: {counted(states)}; at rest {within}; broker struck {n_lost} times"
    said += f"; {aside} servers still set aside, {Block.objects.count()} blocks"
    return Verdict("1", "The database is the truth", said, broken)


def frozen(case: Evidence) -> Verdict:
    """Invariant 10: params, seeds and workflows are those of the request."""
    broken: list[str] = []
    for batch in Batch.objects.select_related("workflow"):
        wanted = case.noted["wanted"].get(batch.public_id, {}).get("params", {})
        if not wanted.items() <= batch.params.items():
            broken.append(f"batch {batch} has {batch.params}, asked for were {wanted}")
    for attempt in case.attempts.values():
        broken += _unlike_its_workflow(attempt)
        broken += _unlike_its_seed(attempt)
    workflows = set(Batch.objects.exclude(workflow=None).values_list("workflow_id", flat=True))
    n_edits = case.noted["n_edits"]
    said = f"{len(case.attempts)} graphs of {len(workflows)} frozen workflows, {n_edits} edits"
    return Verdict("10", "Nothing of a request changes under a batch", said, broken)


def _unlike_its_workflow(attempt: Attempt) -> Iterator[str]:
    workflow = attempt.run.workflow
    frozen_graph: Mapping[str, Any] = workflow.graph if workflow else {}
    # A driver that was killed between the claim and the graph has posted nothing.
    if not attempt.graph and attempt.acknowledged_at is None:
        return
    if attempt.graph.keys() != frozen_graph.keys():
        yield f"prompt {attempt} has other nodes than its workflow"
        return
    blur = frozen_graph.get("3", {}).get("inputs", {}).get("blur_radius")
    posted = attempt.graph.get("3", {}).get("inputs", {}).get("blur_radius")
    if blur != posted:
        yield f"prompt {attempt} was posted with blur_radius {posted}, frozen is {blur}"


def _unlike_its_seed(attempt: Attempt) -> Iterator[str]:
    given = attempt.run.batch.params.get("seed")
    if attempt.seed != attempt.run.seed or str(given or attempt.seed) != attempt.seed:
        yield f"prompt {attempt} has seed {attempt.seed}, its run {attempt.run.seed}"


def explained(case: Evidence) -> Verdict:
    """Invariant 11: each failure, refusal, wait, retry and cancel says so, in whole sentences."""
    broken = case.wrong(11) + list(_silent_failures()) + list(_silent_requests(case))
    failures: Counter[str] = Counter()
    for log in LogEntry.objects.all():
        broken += _unfinished_sentence(log)
        if log.event == "failed":
            failures[log.data.get("code", "?")] += 1
    refused = Counter(each["code"] for each in case.noted["heard"] if each["code"])
    said = f"failures: {counted(failures)}; refusals: {counted(refused)}"
    return Verdict("11", "Everything explains itself", said, broken)


def _silent_failures() -> Iterator[str]:
    for log in LogEntry.objects.filter(event="failed"):
        if not all(log.data.get(name) for name in ("code", "message", "remedy")):
            yield f"log entry {log.pk} of run {log.run_id} failed with {log.data}"
    for run in PlanRun.objects.filter(state=RunState.ERROR):
        if not (run.error_code and run.error_message and run.error_remedy):
            yield f"{run} is in error: {run.error_code!r} {run.error_message!r}"


def _unfinished_sentence(log: LogEntry) -> Iterator[str]:
    event = EVENTS.get(log.event)
    said = events.template(log.event, log.data) if event else ""
    fields = string.Formatter().parse(said)
    missing = [name for _, name, _, _ in fields if name and log.data.get(name) in {None, ""}]
    if event is None or missing:
        yield f"log entry {log.pk}, {log.event}: its sentence lacks {missing or 'everything'}"


def _silent_requests(case: Evidence) -> Iterator[str]:
    for heard in case.noted["heard"]:
        is_silent = heard["verb"] in TELLS and heard["status"] < 300 and not _is_told(heard)
        if is_silent and not _had_ended(heard):
            yield f"{heard['verb']} of {heard['batch_id']} {heard['plan']}: the log says nothing"


def _is_told(heard: Entry) -> bool:
    until = datetime.fromtimestamp(heard["answered_at"] + SLACK_S, UTC)
    logs = LogEntry.objects.filter(
        batch__public_id=heard["batch_id"], event__in=TELLS[heard["verb"]], at__lte=until
    )
    if heard["plan"] and heard["verb"].endswith(("plan", "upload")):
        of_plan = logs.filter(
            run__plan__sequence__code=heard["plan"][0], run__plan__code=heard["plan"][1]
        )
        return of_plan.exists() or logs.filter(run=None).exists()
    return logs.exists()


def _had_ended(heard: Entry) -> bool:
    """Tell whether a cancel came when all that it asks for had ended: there is nothing to tell."""
    if not heard["verb"].startswith("cancel"):
        return False
    batch = Batch.objects.get(public_id=heard["batch_id"])
    sent_at = datetime.fromtimestamp(heard["sent_at"], UTC)
    logs = list(LogEntry.objects.filter(batch=batch, at__lt=sent_at).order_by("id"))
    return all(log_replay.replay(batch, run, logs)[0] in FINISHED for run in batch.runs.all())


def kept(case: Evidence) -> Verdict:
    """Invariant 12: every row that anybody has seen is still there."""
    broken: list[str] = []
    n_seen = 0
    for table, ids in case.noted["seen"].items():
        n_seen += len(ids)
        model = apps.get_model("generation", table)
        gone = set(ids) - set(model.objects.values_list("pk", flat=True))
        broken += [f"{table} {pk} was there and is gone" for pk in sorted(gone)]
    return Verdict("12", "No row that a client has seen is deleted", f"{n_seen} rows", broken)


def keys(case: Evidence) -> Verdict:
    """Each Idempotency-Key made one batch, however often it was sent."""
    batches = set(Batch.objects.values_list("public_id", flat=True))
    known = set(case.noted["keys"].values())
    broken = [f"batch {each} was made and never answered for" for each in batches - known]
    broken += [f"batch {each} was answered and is not there" for each in known - batches]
    sent = [each for each in case.noted["heard"] if each["verb"] in {"create", "replay"}]
    tries = sum(each["n_tries"] for each in sent)
    said = f"{len(known)} keys sent {tries} times made {len(batches)} batches"
    return Verdict("K", "A key makes one batch", said, broken + case.wrong(2))
