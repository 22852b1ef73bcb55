"""Queueing plans again: retried, relieved of blame, or with their panel there at last."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest

from generation.models import Batch, Needs, PlanRun, RunGroup, Version
from generation.parameter_sources import Source, from_one, told
from generation.services.transitions.attempt_ends import CLEAN, one
from generation.services.transitions.unit_of_work import Actor, Change, change
from generation.states import RETRYABLE, Mode, RunState, WaitReason

_BLAMED = (RunState.QUEUED, RunState.ERROR)

#: Given the locked batch, what tells what its plans need by their own values; None: as the batch.
NeedsOf = Callable[[Batch], Callable[[Mapping[str, Any]], Needs | None]]


def retry(
    batch: Batch,
    run_ids: Sequence[int],
    *,
    overrides: Mapping[str, Any],
    needs_of: NeedsOf,
    actor: Actor,
) -> int:
    """Queue failed or cancelled runs again with `overrides` on top; return how many were queued."""
    target = RunState.WAITING if batch.mode == Mode.MANUEL else RunState.QUEUED
    with change(batch.pk, actor=actor) as now:
        runs = now.batch.runs.retryable().filter(pk__in=run_ids)
        found = list(runs.order_by("pk").only("pk", "params", "sources"))
        fields = CLEAN | {"result": None, "wait_reason": WaitReason.TURN}
        fields |= {"n_tries": 0, "tried_from": F("n_attempts")}
        moved = _retry_with(now, [run.pk for run in found], target, fields)
        if not moved:
            return 0
        if now.batch.needs_panel and target == RunState.QUEUED:
            _hold_without_panel(now, [run.pk for run in found])
        if overrides:
            _override(now, found, overrides, needs_of)
        now.set(cancel_requested_at=None)
        event = "retried_manually" if target == RunState.WAITING else "retried"
        said = {"values": told(overrides, {})} if overrides else {}
        for run in found:
            now.log(event, run.pk, params=dict(overrides), **said)
    return moved


def _retry_with(now: Change, ids: list[int], target: RunState, fields: Mapping[str, Any]) -> int:
    return now.move(
        now.batch.runs.filter(pk__in=ids),
        target,
        sources=RETRYABLE,
        **fields,
    )


def _hold_without_panel(now: Change, ids: list[int]) -> None:
    panel = Version.objects.panels().filter(plan=OuterRef("plan"))
    now.edit(now.batch.runs.filter(~Exists(panel), pk__in=ids), wait_reason=WaitReason.PANEL)


def _override(
    now: Change, runs: list[PlanRun], overrides: Mapping[str, Any], needs_of: NeedsOf
) -> None:
    """Lay the overrides over each run's own values, as many runs at once as have the same."""
    fields: dict[str, Any] = {"seed": str(overrides["seed"])} if "seed" in overrides else {}
    kept = {name: value for name, value in overrides.items() if name != "seed"}
    sources = from_one(overrides, Source.RETRY)
    alike: dict[str, list[PlanRun]] = {}
    for run in runs:
        run.params, run.sources = run.params | kept, run.sources | sources
        same = repr((sorted(run.params.items()), sorted(run.sources.items())))
        alike.setdefault(same, []).append(run)
    needs = needs_of(now.batch)
    for first, *others in alike.values():
        own: dict[str, Any] = {"params": first.params, "sources": first.sources}
        if now.batch.mode == Mode.AUTO:
            needed = needs(first.params) or now.batch.needs
            own["group"] = RunGroup.objects.of(now.batch, needed)
        ids = [run.pk for run in (first, *others)]
        now.edit(now.batch.runs.filter(pk__in=ids), **own, **fields)


def unblame(batch_id: int, failed: Mapping[int, int], server: str) -> int:
    """Take tries off plans that a server failed for no fault of theirs; return how many there were.

    `failed` maps runs to how many of their tries are the server's. One that is in error over it is
    queued again, unless its batch was cancelled.
    """
    with change(batch_id) as now:
        if now.batch.cancel_requested_at is not None:
            return 0
        for run_id, n_tries in failed.items():
            fewer = Greatest(F("n_tries") - n_tries, 0)
            now.edit(one(run_id).filter(state__in=_BLAMED), n_tries=fewer)
            if now.move(one(run_id), RunState.QUEUED, sources=[RunState.ERROR], **CLEAN):
                now.log("unblamed", run_id, server=server)
    return len(failed)


def release_panel(batch_id: int, plan_ids: Sequence[int]) -> int:
    """Let queued runs of these plans go on, whose panel has come; return how many went on."""
    with change(batch_id) as now:
        runs = now.batch.runs.waiting_for_panel().filter(plan_id__in=plan_ids)
        ids = list(runs.values_list("pk", flat=True))
        now.edit(now.batch.runs.filter(pk__in=ids), wait_reason=WaitReason.TURN)
        for run_id in ids:
            now.log("panel_arrived", run_id)
    return len(ids)
