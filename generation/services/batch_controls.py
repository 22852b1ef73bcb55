"""Steering a batch while it runs: pause, resume, priority, tries, and what it is called."""

from collections.abc import Collection, Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from generation import queueing
from generation.comfyui.untrusted_json import is_storable
from generation.errors import Conflict, InvalidRequest, Problem
from generation.models import Batch
from generation.models.batch import NAME_MAX, PRIORITY_HIGH, PRIORITY_LOW
from generation.services import acts, permissions
from generation.services.transitions.unit_of_work import UnitOfWork, change
from wording import say

TRIES_LOW, TRIES_HIGH = 1, 20


def steer(
    batch: Batch,
    *,
    actor: User | None,
    priority: int | None = None,
    is_paused: bool | None = None,
    max_tries: int | None = None,
    name: str | None = None,
) -> frozenset[str]:
    """Set a batch's priority, tries and name, pause or resume it; None leaves it as it is.

    Returns which of `priority`, `max_tries`, `is_paused` and `name` that changed.

    All of it is one revision. What is so already changes nothing.

    Raises:
        Forbidden: who steers may not.
        Conflict: a finished batch is to be paused.
        InvalidRequest: the priority or the tries are out of bounds, or the name is none.
    """
    permissions.require(actor, *permissions.TO_STEER)
    _check_name(name)
    _check("priority", priority, PRIORITY_LOW, PRIORITY_HIGH)
    _check("max_tries", max_tries, TRIES_LOW, TRIES_HIGH)
    wanted = {"priority": priority, "is_paused": is_paused, "max_tries": max_tries, "name": name}
    changed: set[str] = set()
    with transaction.atomic():
        with change(batch.pk, actor=actor) as now:
            if priority is not None and priority != now.batch.priority:
                _prioritize(now, priority)
                changed.add("priority")
            if max_tries is not None and max_tries != now.batch.max_tries:
                now.log("max_tries_changed", most=max_tries)
                now.set(max_tries=max_tries)
                changed.add("max_tries")
            if name is not None and name != now.batch.name:
                _rename(now, name)
                changed.add("name")
            if is_paused is not None and is_paused != (now.batch.paused_at is not None):
                _pause(now) if is_paused else _resume(now)
                changed.add("is_paused")
            if changed:
                _record(now.batch, wanted, changed, actor)
        transaction.on_commit(queueing.wake)
    batch.refresh_from_db()
    return frozenset(changed)


def _record(
    batch: Batch, wanted: Mapping[str, object], changed: Collection[str], actor: User | None
) -> None:
    """Write down what somebody changed of a batch, which is not written yet."""
    now = {
        "priority": batch.priority,
        "is_paused": batch.paused_at is not None,
        "max_tries": batch.max_tries,
        "name": batch.name,
    }
    before = {name: now[name] for name in now if name in changed}
    acts.record("steer", batch, by=actor, before=before, after={n: wanted[n] for n in before})


def _prioritize(now: UnitOfWork, priority: int) -> None:
    now.log("priority_changed", before=now.batch.priority, after=priority)
    now.set(priority=priority)


def _rename(now: UnitOfWork, name: str) -> None:
    now.log("renamed", before=now.batch.name or now.batch.public_id, after=name)
    now.set(name=name)


def _check(name: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        detail = say("{name}: it must be between {low} and {high}.", name=name, low=low, high=high)
        raise InvalidRequest([Problem(name, "out_of_bounds", detail)])


def _check_name(name: str | None) -> None:
    if name is None:
        return
    if not name.strip() or not is_storable(name):
        raise InvalidRequest(
            [Problem("name", "bad_text", say("name: a batch keeps a name of text."))]
        )
    if len(name) > NAME_MAX:
        detail = say("name: at most {most} characters; it has {n:,}.", most=NAME_MAX, n=len(name))
        raise InvalidRequest([Problem("name", "too_long", detail)])


def pause(batch: Batch, *, actor: User | None) -> bool:
    """Let what runs finish and take nothing more of a batch; False when it is paused already.

    Raises:
        Conflict: it is finished.
    """
    return bool(steer(batch, actor=actor, is_paused=True))


def resume(batch: Batch, *, actor: User | None) -> bool:
    """Let a paused batch go on; False when it is not paused."""
    return bool(steer(batch, actor=actor, is_paused=False))


def set_priority(batch: Batch, priority: int, *, actor: User | None) -> bool:
    """Change a batch's priority, also while it runs: higher goes first. False: it is so already.

    Raises:
        InvalidRequest: it is out of bounds.
    """
    return bool(steer(batch, actor=actor, priority=priority))


def move_priority(batch: Batch, by: int, *, actor: User | None) -> bool:
    """Raise or lower a batch's priority from what it is now; False when it goes no further.

    Raises:
        Forbidden: who steers may not.
    """
    permissions.require(actor, *permissions.TO_STEER)
    with transaction.atomic():
        with change(batch.pk, actor=actor) as now:
            before = now.batch.priority
            after = min(max(before + by, PRIORITY_LOW), PRIORITY_HIGH)
            if after != before:
                _prioritize(now, after)
                _record(now.batch, {"priority": after}, {"priority"}, actor)
        transaction.on_commit(queueing.wake)
    batch.refresh_from_db()
    return after != before


def _pause(now: UnitOfWork) -> None:
    if not now.batch.is_unfinished:
        raise Conflict(
            say("The batch is finished: there is nothing to pause."), code="batch_finished"
        )
    now.set(paused_at=Now())
    now.log("paused")
    _touch_waiting(now)


def _resume(now: UnitOfWork) -> None:
    now.set(paused_at=None)
    now.log("resumed")
    _touch_waiting(now)


def _touch_waiting(now: UnitOfWork) -> None:
    """Why they wait has changed: whoever asks since the last revision is to see it."""
    now.edit(now.batch.runs.queued())
