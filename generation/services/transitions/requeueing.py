"""Queueing plans again: retried, relieved of blame, or with their panel there at last."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest

from generation.models import Batch, Needs, PlanRun, RunGroup, Version, Workflow
from generation.parameter_sources import ValueSource, from_one, values_with_sources
from generation.services.transitions.run_updates import CLEAN, one
from generation.services.transitions.unit_of_work import Actor, UnitOfWork, change
from generation.states import RETRYABLE, Mode, RunState, WaitReason

_BLAMED = (RunState.QUEUED, RunState.ERROR)

#: Takes the locked batch and returns a function: what does this run need of a server?
NeedsByRun = Callable[[Batch], Callable[[PlanRun], Needs | None]]
#: Takes the locked batch and returns a function: does this run start from a panel?
PanelNeedByRun = Callable[[Batch], Callable[[PlanRun], bool]]
#: Takes the locked batch and returns a function that gives a run the other workflow with its
#: values, without saving the run.
Remaking = Callable[[Batch], Callable[[PlanRun], None]]


def retry(
    batch: Batch,
    run_ids: Sequence[int],
    *,
    overrides: Mapping[str, Any],
    needs_by_run: NeedsByRun,
    panel_need_by_run: PanelNeedByRun,
    remaking: Remaking | None = None,
    actor: Actor,
) -> int:
    """Queue failed or cancelled runs again with `overrides` on top; return how many were queued.

    With `remaking` each is made with another workflow, which has taken the overrides in.
    """
    target = RunState.WAITING if batch.mode == Mode.MANUEL else RunState.QUEUED
    with change(batch.pk, actor=actor) as now:
        runs = _retryable(now, run_ids)
        fields = CLEAN | {"result": None, "wait_reason": WaitReason.TURN}
        fields |= {"n_tries": 0, "tried_from": F("n_attempts")}
        moved = _retry_with(now, [run.pk for run in runs], target, fields)
        if not moved:
            return 0
        if overrides or remaking is not None:
            give = remaking(now.batch) if remaking is not None else _overlay(overrides)
            _revise(now, runs, give, needs_by_run)
        if target == RunState.QUEUED:
            needs_panel = panel_need_by_run(now.batch)
            _hold_without_panel(now, [run.pk for run in runs if needs_panel(run)])
        now.set(cancel_requested_at=None)
        for run in runs:
            _log_retry(now, run, target, overrides, is_remade=remaking is not None)
    return moved


def _retryable(now: UnitOfWork, run_ids: Sequence[int]) -> list[PlanRun]:
    """Return the runs that can be retried, each with its batch and its own workflow.

    Not those of plans that are approved, on hold or omitted.
    """
    runs = now.batch.runs.retryable().of_plans_to_make().filter(pk__in=run_ids).order_by("pk")
    rows = list(runs.only("pk", "params", "sources", "seed", "own_workflow"))
    own = Workflow.objects.in_bulk({run.own_workflow_id for run in rows} - {None})
    for run in rows:
        run.batch = now.batch
        run.own_workflow = own.get(run.own_workflow_id or 0)
    return rows


def _log_retry(
    now: UnitOfWork,
    run: PlanRun,
    target: RunState,
    overrides: Mapping[str, Any],
    *,
    is_remade: bool,
) -> None:
    said: dict[str, str] = {"values": values_with_sources(overrides, {})} if overrides else {}
    event = "retried_manually" if target == RunState.WAITING else "retried"
    if is_remade and run.workflow is not None:
        event, said = "retried_with", said | {"workflow": str(run.workflow)}
    now.log(event, run.pk, params=dict(overrides), **said)


def _retry_with(
    now: UnitOfWork, ids: list[int], target: RunState, fields: Mapping[str, Any]
) -> int:
    return now.move(
        now.batch.runs.filter(pk__in=ids),
        target,
        sources=RETRYABLE,
        **fields,
    )


def _hold_without_panel(now: UnitOfWork, ids: list[int]) -> None:
    panel = Version.objects.panels().filter(plan=OuterRef("plan"))
    if ids:
        now.edit(now.batch.runs.filter(~Exists(panel), pk__in=ids), wait_reason=WaitReason.PANEL)


def _overlay(overrides: Mapping[str, Any]) -> Callable[[PlanRun], None]:
    """Return a function that lays overrides over a run's own values, without saving the run."""
    kept = {name: value for name, value in overrides.items() if name != "seed"}
    sources = from_one(overrides, ValueSource.RETRY)

    def give(run: PlanRun) -> None:
        run.params, run.sources = run.params | kept, run.sources | sources
        run.seed = str(overrides.get("seed", run.seed))

    return give


def _revise(
    now: UnitOfWork, runs: list[PlanRun], give: Callable[[PlanRun], None], needs_by_run: NeedsByRun
) -> None:
    """Give each run what it is to have, and write as many at once as have the same."""
    alike: dict[str, tuple[dict[str, Any], list[PlanRun]]] = {}
    for run in runs:
        seed = run.seed
        give(run)
        fields = {"params": run.params, "sources": run.sources, "own_workflow": run.own_workflow}
        if run.seed != seed:
            fields["seed"] = run.seed
        same = repr(
            (
                sorted(run.params.items()),
                sorted(run.sources.items()),
                run.own_workflow_id,
                fields.get("seed"),
            )
        )
        alike.setdefault(same, (fields, []))[1].append(run)
    needs = needs_by_run(now.batch)
    for fields, of in alike.values():
        if now.batch.mode == Mode.AUTO:
            group = RunGroup.objects.of(now.batch, needs(of[0]), of[0].own_workflow)
            fields["group"] = group
        now.edit(now.batch.runs.filter(pk__in=[run.pk for run in of]), **fields)


def unblame(batch_id: int, failed: Mapping[int, int], server: str) -> int:
    """Give plans back the tries that a faulty server cost them; return how many plans there were.

    `failed` maps runs to how many tries the server cost them. A plan that is in error for it is
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
