"""The use cases of a batch: create it, cancel it, retry what failed in it."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation import queueing
from generation.errors import Conflict
from generation.events import EVENTS
from generation.models import (
    Batch,
    Episode,
    LogEntry,
    Needs,
    Plan,
    PlanRun,
    RunGroup,
    Version,
)
from generation.parameter_sources import values_with_sources
from generation.services import (
    acts,
    batch_names,
    capability,
    episode_changes,
    permissions,
    placeholder_values,
    plan_locks,
    preflight,
    production_tree,
    requested_workflows,
    retry_overrides,
    servers,
    transitions,
)
from generation.services.permissions import Needed
from generation.services.production_tree import News
from generation.services.request_params import OwnValues, PlanKey
from generation.services.request_validation import BatchRequest
from generation.services.retry_overrides import NONE, Overrides
from generation.services.transitions import CancelCounts
from generation.states import FIRST, Mode, RunState, WaitReason
from wording import all_of, say

_NOTHING_OWN = OwnValues({}, {})


@dataclass(frozen=True)
class Asking:
    """What somebody does who asks for a batch: the act's verb, what it tells, what it takes."""

    verb: str = "ask"
    told: Mapping[str, Any] = field(default_factory=dict)
    needed: Needed = permissions.TO_ASK


def create(request: BatchRequest, *, requester: User | None, asking: Asking = Asking()) -> Batch:
    """Write a batch and a run for each of its plans, then wake the drivers.

    Locked plans are left out, and named in its log, unless the request is forced.

    Raises:
        Forbidden: who asks may not.
        InvalidRequest: the project exists in another spelling.
        Conflict: all of its plans are locked.
    """
    permissions.require(requester, *asking.needed)
    with transaction.atomic():
        request, locked = plan_locks.without_locked(request)
        news = production_tree.what_would_be_new(request.project_id, request.episode)
        plans = production_tree.ensure_plans(
            request.project_id, request.season, request.episode, request.sequences
        )
        ordered = [plans[code, plan] for code, of in request.sequences.items() for plan in of]
        batch = _new_batch(request, ordered[0].sequence.episode, len(ordered), requester)
        PlanRun.objects.bulk_create(_new_runs(batch, ordered, request))
        said = [*_first_entries(batch, request, news), *_of_locked(request, locked)]
        LogEntry.objects.bulk_create(_entries(batch, said, requester))
        episode_changes.record(batch.episode_id, batch_id=batch.pk)
        asked = {**_asked(request, locked), **asking.told}
        acts.record(asking.verb, batch, by=requester, after=asked, reason=request.reason)
        if request.mode == Mode.AUTO:
            transaction.on_commit(queueing.wake)
    return batch


def _asked(request: BatchRequest, locked: list[PlanKey]) -> dict[str, Any]:
    """Return what the act of asking tells."""
    asked = {"plans": len(request.keys), "style": request.style.code, "mode": request.mode.value}
    if not locked:
        return asked
    return asked | {"locked": plan_locks.plans_in_words(locked), "force": request.force}


#: An event of the log, and its data.
_Said = tuple[str, dict[str, Any]]


def _of_locked(request: BatchRequest, locked: list[PlanKey]) -> list[_Said]:
    """Return what is told of the locked plans that were asked for."""
    if not locked:
        return []
    event = "locked_forced" if request.force else "locked_left_out"
    data = {"plans": len(locked), "named": plan_locks.plans_in_words(locked)}
    return [(event, data | ({"reason": request.reason} if request.force else {}))]


def _first_entries(batch: Batch, request: BatchRequest, news: News) -> list[_Said]:
    """Return the first log entries of a batch.

    They name new projects, because a mistyped name creates one.
    """
    asked: dict[str, Any] = {
        "plans": batch.n_total // batch.variations,
        "style": request.style.code,
        "mode": request.mode.value,
    }
    if request.params:
        asked["values"] = values_with_sources(request.params, request.sources)
    said: list[_Said] = [("batch_created", asked)]
    if request.variant:
        said.append(("variant", {"variant": request.variant}))
    if batch.variations > 1:
        said.append(("variations", {"variations": batch.variations}))
    if request.rerun_of is not None:
        said.append(("rerun", {"filename": str(request.rerun_of)}))
    if news.like:
        like = all_of(news.like)
        said.append(("project_created_beside", {"project": news.project, "like": like}))
    elif news.project:
        said.append(("project_created", {"project": news.project}))
    elif news.episode:
        episode = {"project": request.project_id, "episode": news.episode}
        said.append(("episode_created", episode))
    return said


def _entries(batch: Batch, said: Iterable[_Said], requester: User | None) -> list[LogEntry]:
    return [
        LogEntry(
            batch=batch,
            level=EVENTS[event].level,
            event=event,
            actor=requester,
            revision=batch.revision,
            data=data,
        )
        for event, data in said
    ]


def _new_batch(
    request: BatchRequest, episode: Episode, n_plans: int, requester: User | None
) -> Batch:
    first = FIRST[request.mode]
    needs = _kept([request.needs])[request.needs.sha256] if request.needs else None
    return Batch.objects.create(
        public_id=secrets.token_hex(8),
        episode=episode,
        style=request.style,
        workflow=requested_workflows.freeze(request.workflow) if request.workflow else None,
        mode=request.mode,
        params=dict(request.params),
        sources=dict(request.sources),
        name=request.name or _own_name(request, episode),
        reason=request.reason,
        priority=request.priority,
        variations=request.variations,
        needs=needs,
        needs_panel=request.needs_panel,
        rerun_of=request.rerun_of,
        requested_by=requester,
        n_total=n_plans * request.variations,
        **{f"n_{first.value}": n_plans * request.variations},
    )


def _own_name(request: BatchRequest, episode: Episode) -> str:
    return batch_names.default_name(episode, request.sequences, request.style, timezone.now())


def _new_runs(batch: Batch, plans: list[Plan], request: BatchRequest) -> list[PlanRun]:
    auto = batch.mode == Mode.AUTO
    lacking = _without_panel(plans) if auto and batch.needs_panel else frozenset()
    first = FIRST[Mode(batch.mode)]
    groups = _new_groups(batch, _kept([own.needs for own in request.own.values() if own.needs]))
    shared = placeholder_values.used_fields(request.params)
    numbered = product(plans, range(1, request.variations + 1))
    runs: list[PlanRun] = []
    for position, (plan, variation) in enumerate(numbered):
        own = request.own.get((plan.sequence.code, plan.code), _NOTHING_OWN)
        runs.append(
            PlanRun(
                batch_id=batch.pk,
                plan_id=plan.pk,
                variation=variation,
                group=groups[own.needs.sha256 if own.needs else ""] if auto else None,
                position=position,
                state=first,
                wait_reason=WaitReason.PANEL if plan.pk in lacking else WaitReason.TURN,
                seed=_seed(request, own) if auto else "",
                params={
                    name: own.params[name]
                    for name in own.params
                    if name != requested_workflows.SEED
                },
                sources=dict(own.sources),
                texts=placeholder_values.texts_of(
                    plan, shared | placeholder_values.used_fields(own.params)
                ),
            )
        )
    return runs


def _new_groups(batch: Batch, own: Mapping[str, Needs]) -> dict[str, RunGroup]:
    """Write a new batch's groups; return them by the hash of their own needs, "" for the others."""
    needed = {"": batch.needs} | dict(own)
    made = RunGroup.objects.bulk_create(
        [RunGroup(batch=batch, needs=needs) for needs in needed.values()]
    )
    return dict(zip(needed, made, strict=True))


def _kept(found: Iterable[Needs]) -> dict[str, Needs]:
    """Write down what some plans need, and which servers have it; return the rows by their hash."""
    distinct = {needs.sha256: needs for needs in found}
    kept = {sha256: capability.keep(needs) for sha256, needs in distinct.items()}
    if kept:
        capability.refresh(kept.values())
        transaction.on_commit(partial(preflight.have_read, list(kept.values())))
    return kept


def _seed(request: BatchRequest, own: OwnValues) -> str:
    """Return the seed asked for, else one that is drawn; empty where no picture depends on one."""
    given = own.params.get(requested_workflows.SEED, request.params.get(requested_workflows.SEED))
    if given is not None or request.seed_bounds is None:
        return "" if given is None else str(given)
    return requested_workflows.draw_seed(request.seed_bounds)


def _without_panel(plans: list[Plan]) -> frozenset[int]:
    sequences = {plan.sequence_id for plan in plans}
    panels = Version.objects.panels().filter(plan__sequence__in=sequences).order_by()
    with_panel = set(panels.values_list("plan_id", flat=True))
    return frozenset(plan.pk for plan in plans) - with_panel


def cancel(batch: Batch, *, actor: User | None) -> CancelCounts:
    """Cancel what is unfinished of a batch, and say what that did.

    A finished or cancelled batch is left as it is.

    Raises:
        Forbidden: who cancels may not.
    """
    permissions.require(actor, *permissions.TO_CANCEL)
    unanswered = servers.unanswered()
    with transaction.atomic():
        done = transitions.cancel(batch, run_ids=None, unanswered=unanswered, actor=actor)
        if done.was_unfinished:
            acts.record("cancel", batch, by=actor)
    batch.refresh_from_db()
    return done


def cancel_unanswered() -> None:
    """Cancel without its server what was asked to stop while a driver still spoke for it."""
    alone = servers.unanswered()
    asked = PlanRun.objects.filter(
        state=RunState.RUNNING,
        cancel_requested_at__isnull=False,
        current_attempt__server_id__in=alone,
        current_attempt__versions=None,
    )
    for batch_id in asked.order_by("batch_id").values_list("batch_id", flat=True).distinct():
        transitions.cancel_unanswered(batch_id, unanswered=alone)


def retry(
    batch: Batch,
    *,
    actor: User | None,
    params: Mapping[str, Any] | None = None,
    workflow_json: str | None = None,
) -> list[PlanRun]:
    """Queue again every failed run, and every cancelled one of a cancelled batch.

    `workflow_json` names another workflow that they are made with.

    Raises:
        Forbidden: who retries may not.
        Conflict: there is none.
        InvalidRequest: see `retry_overrides.read`.
    """
    permissions.require(actor, *permissions.TO_RETRY)
    batch.refresh_from_db()
    related = PlanRun.objects.retried_with([batch]).select_related("batch")
    runs = list(related.order_by("pk"))
    overrides = retry_overrides.read(batch, runs, params, workflow_json)
    moved = retry_runs(batch, [run.pk for run in runs], overrides, actor=actor) if runs else 0
    if not moved:
        plan_locks.refuse_kept_back(runs)
        raise Conflict(
            say(
                "Nothing in this batch has failed or was cancelled. For another version of "
                "a plan, send a new request."
            ),
            code="nothing_to_retry",
        )
    return list(batch.runs.filter(pk__in=[run.pk for run in runs]).order_by("pk"))


def retry_runs(
    batch: Batch,
    run_ids: list[int],
    overrides: Overrides = NONE,
    *,
    actor: User | None,
) -> int:
    """Queue these failed or cancelled runs again; return how many were queued.

    Raises:
        Forbidden: who retries may not.
    """
    permissions.require(actor, *permissions.TO_RETRY)
    with transaction.atomic():
        moved = transitions.retry(
            batch,
            run_ids,
            overrides=overrides.params,
            remaking=retry_overrides.workflow_replacer(overrides),
            needs_by_run=capability.needs_by_run,
            panel_need_by_run=retry_overrides.panel_need_by_run,
            actor=actor,
        )
        if moved:
            acts.record("retry", batch, by=actor, after={"runs": moved, **overrides.params})
        if moved and batch.mode == Mode.AUTO:
            # Overrides may need another server than the rest.
            needs = list(Needs.objects.filter(groups__batch=batch).distinct())
            capability.refresh(needs)
            transaction.on_commit(partial(preflight.have_read, needs))
            transaction.on_commit(queueing.wake)
    return moved
