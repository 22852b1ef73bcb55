"""Rows for tests, as the services would have left them, and real files where files are needed."""

import hashlib
import io
import uuid
from collections.abc import Mapping
from collections.abc import Sequence as Ordered
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from PIL import Image

from generation.models import (
    Attempt,
    Batch,
    Capability,
    Episode,
    LogEntry,
    Needs,
    Plan,
    PlanRun,
    Project,
    RunGroup,
    Sequence,
    Server,
    Style,
    Version,
    Workflow,
)
from generation.models.version import first_review_state
from generation.services import volumes
from generation.states import AttemptOutcome, Mode, RunState, ServerHealth, VersionState
from nomenclature import paths
from nomenclature.name import FileName

PROJECT_ID = "madsea-2025-ep202"
THREE_PLANS = {"SQ0010": ["0010", "0020", "0030"]}
NOW = datetime(2025, 3, 14, 15, 9, 26, tzinfo=UTC)


def png(width_px: int = 64, height_px: int = 36, color: str = "black") -> bytes:
    """Return a PNG of one colour."""
    return _encoded("PNG", width_px, height_px, color)


def jpeg(width_px: int = 64, height_px: int = 36, color: str = "black") -> bytes:
    """Return a JPEG of one colour."""
    return _encoded("JPEG", width_px, height_px, color)


def _encoded(kind: str, width_px: int, height_px: int, color: str) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (width_px, height_px), color).save(held, kind)
    return held.getvalue()


def episode(project_id: str = PROJECT_ID, code: str = "E202", season: str = "S02") -> Episode:
    """Return an episode, made with its project when they are missing."""
    project, _ = Project.objects.get_or_create(code=project_id)
    made, _ = Episode.objects.get_or_create(project=project, code=code, defaults={"season": season})
    return made


def plans(
    sequences: Mapping[str, Ordered[str]] = THREE_PLANS, *, of: Episode | None = None
) -> list[Plan]:
    """Return the plans of an episode, made when they are missing."""
    parent = of or episode()
    return [
        Plan.objects.get_or_create(
            sequence=Sequence.objects.get_or_create(episode=parent, code=sequence_id)[0],
            code=plan,
        )[0]
        for sequence_id, codes in sequences.items()
        for plan in codes
    ]


def many_plans(n_plans: int) -> list[Plan]:
    """Return so many plans, at most 9,999 to a sequence, in one insert."""
    parent = episode()
    sequences = [
        Sequence.objects.get_or_create(episode=parent, code=f"SQ{n:04d}")[0]
        for n in range(n_plans // 1000 + 1)
    ]
    rows = [Plan(sequence=sequences[n // 1000], code=f"{n % 1000:04d}") for n in range(n_plans)]
    return Plan.objects.bulk_create(rows, batch_size=2500)


def server(name: str = "gpu-1", **fields: Any) -> Server:
    """Return a server that is up, unless told otherwise."""
    defaults = {"url": f"http://127.0.0.1:1/{name}", "health": ServerHealth.UP} | fields
    return Server.objects.get_or_create(name=name, defaults=defaults)[0]


def workflow(name: str = "Small.json") -> Workflow:
    """Return a frozen workflow whose graph is never looked at."""
    graph = {"1": {"class_type": "SaveImage", "inputs": {}}}
    return Workflow.objects.get_or_create(name=name, sha256="0" * 64, defaults={"graph": graph})[0]


def style(code: str = "ombres_chinoises") -> Style:
    """Return a style that the migrations have made."""
    return Style.objects.get(code=code)


def batch(
    states: Ordered[RunState] = (RunState.QUEUED,) * 3,
    *,
    of: Ordered[Plan] | None = None,
    **fields: Any,
) -> Batch:
    """Return a batch with a run in each of these states, of consecutive plans."""
    wanted = list(of) if of is not None else plans({"SQ0010": _codes(len(states))})
    counters = {f"n_{state.value}": list(states).count(state) for state in RunState}
    defaults = {
        "public_id": uuid.uuid4().hex[:16],
        "style": style(),
        "workflow": workflow(),
        "has_started": any(state not in {RunState.QUEUED, RunState.WAITING} for state in states),
        "n_total": len(states),
        "episode": wanted[0].sequence.episode,
    }
    made = Batch.objects.create(**defaults | counters | fields)
    for position, (plan, state) in enumerate(zip(wanted, states, strict=True)):
        run(made, plan, state, position=position)
    return made


def needs(name: str = "needs", model_key: str = "") -> Needs:
    """Return what a graph needs that is never looked at."""
    defaults = {"classes": [], "files": [], "model_key": model_key}
    return Needs.objects.get_or_create(sha256=name, defaults=defaults)[0]


def regroup(runs: QuerySet[PlanRun], needs: Needs) -> None:
    """Have runs of one batch need this instead of what they needed."""
    batch = Batch.objects.filter(runs__in=runs).distinct().get()
    runs.update(group=RunGroup.objects.of(batch, needs))


def unmet(*, missing: str, closest: Ordered[str] = (), on: Server | None = None) -> Batch:
    """Return a batch of one queued plan, whose workflow a server lacks a model for."""
    wanted = needs(f"unmet {missing}")
    lack = {"name": missing, "where": "Loader.name", "closest": list(closest)}
    Capability.objects.create(needs=wanted, server=on or server(), is_capable=False, missing=[lack])
    return batch([RunState.QUEUED], needs=wanted)


def _codes(n_plans: int) -> list[str]:
    return [f"{10 * (n + 1):04d}" for n in range(n_plans)]


def run(batch: Batch, plan: Plan, state: RunState, *, position: int = 0, **fields: Any) -> PlanRun:
    """Return a run in this state, with all that the state asks for: attempt, file or error."""
    wanted = {"seed": "42", "revision": batch.revision} | fields
    if batch.mode == Mode.AUTO:
        wanted.setdefault("group", RunGroup.objects.of(batch, batch.needs))
    made = PlanRun.objects.create(
        batch=batch, plan=plan, position=position, state=RunState.QUEUED, **wanted
    )
    complete = {
        RunState.RUNNING: _start,
        RunState.DONE: _finish,
        RunState.ERROR: _fail,
    }.get(state, _leave)
    complete(made)
    PlanRun.objects.filter(pk=made.pk).update(state=state)
    made.refresh_from_db()
    return made


def _leave(run: PlanRun) -> None:
    """Leave the run as it is."""


def _start(run: PlanRun) -> None:
    run.current_attempt = attempt(run)
    run.n_attempts, run.progress_pct = 1, 50
    run.save()


def _finish(run: PlanRun) -> None:
    run.result = version(run.plan, run=run, revision=run.revision)
    run.n_attempts, run.progress_pct = 1, 100
    run.save()


def _fail(run: PlanRun) -> None:
    run.error_code, run.n_attempts = "node_error", 1
    run.error_message = "KSampler: out of memory."
    run.error_remedy = "Retry it on a server with more memory."
    run.save()


def attempt(run: PlanRun, *, on: Server | None = None, **fields: Any) -> Attempt:
    """Return an open attempt at a run."""
    defaults = {
        "server": on or server(),
        "number": run.attempts.count() + 1,
        "prompt_id": uuid.uuid4(),
        "lease_token": uuid.uuid4(),
        "outcome": AttemptOutcome.OPEN,
        "graph": {},
        "seed": run.seed,
    }
    return Attempt.objects.create(run=run, **defaults | fields)


def version(
    plan: Plan,
    *,
    run: PlanRun | None = None,
    task: str = "AI-concept",
    content: bytes | None = None,
    **fields: Any,
) -> Version:
    """Return a plan's next version of a task: published, with its file on disk."""
    held = png() if content is None else content
    number = plan.versions.filter(task=task).count() + 1
    name = FileName(plan.sequence.episode.code, plan.sequence.code, plan.code, task, number, "png")
    path = fields.get("path") or paths.path(plan.sequence.episode.project.code, name)
    target = settings.MADSEA_PROJECTS_ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(held)
    defaults: dict[str, Any] = {
        "number": number,
        "extension": "png",
        "path": str(path),
        "state": VersionState.PUBLISHED,
        "published_at": NOW,
        "origin": Version.Origin.RENDER,
        "sha256": hashlib.sha256(held).hexdigest(),
        "n_bytes": len(held),
        "width_px": 64,
        "height_px": 36,
        "batch": run.batch if run else None,
        "review_state": first_review_state(task),
    }
    wanted = defaults | fields
    if wanted["origin"] == Version.Origin.RENDER:
        wanted.setdefault("served_sha256", wanted["sha256"])
    made = Version.objects.create(plan=plan, task=task, run=run, **wanted)
    # Whoever published the file had adopted the root.
    volumes.expected_marks()
    return made


def reserved(plan: Plan, **fields: Any) -> Version:
    """Return a version whose number is taken and whose file lies in staging."""
    unpublished = {
        "state": VersionState.RESERVED,
        "published_at": None,
        "staging_path": f".staging/{uuid.uuid4().hex}",
    }
    return version(plan, **unpublished | fields)


def log(batch: Batch, run: PlanRun | None = None, event: str = "posted", **fields: Any) -> LogEntry:
    """Return a log entry of a batch, or of one of its runs."""
    defaults = {"level": "info", "data": {"server": "gpu-1"}, "revision": batch.revision}
    return LogEntry.objects.create(batch=batch, run=run, event=event, **defaults | fields)


def sent(content: bytes, filename: str = "image.png") -> SimpleUploadedFile:
    """Return a file as a form sends it."""
    return SimpleUploadedFile(filename, content)
